"""Every entry of a matrix is what the function for one pair gives, ties and empty masks included."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from xai_assets.evaluation import across_images as across
from xai_assets.evaluation.equal_area import iou_at_area
from xai_assets.evaluation.overlap import dice, iou, max_attainable
from xai_assets.evaluation.ranking import (
    average_precision,
    energy_in_mask,
    matched_iou,
    pointing_game,
    rank_correlation,
)

SHAPE = (14, 19)


def drawn(seed, levels):
    """Maps with many ties, and with few; their masks of different sizes."""
    generator = np.random.default_rng(seed)
    values = [gaussian_filter(generator.standard_normal(SHAPE), 2).astype(np.float32) for _ in range(3)]
    values = [np.round(one * levels).astype(np.float32) for one in values]
    values[0] = np.maximum(values[0], 0)
    values = [
        one if np.ptp(one) else np.linspace(0, 1, one.size, dtype="f4").reshape(SHAPE) for one in values
    ]
    masks = [
        one >= np.quantile(one, share) for one, share in zip(values, generator.uniform(0, 1, 3), strict=True)
    ]
    return values, masks


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from([2, 10, 1e6]))
def test_a_matrix_has_what_the_pairs_have(one, other, levels):
    (a, masks_a), (b, masks_b) = drawn(one, levels), drawn(other, levels)
    first = [across.OrderedMap.of(*pair) for pair in zip(a, masks_a, strict=True)]
    second = [across.OrderedMap.of(*pair) for pair in zip(b, masks_b, strict=True)]
    found = {
        "iou": across.iou_and_dice(masks_a, masks_b)[0],
        "dice": across.iou_and_dice(masks_a, masks_b)[1],
        "rank": across.rank_correlations(first, second),
        "matched": across.matched_ious(first, second),
        "area": across.ious_at_area(first, second, 0.2),
        "ap": across.average_precisions(first, masks_b),
        "truth": across.matched_to_truths(first, masks_b),
        "pointing": across.pointing(first, masks_b),
        "energy": across.energies(a, masks_b),
    }
    for i in range(3):
        assert (first[i].mask.reshape(SHAPE) == masks_a[i]).all()
        for j in range(3):
            expected = {
                "iou": iou(masks_a[i], masks_b[j]),
                "dice": dice(masks_a[i], masks_b[j]),
                "rank": rank_correlation(a[i], b[j]),
                "matched": iou_at_area(a[i], b[j], min(masks_a[i].mean(), masks_b[j].mean())),
                "area": iou_at_area(a[i], b[j], 0.2),
                "ap": average_precision(a[i], masks_b[j]),
                "truth": matched_iou(a[i], masks_b[j]),
                "pointing": pointing_game(a[i], masks_b[j]),
                "energy": energy_in_mask(a[i], masks_b[j]),
            }
            for name, value in expected.items():
                if value is None:
                    assert np.isnan(found[name][i, j])
                else:
                    assert found[name][i, j] == pytest.approx(value, abs=1e-6), name


def test_the_largest_iou_of_two_sizes():
    _, masks = drawn(3, 1e6)
    expected = [max_attainable(masks[0].mean(), masks[k].mean()) for k in (0, 1)]
    assert across.attainable_iou([masks[0]] * 2, masks[:2]) == pytest.approx(expected)
    nothing = np.zeros(SHAPE, bool)
    assert across.attainable_iou([nothing], [nothing]).tolist() == [0]
    assert across.iou_and_dice([nothing], [nothing])[0].tolist() == [[0]]
    assert across.attainable_iou([], []).shape == (0,)


def test_an_empty_mask_matches_nothing():
    values, masks = drawn(5, 1e6)
    empty = across.OrderedMap.of(values[0], np.zeros(SHAPE, bool))
    other = across.OrderedMap.of(values[1], masks[1])
    assert across.matched_ious([empty], [other]).tolist() == [[0]]
    assert across.matched_ious([other], [empty]).tolist() == [[0]]
