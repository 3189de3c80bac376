"""p, z and q against numbers made by hand and against scipy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from xai_assets.dissection.significance import false_discovery_q, permutation_p, significance, z_score
from xai_assets.errors import XaiError


def test_the_observed_value_counts_among_the_draws():
    null = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(permutation_p(np.array([5.0, 4.0, 0.0]), null), [1 / 5, 2 / 5, 1])


def test_each_unit_may_have_its_own_null():
    null = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    observed = np.array([3.5, 3.5])
    np.testing.assert_allclose(permutation_p(observed, null), [1 / 4, 1])
    np.testing.assert_allclose(z_score(observed, null), [1.5, -1.65])


def test_a_null_that_does_not_vary_gives_no_z():
    assert np.isnan(z_score(np.array([1.0]), np.full(7, 0.1))).all()


def test_benjamini_hochberg_by_hand():
    # Sorted: 0.01 0.02 0.03 0.5, times 4/1 4/2 4/3 4/4 = 0.04 0.04 0.04 0.5.
    q = false_discovery_q(np.array([0.5, 0.03, np.nan, 0.01, 0.02]), np.array([1, 1, 0, 1, 1], bool))
    np.testing.assert_allclose(q, [0.5, 0.04, np.nan, 0.04, 0.04])
    assert np.isnan(false_discovery_q(np.array([0.1]), np.array([False]))).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.randoms())
def test_benjamini_hochberg_is_scipys(values, random):
    p = np.array(values)
    living = np.array([random.random() < 0.7 for _ in values])
    q = false_discovery_q(p, living)
    assert np.isnan(q[~living]).all()
    if living.any():
        np.testing.assert_allclose(q[living], false_discovery_control(p[living]), rtol=1e-12)


def test_all_of_it_for_one_layer():
    living = np.array([True, False, True])
    found = significance(np.array([9.0, np.nan, 2.0]), np.array([1.0, 2.0, 3.0]), living)
    np.testing.assert_allclose(found.null_mean, [2, 2, 2])
    np.testing.assert_allclose(found.null_std, [1, 1, 1])
    np.testing.assert_allclose(found.z[living], [7, 0])
    np.testing.assert_allclose(found.p[living], [0.25, 0.75])
    np.testing.assert_allclose(found.q, [0.5, np.nan, 0.75])


@pytest.mark.parametrize(
    ("observed", "null", "match"),
    [
        ([1.0], [[1.0, 2.0], [1.0, 2.0]], "shape"),
        ([1.0], [1.0], "1 draws"),
        ([np.nan], [1.0, 2.0], "not finite"),
        ([1.0], [1.0, np.inf], "not finite"),
    ],
)
def test_unfit_nulls_are_named(observed, null, match):
    with pytest.raises(XaiError, match=match):
        permutation_p(np.array(observed), np.array(null))


def test_p_values_are_shares():
    with pytest.raises(XaiError, match="between 0 and 1"):
        false_discovery_q(np.array([0.1, np.nan]), np.array([True, True]))
