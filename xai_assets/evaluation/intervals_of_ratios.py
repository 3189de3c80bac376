"""The confidence interval of a ratio of two sums over independent observations."""

import math
from collections.abc import Callable, Iterable

import numpy as np
from scipy import optimize, stats

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.intervals import (
    FEWEST,
    LEVEL,
    NONE_EQUAL,
    NONE_FEW,
    Interval,
    as_floats,
    skewness_of,
)

RATIO = "Fieller's, skewness-corrected t"
NONE_SPREAD = "none: the denominators cannot be told from 0"

_STEPS = 60
"""By a fifth longer each, from the standard error on: as far as 50 000 standard errors."""


def ratio_interval(
    numerators: Iterable[float], denominators: Iterable[float], *, level: float = LEVEL
) -> Interval:
    """The ratio of two sums over independent observations, with the ratios that the observations do not speak against.

    Fieller's theorem (1954, doi:10.1111/j.2517-6161.1954.tb00159.x): r is in the interval where 0 is in that of the mean
    of numerator - r * denominator, here with `mean_interval`'s correction for skewness. With denominators of 1 it is
    `mean_interval`. Where the denominators spread so far that their mean cannot be told from 0, it would be endless.

    Args:
        numerators: one an observation.
        denominators: one an observation, in the same order, at least 0; an observation with 0 is left out.

    Raises:
        EvaluationError: different lengths, or a negative denominator.
    """
    above, below = as_floats(numerators), as_floats(denominators)
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
    error = float((above - ratio * below).std(ddof=1)) / math.sqrt(n) / float(below.mean())
    if error <= 1e-12 * max(1.0, abs(ratio)):
        return Interval(ratio, None, None, n, excluded, NONE_EQUAL, level)
    quantile = float(stats.t.ppf((1 + level) / 2, n - 1))

    def beyond(candidate: float) -> float:
        return _transformed(above - candidate * below)

    low = _crossing(lambda candidate: beyond(candidate) - quantile, ratio, -error)
    high = _crossing(lambda candidate: beyond(candidate) + quantile, ratio, error)
    if low is None or high is None:
        return Interval(ratio, None, None, n, excluded, NONE_SPREAD, level)
    return Interval(ratio, low, high, n, excluded, RATIO, level)


def _transformed(values: np.ndarray) -> float:
    """The studentised mean after Hall's transformation: Student's t, nearly, where the true mean is 0."""
    n = len(values)
    error = float(values.std(ddof=1)) / math.sqrt(n)
    if error == 0:
        return math.copysign(1e9, float(values.mean()))
    t, a = float(values.mean()) / error, skewness_of(values) / math.sqrt(n)
    return t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6


def _crossing(function: Callable[[float], float], start: float, step: float) -> float | None:
    """Where a function changes its sign on the way from `start`, in growing steps; None where it does not."""
    at, sign = start, function(start) > 0
    for _ in range(_STEPS):
        if (function(at + step) > 0) is not sign:
            return float(optimize.brentq(function, at, at + step, xtol=1e-14 + 1e-12 * abs(step)))
        at, step = at + step, step * 1.2
    return None
