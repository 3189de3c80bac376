"""Whether one method is better than another on the same images, without a distribution assumed: test and effect sizes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.stats import binomtest, rankdata

from xai_assets.evaluation.intervals import UNBOUNDED, Bounds, Interval, paired_difference

EXACT_UP_TO = 13
"""Pairs up to which every sign pattern is tried, 8192 of them; for more they are drawn."""

DRAWS = 9_999
"""Sign patterns that are drawn; with the observed one 10 000, so that the smallest p is 0.0001."""

NEGLIGIBLE = 1e-6
"""Differences that are smaller count as none: the order in which a machine adds moves a probability by 3e-7."""

_BLOCK = 2_000_000
"""Signs held at once."""


@dataclass(frozen=True)
class PairedTest:
    """One comparison.

    Attributes:
        difference: of the means over images where both were measured, with its interval, n and exclusions.
        p: two-sided, of the sign-flip permutation test of a mean difference of 0; None for fewer than two pairs.
        effect: rank-biserial correlation of the pairs, -1..1: 1 where `a` is higher on every image; None where no
            pair differs.
        standardised: Cohen's d of the differences, their mean over their standard deviation; None where that is 0.
    """

    difference: Interval
    p: float | None
    effect: float | None
    standardised: float | None


def paired_test(
    a: Iterable[float | None], b: Iterable[float | None], *, seed: int = 0, bounds: Bounds = UNBOUNDED
) -> PairedTest:
    """Compare two methods on the same images.

    Args:
        a: one value an image, None or NaN where it could not be measured.
        b: the same images in the same order.
        seed: of the sign patterns where there are too many to try all.
        bounds: smallest and largest possible difference.

    Raises:
        EvaluationError: different lengths.
    """
    first = np.array([np.nan if value is None else value for value in a], dtype=np.float64)
    second = np.array([np.nan if value is None else value for value in b], dtype=np.float64)
    interval = paired_difference(first, second, bounds=bounds)
    differences = first - second
    differences = differences[np.isfinite(differences)]
    spread = float(differences.std(ddof=1)) if len(differences) > 1 else 0.0
    return PairedTest(
        interval,
        sign_flip_p(differences, seed=seed),
        rank_biserial(differences),
        float(differences.mean()) / spread if spread > 0 else None,
    )


def sign_flip_p(differences: np.ndarray, *, seed: int = 0) -> float | None:
    """Two-sided p of a mean difference of 0 when each pair's sign could as well be the other (Fisher 1935).

    Exact up to EXACT_UP_TO pairs; n pairs cannot give less than 2 / 2ⁿ. None for fewer than two. Differences below
    NEGLIGIBLE count as 0.
    """
    differences = np.asarray(differences, np.float64)
    differences = np.where(np.abs(differences) < NEGLIGIBLE, 0.0, differences)
    n = len(differences)
    if n < 2:
        return None
    if n <= EXACT_UP_TO:
        sums = _every_pattern(n) @ differences
        extra = 0
    else:
        generator = np.random.default_rng(seed)
        rows = max(1, _BLOCK // n)
        sums = np.concatenate(
            [
                generator.choice((-1.0, 1.0), size=(min(rows, DRAWS - start), n)) @ differences
                for start in range(0, DRAWS, rows)
            ]
        )
        extra = 1  # the observed pattern is one of those that could have been
    # Sums of the same numbers in another order differ in the last digits.
    observed = abs(float(differences.sum())) - 1e-12 * np.abs(differences).sum()
    return float((np.count_nonzero(np.abs(sums) >= observed) + extra) / (len(sums) + extra))


def mcnemar_p(a: np.ndarray, b: np.ndarray) -> float | None:
    """Two-sided p of equal shares of right answers on the same images (McNemar 1947, doi:10.1007/BF02295996), exact.

    Only images count on which one of the two alone is right: how these divide is binomial with 1/2. It is the sign-flip
    test of the differences at every n. None for fewer than two images.

    Args:
        a, b: bool (n,), whether each answer is right, the same images in the same order.
    """
    if len(a) < 2:
        return None
    only_a, only_b = int(np.count_nonzero(a & ~b)), int(np.count_nonzero(b & ~a))
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0


@cache
def _every_pattern(n: int) -> np.ndarray:
    """Every way to give n pairs their signs: float64 (2^n, n) of -1 and 1."""
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1) * 2.0 - 1.0


def rank_biserial(differences: np.ndarray) -> float | None:
    """The matched-pairs rank-biserial correlation (Kerby 2014), -1..1: ranks of the positive less the negative pairs.

    Pairs that do not differ are left out, as in Wilcoxon's test; None where all are.
    """
    some = differences[np.abs(differences) >= NEGLIGIBLE]
    if not len(some):
        return None
    ranks = rankdata(np.abs(some))
    return float((ranks[some > 0].sum() - ranks[some < 0].sum()) / ranks.sum())
