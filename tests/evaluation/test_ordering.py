"""The order of pixels: the map's, and where it says nothing, no place's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from xai_assets.evaluation.controls import random_smooth
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ordering import relevance_rank, removed, tie_field

VIEW = np.zeros((24, 32, 3), dtype=np.uint8)
MAPS = arrays.arrays(np.float32, (6, 5), elements=st.integers(-3, 3).map(float))


@given(MAPS, st.integers(0, 1000))
def test_the_most_relevant_goes_first_and_every_pixel_goes_once(values, seed):
    ties = np.random.default_rng(seed).random(values.shape)
    rank = relevance_rank(values, ties)
    assert sorted(rank.ravel()) == list(range(values.size))
    in_order = values.ravel()[np.argsort(rank, axis=None)]
    assert (np.diff(in_order) <= 0).all()


@given(MAPS, st.integers(0, 1000))
def test_only_the_order_of_values_counts(values, seed):
    ties = np.random.default_rng(seed).random(values.shape)
    np.testing.assert_array_equal(relevance_rank(values, ties), relevance_rank(np.exp(values) * 7 - 3, ties))


@given(MAPS, st.integers(0, 1000), st.integers(0, 30))
def test_most_and_least_relevant_first_share_out_the_pixels(values, seed, count):
    rank = relevance_rank(values, np.random.default_rng(seed).random(values.shape))
    first = removed(rank, count / 30, most_relevant_first=True)
    last = removed(rank, 1 - count / 30, most_relevant_first=False)
    assert first.sum() == count
    np.testing.assert_array_equal(first, ~last)


def test_ties_favour_no_place():
    """Of a constant map each pixel is as often in the first half as any other, but for chance."""
    draws = [
        removed(relevance_rank(np.ones((24, 32)), tie_field(VIEW, seed=seed)), 0.5, most_relevant_first=True)
        for seed in range(400)
    ]
    share = np.mean(draws, axis=0)
    assert np.mean(draws) == pytest.approx(0.5)
    assert abs(share - 0.5).max() < 5 * np.sqrt(0.25 / 400)
    quarters = [
        share[:12, :16].mean(),
        share[:12, 16:].mean(),
        share[12:, :16].mean(),
        share[12:, 16:].mean(),
    ]
    np.testing.assert_allclose(quarters, 0.5, atol=0.04)


def test_tied_areas_go_in_pieces_not_as_salt_and_pepper():
    gone = removed(relevance_rank(np.ones((24, 32)), tie_field(VIEW, seed=0)), 0.5, most_relevant_first=True)
    borders = (gone[:, 1:] != gone[:, :-1]).mean()
    assert borders < 0.25  # of pixels each on its own half of all neighbours differ


def test_the_field_is_of_its_own_seed_and_image():
    field = tie_field(VIEW, seed=0, image_id="a")
    np.testing.assert_array_equal(field, tie_field(VIEW, seed=0, image_id="a"))
    for other in (
        tie_field(VIEW, seed=1, image_id="a"),
        tie_field(VIEW, seed=0, image_id="b"),
        random_smooth(VIEW, seed=0, image_id="a"),
    ):
        assert not np.array_equal(field, other)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(bad):
    values = np.ones((4, 4))
    values[2, 1] = bad
    with pytest.raises(EvaluationError, match="not finite"):
        relevance_rank(values, np.zeros((4, 4)))
    with pytest.raises(EvaluationError, match="shapes"):
        relevance_rank(np.ones((4, 4)), np.ones((4, 5)))
