"""Regression by a Gaussian process on a fixed set of points, of which some are known.

Rasmussen & Williams 2006, Gaussian Processes for Machine Learning, chapters 2 and 5, ISBN 978-0-262-18253-9.

    k(x, x') = s² (exp(-|x - x'|² / 2 l²) + a <u(x), u(x')> + b),   u: x less its mean, or other features of it

plus noise of variance s² v on every value, known or not: what is predicted are values, not the function behind them.
Of the hyperparameters s² has a closed form; the others are the most likely of a small grid, so that the same values give
the same bytes. Everything is float64.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.linalg import cholesky, solve_triangular

LENGTHS = (0.3, 0.5, 0.8, 1.4)
"""Length scales l, in units of the root mean square distance of two points."""

SLOPES = (0.0, 1.0, 10.0)
"""Variances a of the linear part, against 1 of the smooth part."""

NOISES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Variances v of the noise, against 1 of the smooth part."""

_OFFSET = 5.0
"""Variance b of the constant: wide against values that are scaled to a variance of 1."""

_JITTER = 1e-9


@dataclass(frozen=True)
class Posterior:
    """What is known of the values at all points, as if none of them were known already.

    Attributes:
        mean: k float64.
        deviation: k float64, standard deviations.
    """

    mean: np.ndarray
    deviation: np.ndarray
    _unit: float
    _noise: float
    _half: np.ndarray
    _prior: "_Prior"

    def covariance(self, some: np.ndarray) -> np.ndarray:
        """Of some points (n indices): n n float64."""
        half = self._half[:, some]
        return self._unit * (
            self._prior.between(some, some) - half.T @ half + self._noise * np.eye(len(some))
        )


@dataclass(frozen=True)
class _Prior:
    """The kernel with s² = 1 on points and their `rising` (k d and k e, both spread evenly)."""

    points: np.ndarray
    rising: np.ndarray
    length: float
    slope: float

    def between(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        a, b = self.points[some], self.points[others]
        far = np.maximum((a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T, 0)
        return (
            np.exp(-far / (2 * self.length**2))
            + self.slope * (self.rising[some] @ self.rising[others].T)
            + _OFFSET
        )

    def at(self) -> np.ndarray:
        return 1 + self.slope * (self.rising**2).sum(axis=1) + _OFFSET


class GaussianProcess:
    """A Gaussian process on points (k d float64).

    Args:
        points: what the smooth part depends on.
        rising: what the linear part depends on (k e float64); the points when None.
    """

    def __init__(self, points: np.ndarray, rising: np.ndarray | None = None) -> None:
        self._points = _evenly(points)
        self._rising = self._points if rising is None else _evenly(rising)

    def given(self, known: np.ndarray, values: np.ndarray) -> Posterior:
        """The posterior where some points (n different indices) have values (n float64), n at least 2."""
        centre, unit = float(values.mean()), float(values.std()) or 1.0
        scaled = (values - centre) / unit
        best: tuple[float, _Prior, float, np.ndarray, np.ndarray, float] | None = None
        for length, slope in product(LENGTHS, SLOPES):
            prior = _Prior(self._points, self._rising, length, slope)
            kernel = prior.between(known, known)
            for noise in NOISES:
                root = cholesky(kernel + noise * np.eye(len(known)), lower=True)
                white = solve_triangular(root, scaled, lower=True)
                variance = max(float(white @ white) / len(known), _JITTER)
                likelihood = -0.5 * len(known) * np.log(variance) - np.log(np.diag(root)).sum()
                if best is None or likelihood > best[0]:
                    best = likelihood, prior, noise, root, white, variance
        assert best is not None
        _, prior, noise, root, white, variance = best
        half = solve_triangular(root, prior.between(known, np.arange(len(self._points))), lower=True)  # n k
        left = np.maximum(prior.at() - (half**2).sum(axis=0), 0)
        return Posterior(
            centre + unit * (white @ half),
            unit * np.sqrt(variance * (left + noise)),
            unit**2 * variance,
            noise,
            half,
            prior,
        )


def _evenly(points: np.ndarray) -> np.ndarray:
    """About their mean, and in a scale in which two of them are 1 apart, in the root mean square."""
    centred = points - points.mean(axis=0)
    spread = np.sqrt(2 * float((centred**2).sum(axis=1).mean()))
    return centred / spread if spread > 0 else centred
