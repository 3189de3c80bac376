"""Intervals: scipy, statsmodels' formulas by hand, coverage, exclusions, pairing, bounds."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xai_assets.evaluation import intervals
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.intervals import (
    FEWEST,
    NONE_EQUAL,
    NONE_FEW,
    difference_of,
    mean_interval,
    paired_difference,
    share_interval,
)
from xai_assets.evaluation.intervals_of_clusters import (
    CLUSTERED,
    CLUSTERED_SHARE,
    clustered_mean,
    clustered_share,
)
from xai_assets.evaluation.intervals_of_ratios import NONE_SPREAD, RATIO, ratio_interval

SYMMETRIC = np.array([-3.0, -2, -1, 0, 1, 2, 3, 4, -4])


def test_values_without_skewness_have_students_interval():
    found = mean_interval(SYMMETRIC)
    low, high = stats.t.interval(0.95, len(SYMMETRIC) - 1, 0, stats.sem(SYMMETRIC))
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))


def test_skewed_values_have_halls_interval():
    """Hall's g(T) = T + a T² / 3 + a² T³ / 27 + a / 6 n of the ends are Student's quantiles, a = skewness / √n."""
    values = np.random.default_rng(2).exponential(size=12)
    n, found = len(values), mean_interval(values)
    a = stats.skew(values, bias=False) * (n - 2) / math.sqrt(n * (n - 1)) * n**2 / ((n - 1) * (n - 2))
    a *= (np.std(values) / np.std(values, ddof=1)) ** 3 / math.sqrt(n)
    for end, quantile in ((found.low, 0.975), (found.high, 0.025)):
        t = (values.mean() - end) / stats.sem(values)
        assert t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6 == pytest.approx(stats.t.ppf(quantile, n - 1))
    assert found.high - found.mean > found.mean - found.low


DISTRIBUTIONS = {
    "normal": (lambda g, size: g.normal(3, 1, size), 3.0, 0.93),
    "beta": (lambda g, size: g.beta(6, 2, size), 0.75, 0.93),
    "skewed": (lambda g, size: g.beta(0.6, 2.4, size), 0.2, 0.90),
}


@pytest.mark.parametrize("n", [10, 12])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_interval_of_a_mean_covers(name, n):
    draw, truth, least = DISTRIBUTIONS[name]
    samples = draw(np.random.default_rng(n), (2000, n))
    found = [mean_interval(values) for values in samples]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= least


@pytest.mark.parametrize("n", [2, 5, 10, 12, 30])
@pytest.mark.parametrize("p", [0.02, 0.5, 0.9])
def test_the_interval_of_a_share_is_scipys_exact_one_and_covers(n, p):
    covered = 0.0
    for k in range(n + 1):
        found = share_interval([1.0] * k + [0.0] * (n - k))
        theirs = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        assert (found.low, found.high) == (pytest.approx(theirs.low), pytest.approx(theirs.high))
        covered += stats.binom.pmf(k, n, p) * (found.low <= p <= found.high)
    assert covered >= 0.95


def test_what_could_not_be_measured_is_left_out_and_counted():
    found = mean_interval([0.2, None, 0.4, float("nan"), np.nan, 0.6])
    assert (found.n, found.excluded, found.low) == (3, 3, None)
    assert found.mean == pytest.approx(0.4)
    assert (share_interval([1, None, 0]).n, share_interval([1, None, 0]).excluded) == (2, 1)


def test_too_few_or_equal_values_have_no_interval_and_say_why():
    assert (mean_interval([]).mean, mean_interval([]).method) == (None, NONE_FEW)
    few = mean_interval([0.1] * (FEWEST - 2) + [0.5])
    assert (few.low, few.high, few.method) == (None, None, NONE_FEW)
    equal = mean_interval([0.71] * 12)
    assert (equal.mean, equal.low, equal.method) == (pytest.approx(0.71), None, NONE_EQUAL)
    assert ratio_interval([1.0] * 6, [2.0] * 6).method == NONE_EQUAL


def test_ends_stay_within_what_can_be():
    values = [0.99, 1.0, 1.0, 1.0, 0.7, 0.98]
    assert mean_interval(values).high > 1
    assert mean_interval(values, bounds=(0, 1)).high == 1


@given(st.lists(st.floats(0, 1), min_size=FEWEST, max_size=20))
def test_an_interval_holds_its_mean_and_grows_with_its_level(values):
    found, wide = mean_interval(values), mean_interval(values, level=0.99)
    if found.low is None:
        assert np.ptp(values) < 1e-9
    else:
        assert wide.low <= found.low <= found.mean <= found.high <= wide.high
    share = share_interval(values)
    assert 0 <= share.low <= share.mean <= share.high <= 1


def test_pairing_takes_out_what_is_hard_for_both():
    generator = np.random.default_rng(1)
    hard = generator.uniform(0, 1, 30)
    found = paired_difference(hard + generator.normal(0.05, 0.001, 30), hard)
    assert found.mean == pytest.approx(0.05, abs=0.001)
    assert found.high - found.low < 0.01 < mean_interval(hard).high - mean_interval(hard).low


def test_a_pair_with_one_side_missing_is_left_out():
    found = paired_difference([0.5, None, 0.7], [0.4, 0.1, None])
    assert (found.n, found.excluded) == (1, 2)
    assert found.mean == pytest.approx(0.1)
    with pytest.raises(EvaluationError, match="3 and 2"):
        paired_difference([1, 2, 3], [1, 2])


def test_a_ratio_is_that_of_the_sums_and_its_ends_are_ratios_that_the_values_do_not_speak_against():
    generator = np.random.default_rng(3)
    below = generator.uniform(1, 3, 15)
    above = 0.4 * below + generator.gamma(2, 0.1, 15)
    found = ratio_interval(above, below)
    assert found.mean == pytest.approx(above.sum() / below.sum())
    for end, side in ((found.low, "low"), (found.high, "high")):
        inside = mean_interval(above - end * below)
        assert (inside.low if side == "low" else inside.high) == pytest.approx(0, abs=1e-9)
    whole, plain = ratio_interval(above, np.ones(15)), mean_interval(above)
    assert (whole.low, whole.high) == (pytest.approx(plain.low), pytest.approx(plain.high))
    with pytest.raises(EvaluationError, match="denominator"):
        ratio_interval([1.0], [-1.0])


def test_a_ratio_over_denominators_that_may_be_nothing_has_no_interval():
    found = ratio_interval([1.0, 0, 2, 0.5, 3, 1], [1e-6, 50, 1e-6, 1e-6, 1e-6, 1e-6])
    assert (found.low, found.high, found.method) == (None, None, NONE_SPREAD)
    assert found.mean == pytest.approx(7.5 / 50, rel=1e-3)


def test_fiellers_interval_of_normal_values_is_the_textbooks():
    """Without skewness the ends are the roots of a quadratic, here of values that mirror each other."""
    a, b = np.array([5.0, 6, 7, 8, 9, 10, 11]), np.array([2.0, 2.2, 1.8, 2.0, 2.2, 1.8, 2.0])
    t, n = stats.t.ppf(0.975, 6), 7
    (saa, sab), (_, sbb) = np.cov(a, b) / n
    roots = np.roots(
        [b.mean() ** 2 - t**2 * sbb, -2 * (a.mean() * b.mean() - t**2 * sab), a.mean() ** 2 - t**2 * saa]
    )
    found = ratio_interval(a, b)
    assert (found.low, found.high) == (
        pytest.approx(min(roots), rel=0.02),
        pytest.approx(max(roots), rel=0.02),
    )


def of_clusters(generator, clusters=40, spread=0.2):
    """Units that have the mean of their cluster, all of them: 0.5 in the long run."""
    sizes = generator.integers(1, 12, clusters)
    means = generator.normal(0.5, spread, clusters)
    return np.repeat(means, sizes), np.repeat(np.arange(clusters), sizes)


def test_units_of_one_cluster_are_one_observation():
    generator = np.random.default_rng(4)
    found = [clustered_mean(*of_clusters(generator)) for _ in range(400)]
    assert np.mean([one.low <= 0.5 <= one.high for one in found]) >= 0.92
    values, clusters = of_clusters(generator)
    naive, clustered = mean_interval(values), clustered_mean(values, clusters)
    assert clustered.n == 40
    assert clustered.high - clustered.low > 1.5 * (naive.high - naive.low)
    with pytest.raises(EvaluationError, match="2 and 1"):
        clustered_mean([1, 2], ["a"])


def test_clusters_of_one_size_have_students_interval_and_a_large_one_costs_freedom():
    means = np.random.default_rng(8).normal(size=9)
    alike = clustered_mean(np.repeat(means, 4), np.repeat(np.arange(9), 4))
    low, high = stats.t.interval(0.95, 8, means.mean(), stats.sem(means))
    assert (alike.low, alike.high) == (pytest.approx(low), pytest.approx(high))
    sizes = [1, 2, 3, 4, 5, 6, 20]
    values, names = np.repeat(means[:7], sizes), np.repeat(np.arange(7), sizes)
    found, share = clustered_mean(values, names), np.array(sizes) / sum(sizes)
    left = [np.average(np.delete(means[:7], i), weights=np.delete(sizes, i)) for i in range(7)]
    error = math.sqrt(6 / 7 * sum((one - np.mean(left)) ** 2 for one in left))
    # Of residuals over 1 - share, whose covariance has the trace and the squared trace of Bell and McCaffrey.
    covariance = (np.diag(share) - np.outer(share, share)) / np.outer(1 - share, 1 - share)
    freedom = np.trace(covariance) ** 2 / (covariance**2).sum()
    assert freedom < 4
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, freedom) * error)
    few = clustered_mean([1.0, 2, 3], ["a", "b", "c"])
    assert (few.mean, few.low, few.method) == (2, None, NONE_FEW)
    assert clustered_mean([1.0] * 8, list("aabbccde")).method == NONE_EQUAL


def test_a_share_of_units_knows_its_clusters():
    generator = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        sizes = generator.integers(1, 12, 40)
        holds = np.repeat(generator.random(40) < 0.3, sizes)
        one = clustered_share(holds.astype(float), np.repeat(np.arange(40), sizes))
        covered.append(one.low <= 0.3 <= one.high)
    assert np.mean(covered) >= 0.93
    none = clustered_share([0.0] * 60, [at // 3 for at in range(60)])
    assert (none.mean, none.low, none.n) == (0, 0, 20)
    assert none.high == pytest.approx(share_interval([0.0] * 20).high, abs=0.02)
    alone = clustered_share([1.0] * 7, ["word"] * 7)
    assert alone.low is None


def test_a_difference_of_two_networks_combines_their_intervals():
    a, b = share_interval([1.0] * 30 + [0.0] * 30), share_interval([1.0] * 6 + [0.0] * 54)
    found = difference_of(a, b)
    assert found.mean == pytest.approx(0.4)
    assert found.low == pytest.approx(0.4 - math.hypot(a.mean - a.low, b.high - b.mean))
    nothing = difference_of(a, mean_interval([]))
    assert (nothing.mean, nothing.low) == (None, None)
    assert difference_of(a, mean_interval([0.5])).low is None


def test_every_kind_says_what_it_is():
    values, clusters = of_clusters(np.random.default_rng(0))
    said = {
        mean_interval(SYMMETRIC).method, share_interval([0, 1]).method, ratio_interval(SYMMETRIC, [1.0] * 9).method,
        clustered_mean(values, clusters).method, clustered_share(values > 0.5, clusters).method,
    }  # fmt: skip
    assert said == {
        intervals.SKEWED, intervals.PROPORTION, RATIO, CLUSTERED, CLUSTERED_SHARE
    }  # fmt: skip
