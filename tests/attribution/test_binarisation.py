"""Every policy, on maps whose masks are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError
from skimage.filters import threshold_otsu

from xai_assets.attribution.binarisation import (
    BinarisationError,
    BinarisationPolicy,
    binarise,
    density,
    highest,
    otsu_threshold,
)

RAMP = np.arange(100, dtype=np.float32).reshape(10, 10)
MAPS = hnp.arrays(np.float32, (6, 7), elements=st.integers(-100, 100).map(float))


def policy(name, value=None):
    return BinarisationPolicy(policy=name, value=value)


def test_fixed_is_a_threshold_of_the_scaled_map():
    mask, threshold = binarise(RAMP, policy("fixed", 0.5))
    assert threshold == 0.5
    np.testing.assert_array_equal(mask, RAMP >= 49.5)


def test_fixed_is_half_unless_given():
    assert BinarisationPolicy() == policy("fixed", 0.5)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.37, 1.0])
def test_top_area_has_that_area(share):
    mask, threshold = binarise(RAMP, policy("top_area", share))
    assert density(mask) == pytest.approx(share)
    assert mask.ravel()[-1]
    np.testing.assert_array_equal(mask, threshold - 1e-6 <= (RAMP / 99))


def test_same_area_has_the_references_area():
    reference = np.zeros((10, 10), dtype=bool)
    reference[2:5, 3:7] = True
    mask, _ = binarise(RAMP, policy("same_area"), reference=reference)
    assert mask.sum() == 12
    assert mask.ravel()[-12:].all()
    assert not binarise(RAMP, policy("same_area"), reference=np.zeros((10, 10), dtype=bool))[0].any()


@pytest.mark.parametrize("reference", [None, np.zeros((3, 3), dtype=bool)])
def test_same_area_without_a_fitting_reference_is_an_error(reference):
    with pytest.raises(BinarisationError, match="reference mask"):
        binarise(RAMP, policy("same_area"), reference=reference)


@pytest.mark.parametrize("name", ["fixed", "top_area", "otsu", "same_area"])
@pytest.mark.parametrize("value", [0.0, 3.0, np.nan])
def test_a_map_that_says_nothing_has_an_empty_mask_and_no_threshold(name, value):
    flat = np.full((4, 4), value, dtype=np.float32)
    mask, threshold = binarise(flat, policy(name), reference=np.ones((4, 4), dtype=bool))
    assert threshold is None
    assert not mask.any()


def test_a_map_that_is_partly_not_finite_has_an_empty_mask():
    values = RAMP.copy()
    values[0, 0] = np.inf
    assert not binarise(values, BinarisationPolicy())[0].any()


def test_otsu_cuts_between_two_plateaus():
    values = np.zeros((8, 8), dtype=np.float32)
    values[2:5, 2:5] = 7
    values += np.random.default_rng(0).normal(0, 0.1, (8, 8)).astype(np.float32)
    mask, threshold = binarise(values, policy("otsu"))
    np.testing.assert_array_equal(mask, values > 3.5)
    assert 0.2 < threshold < 0.8


@pytest.mark.parametrize("seed", range(5))
def test_otsu_agrees_with_scikit_image(seed):
    generator = np.random.default_rng(seed)
    values = np.concatenate([generator.normal(0.3, 0.1, 600), generator.normal(0.7, 0.08, 300)])
    values = np.clip(values, 0, 1).reshape(30, 30).astype(np.float32)
    assert otsu_threshold(values) == pytest.approx(threshold_otsu(values, nbins=256), abs=0.01)


@pytest.mark.parametrize("name", ["fixed", "top_area", "otsu"])
@given(values=MAPS, factor=st.sampled_from([0.5, 2.0, 8.0]))
def test_masks_do_not_depend_on_the_maps_unit(name, values, factor):
    mask, _ = binarise(values, policy(name))
    np.testing.assert_array_equal(mask, binarise(values * np.float32(factor), policy(name))[0])
    assert mask.dtype == bool
    constant = values.max() == values.min()
    assert mask.any() == (not constant)


@given(values=MAPS, count=st.integers(0, 42))
def test_highest_takes_that_many_and_none_lower_than_what_it_leaves(values, count):
    mask = highest(values, count)
    assert mask.sum() == count
    if 0 < count < values.size:
        assert values[mask].min() >= values[~mask].max()


@pytest.mark.parametrize(
    "given_policy",
    [{"policy": "otsu", "value": 0.5}, {"policy": "fixed", "value": 0}, {"policy": "fixed", "value": 1.5},
     {"policy": "median"}, {"policy": "fixed", "threshold": 0.5}],
)  # fmt: skip
def test_a_policy_that_makes_no_sense_is_refused(given_policy):
    with pytest.raises(ValidationError):
        BinarisationPolicy.model_validate(given_policy)
