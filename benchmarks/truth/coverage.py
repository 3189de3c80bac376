"""How often the intervals of `xai_assets.evaluation.intervals` hold the true value: every kind, five distributions.

Values in 0..1 have these bounds. Clusters have 1 to 12 units, and two units of a cluster have the same value half the
time. Where an interval is refused (all values are equal) the trial counts as none, not as a miss: `without`.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xai_assets.evaluation import intervals
from xai_assets.evaluation.intervals import Interval
from xai_assets.evaluation.intervals_of_clusters import clustered_mean, clustered_share
from xai_assets.evaluation.intervals_of_ratios import ratio_interval

NUMBERS = (5, 10, 12, 30)
SIZES = np.array([1, 1, 2, 3, 5, 12])
"""Units of a cluster, each as likely."""

SAME = 0.5
"""How often a unit has its cluster's value; the intra-cluster correlation is the square of it."""

Draw = Callable[[np.random.Generator, Any], np.ndarray]


DISTRIBUTIONS: dict[str, tuple[Draw, float, intervals.Bounds]] = {
    "normal": (lambda generator, size: generator.normal(0.3, 1, size), 0.3, intervals.UNBOUNDED),
    "beta(6, 2)": (lambda generator, size: generator.beta(6, 2, size), 0.75, (0, 1)),
    "beta(0.6, 2.4), skewed": (lambda generator, size: generator.beta(0.6, 2.4, size), 0.2, (0, 1)),
    "lognormal": (
        lambda generator, size: generator.lognormal(0, 1, size),
        float(np.exp(0.5)),
        intervals.UNBOUNDED,
    ),
    "Bernoulli(0.9)": (lambda generator, size: (generator.random(size) < 0.9).astype(float), 0.9, (0, 1)),
}
"""How values are drawn, their mean, and their bounds."""

PROPORTION = "Bernoulli(0.9)"


def coverage(trials: int, numbers: Sequence[int] = NUMBERS) -> list[dict[str, Any]]:
    """One row a kind, distribution and n: `covered`, its standard error `se`, `without`, and the median `width`.

    Args:
        trials: samples drawn for each row.
        numbers: the n.
    """
    found = []
    for kind, (sample, only) in _KINDS.items():
        for place, distribution in enumerate(DISTRIBUTIONS):
            if only is not None and (distribution == PROPORTION) is not only:
                continue
            for n in numbers:
                generator = np.random.default_rng([n, place, len(kind)])
                made = [sample(generator, distribution, n) for _ in range(trials)]
                found.append({"kind": kind, "distribution": distribution, "n": n, **_counted(made)})
    return found


def _counted(made: list[tuple[Interval, float]]) -> dict[str, float | int]:
    ends = [(one.low, one.high, true) for one, true in made if one.low is not None and one.high is not None]
    total = len(ends)
    covered = sum(low <= true <= high for low, high, true in ends) / total if total else float("nan")
    return {
        "covered": covered,
        "se": float(np.sqrt(max(covered * (1 - covered), 1 / total) / total)) if total else float("nan"),
        "without": 1 - total / len(made),
        "width": float(np.median([high - low for low, high, _ in ends])) if total else float("nan"),
    }


def _mean(generator: np.random.Generator, distribution: str, n: int) -> tuple[Interval, float]:
    draw, true, bounds = DISTRIBUTIONS[distribution]
    return intervals.mean_interval(draw(generator, n), bounds=bounds), true


def _share(generator: np.random.Generator, distribution: str, n: int) -> tuple[Interval, float]:
    draw, true, _ = DISTRIBUTIONS[distribution]
    return intervals.share_interval(draw(generator, n)), true


def _paired(generator: np.random.Generator, distribution: str, n: int) -> tuple[Interval, float]:
    """Two values an image, the second with half the mean, so that the difference keeps some skewness."""
    draw, true, _ = DISTRIBUTIONS[distribution]
    a, b = draw(generator, (2, n))
    half = b * (generator.random(n) < 0.5) if distribution == PROPORTION else b / 2
    return intervals.paired_difference(a, half), true / 2


def _ratio(generator: np.random.Generator, distribution: str, n: int) -> tuple[Interval, float]:
    draw, true, _ = DISTRIBUTIONS[distribution]
    below = generator.uniform(0.5, 1.5, n)
    return ratio_interval(draw(generator, n) * below, below), true


def _clusters(
    generator: np.random.Generator, distribution: str, n: int
) -> tuple[np.ndarray, np.ndarray, float, intervals.Bounds]:
    draw, true, bounds = DISTRIBUTIONS[distribution]
    names = np.repeat(np.arange(n), generator.choice(SIZES, n))
    shared, own = draw(generator, n)[names], draw(generator, len(names))
    return np.where(generator.random(len(names)) < SAME, shared, own), names, true, bounds


def _clustered_mean(generator: np.random.Generator, distribution: str, n: int) -> tuple[Interval, float]:
    values, names, true, bounds = _clusters(generator, distribution, n)
    return clustered_mean(values, names, bounds=bounds), true


def _clustered_share(generator: np.random.Generator, distribution: str, n: int) -> tuple[Interval, float]:
    values, names, true, _ = _clusters(generator, distribution, n)
    return clustered_share(values, names), true


def _difference(generator: np.random.Generator, distribution: str, n: int) -> tuple[Interval, float]:
    one = _share if distribution == PROPORTION else _mean
    a, b = (one(generator, distribution, n)[0] for _ in range(2))
    return intervals.difference_of(a, b), 0.0


_KINDS: dict[str, tuple[Callable[[np.random.Generator, str, int], tuple[Interval, float]], bool | None]] = {
    "mean": (_mean, False),
    "share": (_share, True),
    "paired difference": (_paired, None),
    "ratio": (_ratio, False),
    "clustered mean": (_clustered_mean, False),
    "clustered share": (_clustered_share, True),
    "difference of two numbers": (_difference, None),
}
"""The kinds, and of which distributions: proportions only (True), all but them (False), or all (None)."""
