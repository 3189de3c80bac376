"""Intervals over images: scipy, coverage, exclusions, pairing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.statistics import Interval, bootstrap_mean, difference_of_means, paired_difference

VALUES = np.random.default_rng(0).normal(0.5, 0.1, 40)


def test_the_interval_is_scipys_percentile_bootstrap():
    found = bootstrap_mean(VALUES, seed=1)
    theirs = stats.bootstrap((VALUES,), np.mean, method="percentile", n_resamples=10_000, rng=2)
    assert found.mean == pytest.approx(VALUES.mean())
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.001)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.001)


def test_it_covers_the_true_mean_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        found = bootstrap_mean(generator.normal(3, 1, 40), seed=trial, resamples=400)
        hits += found.low <= 3 <= found.high
    assert 0.88 <= hits / 200 <= 0.99


def test_what_could_not_be_measured_is_left_out_and_counted():
    found = bootstrap_mean([0.2, None, 0.4, float("nan"), np.nan, 0.6])
    assert (found.n, found.excluded) == (3, 3)
    assert found.mean == pytest.approx(0.4)


def test_too_few_values_have_no_interval():
    assert bootstrap_mean([]) == Interval(None, None, None, 0, 0)
    assert bootstrap_mean([None, None]) == Interval(None, None, None, 0, 2)
    assert bootstrap_mean([0.3]) == Interval(0.3, None, None, 1, 0)


def test_the_seed_decides():
    assert bootstrap_mean(VALUES, seed=3) == bootstrap_mean(VALUES, seed=3)
    assert bootstrap_mean(VALUES, seed=3) != bootstrap_mean(VALUES, seed=4)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_interval_holds_the_mean_and_stays_among_the_values(values):
    found = bootstrap_mean(values, resamples=200)
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9
    wide = bootstrap_mean(values, resamples=200, level=0.99)
    assert wide.low <= found.low
    assert found.high <= wide.high


def test_pairing_takes_out_what_is_hard_for_both():
    hard = np.random.default_rng(1).uniform(0, 1, 30)
    found = paired_difference(hard + 0.05, hard, seed=0)
    assert found.mean == pytest.approx(0.05)
    assert found.low == pytest.approx(0.05)
    assert bootstrap_mean(hard).high - bootstrap_mean(hard).low > 0.1


def test_a_pair_with_one_side_missing_is_left_out():
    found = paired_difference([0.5, None, 0.7], [0.4, 0.1, None])
    assert (found.n, found.excluded) == (1, 2)
    assert found.mean == pytest.approx(0.1)


def test_what_is_not_a_pair_is_an_error():
    with pytest.raises(EvaluationError, match="3 and 2"):
        paired_difference([1, 2, 3], [1, 2])


def test_a_difference_of_means_covers_the_truth_as_often_as_it_says():
    generator = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        found = difference_of_means(
            generator.normal(1.0, 1.0, 60), generator.normal(0.5, 2.0, 90), seed=trial, resamples=500
        )
        hits += found.low <= 0.5 <= found.high
    assert 0.88 <= hits / 200 <= 0.99
    assert found.n == 60
    assert difference_of_means([1.0], [0.0, 2.0]).low is None
    assert difference_of_means([], [1.0]).mean is None
