"""Confidence intervals of means, proportions and differences; each says its method and its n.

Those of ratios are in `intervals_of_ratios`, those of units that come in clusters in `intervals_of_clusters`. All kinds
were chosen by their coverage in simulations (`benchmarks.truth`, docs/truth.md). At 10 and 12 images a nominal
95 % covers at least 0.93 for normal and beta distributed values and for proportions, and at least 0.90 for skewed ones,
whatever its kind. Strongly skewed values (lognormal) are covered less often by every kind, as are skewed ones where there
are fewer than TRUSTED. Nothing here is random.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from xai_assets.evaluation.errors import EvaluationError

LEVEL = 0.95
"""Nominal coverage of every interval."""

FEWEST = 5
"""Values that an interval needs: of fewer, no kind covers skewed values nearly as often as it says."""

TRUSTED = 10
"""Observations from which on the coverage that is promised was found in simulations."""

SKEWED = "skewness-corrected t"
PROPORTION = "Clopper-Pearson"
DIFFERENCE = "Newcombe's hybrid of both intervals"
NONE_FEW = f"none: fewer than {FEWEST} values"
NONE_EQUAL = "none: all values are equal"

Bounds = tuple[float, float]
UNBOUNDED: Bounds = (-math.inf, math.inf)


@dataclass(frozen=True)
class Interval:
    """A number with its confidence interval.

    Attributes:
        mean: the mean, proportion, ratio or difference; None when nothing is left to average.
        low: lower end of the interval; None where `method` begins with "none".
        high: its upper end.
        n: independent observations: images, or clusters of units.
        excluded: values that could not be measured (None or NaN) and were left out.
        method: how the interval was made, or why there is none.
        level: its nominal coverage.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    excluded: int
    method: str
    level: float = LEVEL


def mean_interval(
    values: Iterable[float | None], *, bounds: Bounds = UNBOUNDED, level: float = LEVEL
) -> Interval:
    """The mean of values of different images, with a t interval that is corrected for skewness.

    Hall's third-degree transformation of the studentised mean (1992, doi:10.1111/j.2517-6161.1992.tb01876.x), inverted
    at the quantiles of Student's t. For values without skewness it is the t interval. Ends are cut to `bounds`, the
    range of what is measured. Values that are all equal have no interval: they say nothing about their spread.

    Args:
        values: one an image; None and NaN are counted and left out.
        bounds: smallest and largest possible value.
        level: nominal coverage, 0..1.
    """
    kept, excluded = finite(values)
    n = len(kept)
    mean = float(kept.mean()) if n else None
    if mean is None or n < FEWEST:
        return Interval(mean, None, None, n, excluded, NONE_FEW, level)
    # The mean of equal numbers can differ from them in the last digit.
    if np.ptp(kept) <= 1e-12 * max(1.0, float(np.abs(kept).max())):
        return Interval(mean, None, None, n, excluded, NONE_EQUAL, level)
    quantile = float(stats.t.ppf((1 + level) / 2, n - 1))
    error, skewness = float(kept.std(ddof=1)) / math.sqrt(n), skewness_of(kept)
    low = mean - _without_skewness(quantile, skewness, n) * error
    high = mean - _without_skewness(-quantile, skewness, n) * error
    return within(Interval(mean, low, high, n, excluded, SKEWED, level), bounds)


def share_interval(values: Iterable[float | None], *, level: float = LEVEL) -> Interval:
    """The mean of values in 0..1 that are mostly 0 or 1, with the interval of a proportion.

    The exact interval of Clopper and Pearson (1934, doi:10.1093/biomet/26.4.404): it covers at least as often as it
    says, at every n. An image with several classes may have a value between 0 and 1; its spread is then smaller than
    that of a proportion, so that the interval is rather too wide.

    Args:
        values: one an image, 0..1; None and NaN are counted and left out.
        level: nominal coverage, 0..1.

    Raises:
        EvaluationError: a value outside 0..1.
    """
    kept, excluded = finite(values)
    n = len(kept)
    if n and (kept.min() < 0 or kept.max() > 1):
        raise EvaluationError("a share", f"is outside 0 to 1: {kept.min()} to {kept.max()}", "Use a mean.")
    if n < 2:
        return Interval(float(kept[0]) if n else None, None, None, n, excluded, NONE_FEW, level)
    low, high = clopper_pearson(float(kept.sum()), float(n), level)
    return Interval(float(kept.mean()), low, high, n, excluded, PROPORTION, level)


