"""The permutation test of two groups is scipy's, exact where it can be, and finds nothing in nothing."""

import numpy as np
import pytest
from scipy import stats

from xai_assets.evaluation import two_groups
from xai_assets.evaluation.two_groups import permutation_p


def welch(a, b, axis):
    error = a.var(axis=axis, ddof=1) / a.shape[axis] + b.var(axis=axis, ddof=1) / b.shape[axis]
    return np.abs(a.mean(axis=axis) - b.mean(axis=axis)) / np.sqrt(error)


@pytest.mark.parametrize("sizes", [(3, 4), (2, 9), (6, 6)])
def test_every_division_is_tried(sizes):
    generator = np.random.default_rng(1)
    a, b = generator.random(sizes[0]), generator.random(sizes[1]) + 0.4
    theirs = stats.permutation_test(
        (a, b),
        welch,
        permutation_type="independent",
        alternative="greater",
        n_resamples=np.inf,
        vectorized=True,
    )
    assert permutation_p(a, b) == pytest.approx(theirs.pvalue)


def test_drawn_divisions_give_about_the_exact_p(monkeypatch):
    generator = np.random.default_rng(2)
    a, b = generator.random(7), generator.random(6) + 0.3
    exact = permutation_p(a, b)
    monkeypatch.setattr(two_groups, "EXACT_UP_TO", 1)
    assert permutation_p(a, b) == pytest.approx(exact, abs=0.01)


def test_too_few_tell_nothing_and_equal_ones_no_difference():
    assert permutation_p(np.ones(1), np.arange(5.0)) is None
    assert permutation_p(np.ones(4), np.ones(5)) == 1.0
    assert permutation_p(np.zeros(4), np.ones(5)) == pytest.approx(1 / 126)


def test_nothing_is_found_in_nothing_even_where_the_spread_differs(monkeypatch):
    monkeypatch.setattr(two_groups, "DRAWS", 499)
    generator = np.random.default_rng(3)
    found = [
        permutation_p(generator.standard_normal(30), 2 * generator.standard_normal(12)) < 0.05
        for _ in range(300)
    ]
    assert np.mean(found) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
