"""Confidence intervals, one for each kind of number; each says its method and its n.

The kinds were chosen by their coverage in simulations (`benchmarks.truth`, docs/truth.md). At 10 and 12 images a nominal
95 % of a mean, paired difference, proportion or difference of two numbers covers at least 0.93 for normal and beta
distributed values and for proportions, and at least 0.90 for skewed ones; that of a ratio or a clustered mean covers 0.91
to 0.95. Strongly skewed values (lognormal) are covered less often by every kind. Nothing here is random.
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

SKEWED = "skewness-corrected t"
PROPORTION = "Clopper-Pearson"
RATIO = "jackknife t"
CLUSTERED = "jackknife t over clusters"
CLUSTERED_SHARE = "Clopper-Pearson at the effective sample size"
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
    kept, excluded = _finite(values)
    n = len(kept)
    mean = float(kept.mean()) if n else None
    if mean is None or n < FEWEST:
        return Interval(mean, None, None, n, excluded, NONE_FEW, level)
    # The mean of equal numbers can differ from them in the last digit.
    if np.ptp(kept) <= 1e-12 * max(1.0, float(np.abs(kept).max())):
        return Interval(mean, None, None, n, excluded, NONE_EQUAL, level)
    deviation = float(kept.std(ddof=1))
    skewness = float(np.mean((kept - mean) ** 3)) * n**2 / ((n - 1) * (n - 2)) / deviation**3
    quantile = float(stats.t.ppf((1 + level) / 2, n - 1))
    error = deviation / math.sqrt(n)
    low = mean - _without_skewness(quantile, skewness, n) * error
    high = mean - _without_skewness(-quantile, skewness, n) * error
    return _within(Interval(mean, low, high, n, excluded, SKEWED, level), bounds)


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
    kept, excluded = _finite(values)
    n = len(kept)
    if n and (kept.min() < 0 or kept.max() > 1):
        raise EvaluationError("a share", f"is outside 0 to 1: {kept.min()} to {kept.max()}", "Use a mean.")
    if n < 2:
        return Interval(float(kept[0]) if n else None, None, None, n, excluded, NONE_FEW, level)
    low, high = _clopper_pearson(float(kept.sum()), float(n), level)
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
    first, second = _as_floats(a), _as_floats(b)
    if first.shape != second.shape:
        raise EvaluationError(
            "a paired difference",
            f"needs pairs, and got {len(first)} and {len(second)} values",
            "Align them by image.",
        )
    return mean_interval(first - second, bounds=bounds, level=level)


def ratio_interval(
    numerators: Iterable[float], denominators: Iterable[float], *, level: float = LEVEL
) -> Interval:
    """The ratio of two sums over independent observations, with a jackknife interval (Student's t, n - 1).

    Quenouille and Tukey's jackknife (Miller 1974, doi:10.1093/biomet/61.1.1): each observation is left out once.

    Args:
        numerators: one an observation.
        denominators: one an observation, in the same order, at least 0.

    Raises:
        EvaluationError: different lengths, or a negative denominator.
    """
    above, below = _as_floats(numerators), _as_floats(denominators)
    if above.shape != below.shape or (below < 0).any():
        raise EvaluationError(
            "a ratio", "needs a denominator of at least 0 for each numerator", "Align the two."
        )
    used = np.isfinite(above) & np.isfinite(below) & (below > 0)
    excluded, above, below = int((~used).sum()), above[used], below[used]
    n = len(above)
    ratio = float(above.sum() / below.sum()) if n else None
    if ratio is None or n < FEWEST:
        return Interval(ratio, None, None, n, excluded, NONE_FEW, level)
    error = _jackknife_error(above, below)
    if error <= 1e-12 * max(1.0, abs(ratio)):
        return Interval(ratio, None, None, n, excluded, NONE_EQUAL, level)
    reach = float(stats.t.ppf((1 + level) / 2, n - 1)) * error
    return Interval(ratio, ratio - reach, ratio + reach, n, excluded, RATIO, level)


def clustered_mean(
    values: Iterable[float | None],
    clusters: Iterable[object],
    *,
    bounds: Bounds = UNBOUNDED,
    level: float = LEVEL,
) -> Interval:
    """The mean of values that come in clusters, such as units that have one word: the cluster is the observation.

    Each cluster is left out once (`ratio_interval` of its sum and its size). `n` counts clusters, `excluded` values.

    Args:
        values: one a unit; None and NaN are counted and left out.
        clusters: of each value, what it shares with the others of its cluster.
        bounds: smallest and largest possible value.

    Raises:
        EvaluationError: different lengths.
    """
    sums, sizes, excluded = _by_cluster(values, clusters)
    found = replace(ratio_interval(sums, sizes, level=level), excluded=excluded)
    if found.low is None:
        return found
    return _within(replace(found, method=CLUSTERED), bounds)


def clustered_share(
    values: Iterable[float | None], clusters: Iterable[object], *, level: float = LEVEL
) -> Interval:
    """The proportion of units for which something holds (0 or 1), where units come in clusters.

    Clopper and Pearson's interval at the effective sample size (Korn and Graubard 1998, Survey Methodology 24:193-201):
    the number of independent units that would make a standard error as large as the jackknife over clusters finds, at
    most the number of units. Where all units are alike, it is the number of clusters.

    Raises:
        EvaluationError: different lengths, or a value outside 0..1.
    """
    sums, sizes, excluded = _by_cluster(values, clusters)
    if ((sums < 0) | (sums > sizes)).any():
        raise EvaluationError("a share", "has values outside 0 to 1", "Use `clustered_mean`.")
    n, units = len(sums), float(sizes.sum())
    share = float(sums.sum() / units) if n else None
    if share is None or n < 2:
        return Interval(share, None, None, n, excluded, "none: fewer than 2 clusters", level)
    error = _jackknife_error(sums, sizes)
    effective = min(units, share * (1 - share) / error**2) if 0 < share < 1 and error > 0 else float(n)
    # Fewer degrees of freedom than units make the interval wider (Korn and Graubard's equation 3).
    freedom = stats.t.ppf((1 + level) / 2, units - 1) / stats.t.ppf((1 + level) / 2, n - 1)
    effective *= float(freedom) ** 2
    low, high = _clopper_pearson(share * effective, effective, level)
    return Interval(share, low, high, n, excluded, CLUSTERED_SHARE, level)


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
    return _within(Interval(difference, low, high, n, excluded, DIFFERENCE, a.level), bounds)


def _without_skewness(quantile: float, skewness: float, n: int) -> float:
    """The value of the studentised mean that Hall's transformation takes to `quantile`."""
    slope = skewness / (3 * math.sqrt(n))
    shifted = quantile - skewness / (6 * math.sqrt(n))
    if abs(slope) < 1e-9:
        return shifted
    return (float(np.cbrt(1 + 3 * slope * shifted)) - 1) / slope


def _clopper_pearson(successes: float, n: float, level: float) -> Bounds:
    tail = (1 - level) / 2
    least = 1e-12 * n  # of less the beta distribution's quantile overflows, and is 0 or 1
    low = float(stats.beta.ppf(tail, successes, n - successes + 1)) if successes > least else 0.0
    high = float(stats.beta.ppf(1 - tail, successes + 1, n - successes)) if n - successes > least else 1.0
    return low, high


def _jackknife_error(above: np.ndarray, below: np.ndarray) -> float:
    """Standard error of Σ above / Σ below, each observation left out once."""
    n = len(above)
    left = (above.sum() - above) / (below.sum() - below)
    return math.sqrt(float((n - 1) / n * ((left - left.mean()) ** 2).sum()))


def _by_cluster(
    values: Iterable[float | None], clusters: Iterable[object]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Sum and size of each cluster (in order of first appearance), and how many values were left out."""
    given, names = _as_floats(values), list(clusters)
    if len(given) != len(names):
        raise EvaluationError(
            "values in clusters",
            f"need one cluster each, and got {len(given)} and {len(names)}",
            "Align them by unit.",
        )
    sums: dict[object, float] = {}
    sizes: dict[object, int] = {}
    for value, name in zip(given, names, strict=True):
        if np.isfinite(value):
            sums[name] = sums.get(name, 0.0) + float(value)
            sizes[name] = sizes.get(name, 0) + 1
    excluded = len(given) - sum(sizes.values())
    return np.array(list(sums.values())), np.array([float(size) for size in sizes.values()]), excluded


def _within(found: Interval, bounds: Bounds) -> Interval:
    assert found.low is not None and found.high is not None
    return replace(found, low=max(found.low, bounds[0]), high=min(found.high, bounds[1]))


def _finite(values: Iterable[float | None]) -> tuple[np.ndarray, int]:
    given = _as_floats(values)
    kept = given[np.isfinite(given)]
    return kept, len(given) - len(kept)


def _as_floats(values: Iterable[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in values], dtype=np.float64)
