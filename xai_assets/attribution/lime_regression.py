"""Weighted linear regressions with an intercept, for several labels at once, and how well they fit.

All take samples x (n s float64), scores y (n t float64) and sample weights w (n float64), and minimise
sum_i w_i (y_i - b - x_i·c)² with a penalty on c but not on b; they give c (s t) and b (t).
"""

from typing import assert_never

import numpy as np
from scipy import linalg

from xai_assets.attribution.parameters import Lasso, Linear, ModelRegressor, Ridge

LEAST_EFFECTIVE = 3.0
"""Effective samples; through fewer a line goes exactly, whatever was explained."""


def regress(
    x: np.ndarray, y: np.ndarray, w: np.ndarray, how: ModelRegressor
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (s t) and intercepts (t) of the named regressor."""
    match how:
        case Ridge():
            return ridge(x, y, w, how.alpha)
        case Linear():
            samples, scores, x_mean, y_mean = centred(x, y, w)
            coefficients = np.linalg.lstsq(samples, scores)[0]
            return coefficients, y_mean - x_mean @ coefficients
        case Lasso():
            return _lasso(x, y, w, how.alpha)
        case _:
            assert_never(how)


def ridge(x: np.ndarray, y: np.ndarray, w: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """The penalty is alpha |c|²: scikit-learn's Ridge, one Cholesky factor for all labels."""
    samples, scores, x_mean, y_mean = centred(x, y, w)
    normal = samples.T @ samples  # s s
    normal.flat[:: len(normal) + 1] += alpha
    coefficients = linalg.cho_solve(linalg.cho_factor(normal, overwrite_a=True), samples.T @ scores)
    return coefficients, y_mean - x_mean @ coefficients


def centred(
    x: np.ndarray, y: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Samples and scores about their weighted means, times the root of their weights; and the means."""
    x_mean, y_mean = _mean(x, w), _mean(y, w)
    root = np.sqrt(w)[:, None]
    return (x - x_mean) * root, (y - y_mean) * root, x_mean, y_mean


def r_squared(y: np.ndarray, predicted: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The share of each label's weighted variance that is explained (t), at most 1; NaN where that says nothing.

    That is where a score does not vary, of which scikit-learn says 1 or 0, and where so few samples count that any
    model meets them.
    """
    variance = w @ (y - _mean(y, w)) ** 2
    missed = w @ (y - predicted) ** 2
    explained = 1 - missed / np.where(variance > 0, variance, 1)
    return np.where((variance > 0) & (effective_samples(w) >= LEAST_EFFECTIVE), explained, np.nan)


def effective_samples(w: np.ndarray) -> float:
    """How many samples of full weight the weighted ones amount to, (Σw)² / Σw²."""
    return float(w.sum() ** 2 / (w**2).sum())


def _mean(values: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Weighted mean of each column; of one that does not vary its value, not that and a remainder of rounding."""
    return np.where(values.min(axis=0) == values.max(axis=0), values[0], w @ values / w.sum())


def _lasso(x: np.ndarray, y: np.ndarray, w: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import Lasso as SklearnLasso  # a second of import, for those who ask for it

    fits = [SklearnLasso(alpha=alpha).fit(x, column, sample_weight=w) for column in y.T]
    return np.stack([fit.coef_ for fit in fits], axis=1), np.array([fit.intercept_ for fit in fits])