def paired_difference(
    a: Iterable[float | None],
    b: Iterable[float | None],
    *,
    bounds: Bounds = UNBOUNDED,
    level: float = LEVEL,
) -> Interval:
    """The mean of a - b over images where both were measured, with its interval (`mean_interval`).

    The two must be in the same order of images. Pairing takes out what makes an image easy or hard for both.

    Raises:
        EvaluationError: different lengths.
    """
    first, second = as_floats(a), as_floats(b)
    if first.shape != second.shape:
        raise EvaluationError(
            "a paired difference",
            f"needs pairs, and got {len(first)} and {len(second)} values",
            "Align them by image.",
        )
    return mean_interval(first - second, bounds=bounds, level=level)


def difference_of(a: Interval, b: Interval, *, bounds: Bounds = UNBOUNDED) -> Interval:
    """The difference of two numbers of different things, such as units of two networks, from their intervals.

    Newcombe's hybrid (1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I): the distances of each
    number to the ends of its own interval are combined. `n` is that of the smaller side; `excluded` counts both.
    """
    n, excluded = min(a.n, b.n), a.excluded + b.excluded
    if a.mean is None or b.mean is None:
        return Interval(None, None, None, n, excluded, "none: one side was not measured", a.level)
    difference = a.mean - b.mean
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Interval(difference, None, None, n, excluded, "none: one side has no interval", a.level)
    low = difference - math.hypot(a.mean - a.low, b.high - b.mean)
    high = difference + math.hypot(a.high - a.mean, b.mean - b.low)
    return within(Interval(difference, low, high, n, excluded, DIFFERENCE, a.level), bounds)


def skewness_of(values: np.ndarray) -> float:
    """The sample's third standardised moment, corrected for its size."""
    n, deviation = len(values), float(values.std(ddof=1))
    third = float(np.mean((values - values.mean()) ** 3))
    return third * n**2 / ((n - 1) * (n - 2)) / deviation**3 if deviation > 0 else 0.0


def _without_skewness(quantile: float, skewness: float, n: int) -> float:
    """The value of the studentised mean that Hall's transformation takes to `quantile`."""
    slope = skewness / (3 * math.sqrt(n))
    shifted = quantile - skewness / (6 * math.sqrt(n))
    if abs(slope) < 1e-9:
        return shifted
    return (float(np.cbrt(1 + 3 * slope * shifted)) - 1) / slope


def clopper_pearson(successes: float, n: float, level: float) -> Bounds:
    """The exact interval of a proportion; successes and n need not be whole numbers."""
    tail = (1 - level) / 2
    least = 1e-12 * n  # of less the beta distribution's quantile overflows, and is 0 or 1
    low = float(stats.beta.ppf(tail, successes, n - successes + 1)) if successes > least else 0.0
    high = float(stats.beta.ppf(1 - tail, successes + 1, n - successes)) if n - successes > least else 1.0
    return low, high


def within(found: Interval, bounds: Bounds) -> Interval:
    """The interval, which has ends, cut to `bounds`."""
    assert found.low is not None and found.high is not None
    return replace(found, low=max(found.low, bounds[0]), high=min(found.high, bounds[1]))


def finite(values: Iterable[float | None]) -> tuple[np.ndarray, int]:
    """The values that were measured, as float64, and how many were not."""
    given = as_floats(values)
    kept = given[np.isfinite(given)]
    return kept, len(given) - len(kept)


def as_floats(values: Iterable[float | None]) -> np.ndarray:
    """The values as float64, NaN for None."""
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
