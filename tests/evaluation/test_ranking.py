"""Measures of order: scipy, scikit-learn, constructed maps, and fairness where values tie."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from xai_assets.attribution.binarisation import highest
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.overlap import expected_iou, iou
from xai_assets.evaluation.ranking import (
    RankedMaps,
    average_precision,
    energy_in_mask,
    matched_iou,
    pointing_game,
    rank_correlation,
)

# Few levels, so that ties are common.
MAPS = hnp.arrays(np.float32, (5, 6), elements=st.integers(0, 4).map(float))
MASKS = hnp.arrays(bool, (5, 6))
TRUTH = np.zeros((8, 8), dtype=bool)
TRUTH[2:5, 3:6] = True
ORACLE = TRUTH.astype(np.float32)
EMPTY = np.zeros((8, 8), dtype=bool)


@given(a=MAPS, b=MAPS)
def test_rank_correlation_is_scipys(a, b):
    assume(a.min() < a.max() and b.min() < b.max())
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic, abs=1e-12)


def test_rank_correlation_of_known_maps():
    ramp = np.arange(20, dtype=np.float32).reshape(4, 5)
    assert rank_correlation(ramp, ramp**3) == 1
    assert rank_correlation(ramp, -ramp) == -1
    assert rank_correlation(ramp, np.ones_like(ramp)) is None


@given(values=MAPS, truth=MASKS)
def test_average_precision_is_scikit_learns(values, truth):
    assume(truth.any())
    expected = average_precision_score(truth.ravel(), values.ravel())
    assert average_precision(values, truth) == pytest.approx(expected, abs=1e-12)


def test_an_oracle_has_everything():
    assert average_precision(ORACLE, TRUTH) == 1
    assert matched_iou(ORACLE, TRUTH) == 1
    assert pointing_game(ORACLE, TRUTH) == 1
    assert energy_in_mask(ORACLE, TRUTH) == 1


def test_its_opposite_has_nothing():
    assert matched_iou(1 - ORACLE, TRUTH) == 0
    assert pointing_game(1 - ORACLE, TRUTH) == 0
    assert energy_in_mask(1 - ORACLE, TRUTH) == 0
    # The truth comes last: precision 9 / 64 at full recall.
    assert average_precision(1 - ORACLE, TRUTH) == pytest.approx(9 / 64)


def test_a_constant_map_has_the_chance_level_of_each():
    flat, share = np.ones((8, 8), dtype=np.float32), TRUTH.mean()
    assert average_precision(flat, TRUTH) == pytest.approx(share)
    assert pointing_game(flat, TRUTH) == pytest.approx(share)
    assert energy_in_mask(flat, TRUTH) == pytest.approx(share)
    assert matched_iou(flat, TRUTH) == pytest.approx(expected_iou(share, share))


def test_random_maps_have_the_chance_level_in_the_mean():
    generator = np.random.default_rng(0)
    truth = np.zeros((40, 40), dtype=bool)
    truth[10:22, 5:25] = True
    share = truth.mean()
    maps = [generator.random((40, 40)).astype(np.float32) for _ in range(300)]
    for measure, chance in (
        (average_precision, share),
        (pointing_game, share),
        (energy_in_mask, share),
        (matched_iou, share / (2 - share)),
    ):
        found = [measure(values, truth) for values in maps]
        error = 4 * np.std(found) / np.sqrt(len(found))
        # A finite sample's average precision is a little above the density.
        assert np.mean(found) == pytest.approx(chance, abs=error + 0.005)


def test_an_empty_truth_has_no_answer():
    for measure in (average_precision, matched_iou, pointing_game, energy_in_mask):
        assert measure(ORACLE, EMPTY) is None


def test_energy_counts_positive_values_only_and_needs_some():
    values = np.array([[3.0, -5.0], [1.0, -1.0]], dtype=np.float32)
    truth = np.array([[True, True], [False, False]])
    assert energy_in_mask(values, truth) == 0.75
    assert energy_in_mask(-np.abs(values), truth) is None


def test_a_tie_for_the_highest_pixel_counts_in_part():
    values = np.zeros((8, 8), dtype=np.float32)
    values[4:6, 4:6] = 7  # 4 pixels; 2 of them in the truth
    assert pointing_game(values, TRUTH) == 0.5


@given(values=MAPS, truth=MASKS)
def test_matched_area_without_ties_is_the_iou_of_the_highest_pixels(values, truth):
    assume(truth.any())
    order = np.random.default_rng(0).permutation(values.size).reshape(values.shape)
    distinct = values + order.astype(np.float32) / 100
    assert matched_iou(distinct, truth) == pytest.approx(iou(highest(distinct, truth.sum()), truth))


def test_matched_area_with_ties_expects_over_every_way_to_break_them():
    values = np.array([[2, 1, 1], [1, 0, 0]], dtype=np.float32)
    truth = np.array([[True, True, False], [False, False, False]])
    common = []
    for pick in itertools.combinations([(0, 1), (0, 2), (1, 0)], 1):  # one of the three tied pixels is needed
        mask = values == 2
        mask[tuple(zip(*pick, strict=True))] = True
        common.append((mask & truth).sum())
    expected = np.mean(common)
    assert matched_iou(values, truth) == pytest.approx(expected / (4 - expected))


@given(values=MAPS, truth=MASKS, factor=st.sampled_from([0.5, 4.0]))
def test_bounds_and_independence_of_unit_and_orientation(values, truth, factor):
    for measure in (average_precision, matched_iou, pointing_game, energy_in_mask):
        found = measure(values, truth)
        if found is None:
            continue
        assert 0 <= found <= 1
        assert measure(values * np.float32(factor), truth) == pytest.approx(found)
        assert measure(values[::-1, ::-1], truth[::-1, ::-1]) == pytest.approx(found)


def test_many_at_once_are_as_one_by_one():
    generator = np.random.default_rng(0)
    maps = [generator.integers(0, 9, (6, 7)).astype(float) for _ in range(4)]
    values = generator.normal(size=(6, 7)).round(1)
    found = RankedMaps(maps).correlations(values)
    np.testing.assert_allclose(found, [rank_correlation(values, other) for other in maps])
    assert RankedMaps(maps).correlations(np.ones((6, 7))) is None
    assert RankedMaps(maps).correlations(np.full((6, 7), np.nan)) is None
    with pytest.raises(EvaluationError, match="constant"):
        RankedMaps([*maps, np.ones((6, 7))])
    with pytest.raises(EvaluationError, match="shapes"):
        RankedMaps(maps).correlations(np.ones((7, 6)))
