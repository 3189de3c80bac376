"""Paired tests against scipy."""

import numpy as np
import pytest
from scipy import stats

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.paired_tests import DRAWS, NEGLIGIBLE, paired_test, rank_biserial, sign_flip_p


@pytest.mark.parametrize("n", [5, 9, 13])
def test_it_is_scipys_permutation_test(n):
    generator = np.random.default_rng(n)
    a, b = generator.normal(0.4, 1, n), generator.normal(0, 1, n)
    theirs = stats.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    assert sign_flip_p(a - b) == pytest.approx(theirs.pvalue)


def test_with_many_pairs_it_draws_and_comes_near():
    generator = np.random.default_rng(0)
    differences = generator.normal(0.3, 1, 40)
    theirs = stats.ttest_1samp(differences, 0).pvalue  # normal differences: the t test is right as well
    assert sign_flip_p(differences, seed=1) == pytest.approx(theirs, abs=0.02)
    assert sign_flip_p(differences, seed=1) == sign_flip_p(differences, seed=1)
    assert sign_flip_p(np.ones(40)) == 1 / (DRAWS + 1)


def test_under_no_difference_p_is_below_alpha_as_often_as_alpha():
    generator = np.random.default_rng(0)
    found = np.array([sign_flip_p(generator.normal(size=8)) for _ in range(600)])
    for alpha in (0.05, 0.2, 0.5):
        assert np.mean(found <= alpha) == pytest.approx(alpha, abs=3 * np.sqrt(alpha / 600))


def test_the_effect_is_that_of_wilcoxons_ranks():
    generator = np.random.default_rng(3)
    differences = np.round(generator.normal(0.3, 1, 15), 1)  # with ties and perhaps zeros
    some = differences[differences != 0]
    positive = stats.wilcoxon(some, alternative="greater", method="asymptotic").statistic
    total = len(some) * (len(some) + 1) / 2
    assert rank_biserial(differences) == pytest.approx((2 * positive - total) / total)
    assert rank_biserial(np.array([1.0, 2.0])) == 1
    assert rank_biserial(np.array([-1.0, -2.0])) == -1
    assert rank_biserial(np.zeros(3)) is None


def test_what_could_not_be_measured_is_left_out_of_all_and_counted():
    found = paired_test([0.5, None, 0.7, 0.9], [0.4, 0.1, float("nan"), 0.5])
    assert (found.difference.n, found.difference.excluded) == (2, 2)
    assert found.p == 0.5  # of the four patterns of signs two reach the observed sum
    assert found.effect == 1
    assert found.standardised == pytest.approx(0.25 / np.std([0.1, 0.4], ddof=1))
    alone = paired_test([0.5], [0.4])
    assert (alone.p, alone.standardised, alone.effect) == (None, None, 1)
    same = paired_test([0.5, 0.5], [0.5, 0.5])
    assert (same.p, same.standardised, same.effect) == (1, None, None)
    with pytest.raises(EvaluationError, match="pairs"):
        paired_test([1, 2], [1])


def test_differences_that_only_a_rounding_makes_are_none():
    assert sign_flip_p(np.full(12, NEGLIGIBLE / 2)) == 1
    assert rank_biserial(np.full(12, NEGLIGIBLE / 2)) is None
    assert sign_flip_p(np.full(12, 2 * NEGLIGIBLE)) == 2 / 2**12


def test_a_low_precision_changes_no_p():
    differences = np.random.default_rng(6).normal(size=10).astype(np.float32)
    assert sign_flip_p(differences) == sign_flip_p(differences.astype(np.float64))
