"""Confidence intervals of units that come in clusters, such as units of one word: the cluster is the observation."""

import math
from collections.abc import Iterable

import numpy as np
from scipy import stats

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.intervals import (
    FEWEST,
    LEVEL,
    NONE_EQUAL,
    NONE_FEW,
    UNBOUNDED,
    Bounds,
    Interval,
    as_floats,
    clopper_pearson,
    within,
)

CLUSTERED = "jackknife t over clusters"
CLUSTERED_SHARE = "Clopper-Pearson at the effective sample size"


def clustered_mean(
    values: Iterable[float | None],
    clusters: Iterable[object],
    *,
    bounds: Bounds = UNBOUNDED,
    level: float = LEVEL,
) -> Interval:
    """The mean of values that come in clusters, such as units that have one word: the cluster is the observation.

    Each cluster is left out once (the jackknife of Quenouille and Tukey, Miller 1974, doi:10.1093/biomet/61.1.1), and
    Student's t has the degrees of freedom of Bell and McCaffrey (2002, Survey Methodology 28:169-181) for independent
    units: n - 1 for clusters of one size, and fewer where some are large. `n` counts clusters, `excluded` values.

    Args:
        values: one a unit; None and NaN are counted and left out.
        clusters: of each value, what it shares with the others of its cluster.
        bounds: smallest and largest possible value.
        level: nominal coverage, 0..1.

    Raises:
        EvaluationError: different lengths.
    """
    sums, sizes, excluded = _by_cluster(values, clusters)
    n = len(sums)
    mean = float(sums.sum() / sizes.sum()) if n else None
    if mean is None or n < FEWEST:
        return Interval(mean, None, None, n, excluded, NONE_FEW, level)
    error = _jackknife_error(sums, sizes)
    if error <= 1e-12 * max(1.0, abs(mean)):
        return Interval(mean, None, None, n, excluded, NONE_EQUAL, level)
    reach = float(stats.t.ppf((1 + level) / 2, _freedom(sizes))) * error
    return within(Interval(mean, mean - reach, mean + reach, n, excluded, CLUSTERED, level), bounds)


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
    low, high = clopper_pearson(share * effective, effective, level)
    return Interval(share, low, high, n, excluded, CLUSTERED_SHARE, level)


def _freedom(sizes: np.ndarray) -> float:
    """Degrees of freedom of the jackknife over clusters, at least 1: (Σ u)² / (Σ u² + (Σ u²)² - Σ u⁴).

    u = h / (1 - h) where h is a cluster's share of the units: Bell and McCaffrey's for a variance that grows with size.
    """
    share = sizes / sizes.sum()
    odds = share / (1 - share)
    squares = float((odds**2).sum())
    return max(1.0, float(odds.sum()) ** 2 / (squares + squares**2 - float((odds**4).sum())))


def _jackknife_error(above: np.ndarray, below: np.ndarray) -> float:
    """Standard error of Σ above / Σ below, each observation left out once."""
    n = len(above)
    left = (above.sum() - above) / (below.sum() - below)
    return math.sqrt(float((n - 1) / n * ((left - left.mean()) ** 2).sum()))


def _by_cluster(
    values: Iterable[float | None], clusters: Iterable[object]
) -> tuple[np.ndarray, np.ndarray, int]:
    """Sum and size of each cluster (in order of first appearance), and how many values were left out."""
    given, names = as_floats(values), list(clusters)
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
