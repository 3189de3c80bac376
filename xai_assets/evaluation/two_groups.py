"""Whether the values of two groups of images differ in their mean, by a permutation test."""

import math
from itertools import combinations

import numpy as np

EXACT_UP_TO = 10_000
"""Divisions into two groups up to which every one is tried; for more they are drawn."""

DRAWS = 9_999
"""Divisions that are drawn; with the observed one 10 000, so that the smallest p is 0.0001."""

_CLOSE = 1e-9
_BLOCK = 4_000_000
"""Values held at once."""


def permutation_p(a: np.ndarray, b: np.ndarray, *, seed: int = 0) -> float | None:
    """Two-sided p of equal means, where each image could as well be of the other group.

    The statistic is Welch's t. So the test is exact where the groups are of one distribution, and in large groups also
    where their means alone are equal and not their spread (Janssen 1997, doi:10.1016/S0167-7152(97)00043-6).

    Args:
        a: values of the one group, finite.
        b: those of the other.
        seed: of the divisions where there are too many to try all.

    Returns:
        p; None where a group has fewer than two.
    """
    if min(len(a), len(b)) < 2:
        return None
    pooled = np.concatenate([a, b]).astype(np.float64)
    pooled -= pooled.mean()
    observed = abs(float(_statistic(pooled[None], len(a))[0]))
    if not observed:
        return 1.0
    if math.comb(len(pooled), len(a)) <= EXACT_UP_TO:
        found, extra = np.abs(_statistic(_every_division(pooled, len(a)), len(a))), 0
    else:
        found, extra = (
            np.abs(_drawn(pooled, len(a), seed)),
            1,
        )  # the observed one could have been drawn as well
    return float((np.count_nonzero(found >= observed * (1 - _CLOSE)) + extra) / (len(found) + extra))


def _statistic(values: np.ndarray, size: int) -> np.ndarray:
    """Welch's t of the first `size` columns against the others; infinite where neither group has any spread."""
    a, b = values[:, :size], values[:, size:]
    error = a.var(axis=1, ddof=1) / a.shape[1] + b.var(axis=1, ddof=1) / b.shape[1]
    difference = a.mean(axis=1) - b.mean(axis=1)
    none = error <= 1e-24 * max(1.0, float(np.abs(values).max()) ** 2)
    infinite = np.select([difference > 1e-12, difference < -1e-12], [np.inf, -np.inf], 0.0)
    return np.where(none, infinite, difference / np.sqrt(np.where(none, 1.0, error)))


def _every_division(values: np.ndarray, size: int) -> np.ndarray:
    n = len(values)
    chosen = np.array(list(combinations(range(n), size)), dtype=np.intp)
    rest = np.ones((len(chosen), n), bool)
    rest[np.arange(len(chosen))[:, None], chosen] = False
    others = np.tile(np.arange(n), (len(chosen), 1))[rest].reshape(len(chosen), n - size)
    return values[np.concatenate([chosen, others], axis=1)]


def _drawn(values: np.ndarray, size: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    rows = max(1, _BLOCK // len(values))
    return np.concatenate(
        [
            _statistic(generator.permuted(np.tile(values, (min(rows, DRAWS - start), 1)), axis=1), size)
            for start in range(0, DRAWS, rows)
        ]
    )
