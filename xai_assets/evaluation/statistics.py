"""A mean over images with its interval, its n, and what was left out. Seeded: repeatable to the byte."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from xai_assets.evaluation.errors import EvaluationError

RESAMPLES = 10_000
"""Enough that the interval's ends move in the third digit only when the seed changes."""

_BLOCK = 2_000_000
"""Resampled values held at once."""


@dataclass(frozen=True)
class Interval:
    """A mean over images.

    Attributes:
        mean: None when nothing is left to average.
        low: lower end of the percentile bootstrap interval; None when fewer than two values are left.
        high: its upper end.
        n: values that were averaged.
        excluded: values that could not be measured (None or NaN) and were left out.
        level: the interval's nominal coverage. With a dozen images the percentile interval is somewhat too
            narrow.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    excluded: int
    level: float = 0.95


def bootstrap_mean(
    values: Iterable[float | None], *, seed: int = 0, level: float = 0.95, resamples: int = RESAMPLES
) -> Interval:
    """The mean with its percentile bootstrap interval (Efron 1979): images are redrawn with replacement."""
    given = _as_floats(values)
    kept = given[np.isfinite(given)]
    n, excluded = len(kept), len(given) - len(kept)
    if n < 2:
        return Interval(float(kept[0]) if n else None, None, None, n, excluded, level)
    means = _resampled_means(kept, np.random.default_rng(seed), resamples)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(kept.mean()), float(low), float(high), n, excluded, level)


def difference_of_means(
    a: Iterable[float | None],
    b: Iterable[float | None],
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of `a` less the mean of `b` where the two are of different things, such as units of two networks.

    Each side is redrawn on its own. `n` is that of the smaller side; `excluded` counts both.
    """
    generator = np.random.default_rng(seed)
    first, second = _as_floats(a), _as_floats(b)
    excluded = int((~np.isfinite(first)).sum() + (~np.isfinite(second)).sum())
    first, second = first[np.isfinite(first)], second[np.isfinite(second)]
    n = min(len(first), len(second))
    mean = float(first.mean() - second.mean()) if n else None
    if n < 2:
        return Interval(mean, None, None, n, excluded, level)
    differences = _resampled_means(first, generator, resamples) - _resampled_means(
        second, generator, resamples
    )
    low, high = np.quantile(differences, [(1 - level) / 2, (1 + level) / 2])
    return Interval(mean, float(low), float(high), n, excluded, level)


def paired_difference(
    a: Iterable[float | None],
    b: Iterable[float | None],
    *,
    seed: int = 0,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The mean of a - b over images where both were measured, with its interval.

    The two must be in the same order of images. Pairing takes out what makes an image easy or hard for both.

    Raises:
        EvaluationError: different lengths.
    """
    first, second = _as_floats(a), _as_floats(b)
    if first.shape != second.shape:
        raise EvaluationError(
            "a paired difference",
            f"needs pairs, and got {len(first)} and {len(second)} values",
            "Align them by image.",
        )
    return bootstrap_mean(first - second, seed=seed, level=level, resamples=resamples)


def _resampled_means(values: np.ndarray, generator: np.random.Generator, resamples: int) -> np.ndarray:
    """Means of `resamples` redraws with replacement, float64 (resamples,)."""
    n = len(values)
    rows = max(1, _BLOCK // n)
    return np.concatenate(
        [
            values[generator.integers(0, n, size=(min(rows, resamples - start), n))].mean(axis=1)
            for start in range(0, resamples, rows)
        ]
    )


def _as_floats(values: Iterable[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
