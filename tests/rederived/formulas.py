"""Intervals, tests and corrections as their papers have them: nothing here is of `xai_assets`."""

import itertools
import math
from functools import cache

import numpy as np
from scipy import optimize, stats

LEVEL, ALPHA, FEWEST_VALUES = 0.95, 0.05, 5
ROUNDING = 1e-6
"""Differences that are smaller are none: the declared rule of the sign-flip test."""

NOTHING = (None, None)


def finite(values):
    given = np.array([np.nan if value is None else value for value in values], float)
    return given[np.isfinite(given)]


def equal(values):
    return np.ptp(values) <= 1e-12 * max(1.0, np.abs(values).max())


def cut(ends, bounds):
    return (None, None) if ends[0] is None else (max(ends[0], bounds[0]), min(ends[1], bounds[1]))


def hall(values, bounds=(-math.inf, math.inf)):
    """Hall 1992: g(T) = T + a T^2 / 3 + a^2 T^3 / 27 + a / 6, a = skewness / sqrt(n), solved for the quantiles."""
    values = finite(values)
    n = len(values)
    if n < FEWEST_VALUES or equal(values):
        return NOTHING
    a = stats.skew(values, bias=False) / math.sqrt(n)

    def end(quantile):
        # g rises everywhere, for its slope is (1 + a T / 3)^2.
        t = optimize.brentq(
            lambda t: t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6 - quantile, -1e3, 1e3, xtol=1e-13
        )
        return values.mean() - t * stats.sem(values)

    t = stats.t.ppf((1 + LEVEL) / 2, n - 1)
    return cut((end(t), end(-t)), bounds)


def fieller(above, below):
    """Fieller 1954: ratios r for which 0 is in Hall's interval of above - r * below."""
    n, ratio = len(above), above.sum() / below.sum()
    if n < FEWEST_VALUES or equal(above - ratio * below):
        return NOTHING
    step = stats.sem(above - ratio * below) / below.mean()

    def end(side):
        miss = lambda r: hall(above - r * below)[0 if side < 0 else 1]  # noqa: E731
        reach = next(reach for reach in 1.2 ** np.arange(60) if side * miss(ratio + side * reach * step) < 0)
        return optimize.brentq(miss, ratio, ratio + side * reach * step, xtol=1e-13)

    return end(-1), end(1)


def exact_share(successes, n):
    """Clopper & Pearson 1934; scipy has it for whole numbers, and the quantiles are the same for others."""
    if float(successes).is_integer() and float(n).is_integer():
        found = stats.binomtest(int(successes), int(n)).proportion_ci(LEVEL, method="exact")
        return found.low, found.high
    low = stats.beta.ppf((1 - LEVEL) / 2, successes, n - successes + 1) if successes > 1e-12 * n else 0.0
    high = stats.beta.ppf((1 + LEVEL) / 2, successes + 1, n - successes) if n - successes > 1e-12 * n else 1.0
    return low, high


def newcombe(a, ends_a, b, ends_b, bounds):
    """Newcombe 1998, method 10: the distances to the ends of each are added in squares."""
    if None in (*ends_a, *ends_b):
        return NOTHING
    low = a - b - math.sqrt((a - ends_a[0]) ** 2 + (ends_b[1] - b) ** 2)
    return cut((low, a - b + math.sqrt((ends_a[1] - a) ** 2 + (b - ends_b[0]) ** 2)), bounds)


def without_each(statistic, *samples):
    """The statistic of all samples without their first, second, ... observation."""
    n = len(samples[0])
    return np.array([statistic(*(np.delete(sample, i, axis=0) for sample in samples)) for i in range(n)])


def sign_flips(differences):
    """Fisher 1935, both sides, by scipy. Returns p, and how far a p of drawn patterns (more than 13 pairs) may be off."""
    differences = finite(differences)
    differences[np.abs(differences) < ROUNDING] = 0
    n = len(differences)
    if n < 2:
        return None, 0.0
    exact = n <= 13
    found = stats.permutation_test(
        (differences,),
        lambda x, axis: np.sum(x, axis=axis),
        permutation_type="samples",
        n_resamples=np.inf if exact else 19_999,
        vectorized=True,
        rng=np.random.default_rng(0),
    ).pvalue
    # Drawn by them and by us; two sides by symmetry are twice one side here.
    return float(found), 0.0 if exact else 5 * math.sqrt(2.5 * found * (1 - found / 2) / 9_999) + 1e-3


def repairings(matrix):
    """Every way to pair rows and columns of a matrix: how often the sum is as far from the mean as observed."""
    n = len(matrix)
    if n < 2:
        return None, 0.0
    sums = matrix[np.arange(n), _ways(n)].sum(axis=1)
    centre, scale = matrix.sum() / n, np.abs(matrix - matrix.mean()).max() * n
    p = float(np.mean(np.abs(sums - centre) >= abs(np.trace(matrix) - centre) - 1e-9 * scale))
    return p, 0.0 if n <= 7 else 5 * math.sqrt(1.5 * p * (1 - p) / 9_999) + 5e-4


@cache
def _ways(n):
    if n <= 7:
        return np.array(list(itertools.permutations(range(n))))
    generator = np.random.default_rng(1)
    return np.array([generator.permutation(n) for _ in range(20_000)])


def holm(p):
    """Holm 1979: the k-th smallest of m times m - k + 1, none below the one before; None is not of the family."""
    known = sorted((value, at) for at, value in enumerate(p) if value is not None)
    steps = np.maximum.accumulate([min(1.0, (len(known) - k) * value) for k, (value, _) in enumerate(known)])
    corrected = dict(zip((at for _, at in known), steps, strict=True))
    return [None if value is None else float(corrected[at]) for at, value in enumerate(p)]


def fewest(size, repaired):
    smallest = (lambda n: 1 / math.factorial(n)) if repaired else (lambda n: 2 / 2**n)
    return next(n for n in itertools.count(2) if max(1, size) * smallest(n) < ALPHA)


def answer(difference, p_holm):
    if p_holm is None or difference is None or p_holm >= ALPHA or difference == 0:
        return "cannot_tell"
    return "yes" if difference > 0 else "no"


def rank_biserial(differences):
    """Kerby 2014, of the pairs that differ."""
    some = finite(differences)
    some = some[np.abs(some) >= ROUNDING]
    if not len(some):
        return None
    ranks = stats.rankdata(np.abs(some))
    return float((ranks * np.sign(some)).sum() / ranks.sum())
