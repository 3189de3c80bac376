"""Which superpixels the surrogate may use: the choices of `lime.lime_base`, without its loops of regressions."""

import numpy as np

from xai_assets.attribution.lime_regression import centred, ridge
from xai_assets.attribution.parameters import LimeParameters

_FORWARD_AT_MOST = 6
"""Up to so many features `auto` chooses by forward selection."""

_SELECTION_ALPHA = 0.01
"""Of the ridge whose coefficients are the highest weights."""

_SAME = 1e-10
"""Gains closer than this share of the largest are one: rounding must not choose between equal superpixels."""


def select(
    rows: np.ndarray, scores: np.ndarray, weights: np.ndarray, parameters: LimeParameters
) -> list[np.ndarray]:
    """The superpixels that each label's surrogate uses, in the order in which they were chosen.

    Args:
        rows: n s float64, 1 where a superpixel is shown.
        scores: n t float64, one column a label.
        weights: n float64, how much each sample counts.
        parameters: `num_features` and `feature_selection`.

    Returns:
        For each label the chosen superpixels, int64.
    """
    superpixels = rows.shape[1]
    count = min(parameters.num_features or superpixels, superpixels)
    how = parameters.feature_selection
    if how == "auto":
        how = "forward_selection" if count <= _FORWARD_AT_MOST else "highest_weights"
    labels = range(scores.shape[1])
    if how == "lasso_path":
        return [_lasso_path(rows, scores[:, label], weights, count) for label in labels]
    if how == "none" or count == superpixels:
        return [np.arange(superpixels)] * len(labels)
    if how == "forward_selection":
        return [_forward(rows, scores[:, label], weights, count) for label in labels]
    coefficients, _ = ridge(rows, scores, weights, _SELECTION_ALPHA)  # s t
    order = np.argsort(-np.abs(coefficients), axis=0, kind="stable")
    return [order[:count, label] for label in labels]


def _forward(rows: np.ndarray, scores: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """Add the superpixel that raises R2 most, again and again.

    The library fits one regression a candidate and step. R2 rises by (r·x)² / (x·x) / TSS, where x is what the chosen
    superpixels leave unexplained of the candidate and r what they leave of the scores; both are kept up to date.
    """
    candidates, left, _, _ = centred(rows, scores[:, None], weights)  # n s, n 1
    residual = left[:, 0]
    scale = np.einsum("ns,ns->s", candidates, candidates)
    chosen: list[int] = []
    for _ in range(count):
        squares = np.einsum("ns,ns->s", candidates, candidates)
        free = squares > 1e-12 * np.maximum(scale, np.finfo(float).tiny)
        gains = np.where(free, (residual @ candidates) ** 2 / np.where(free, squares, 1), 0.0)
        gains[chosen] = -1.0
        best = int(np.flatnonzero(gains >= gains.max() * (1 - _SAME))[0])
        chosen.append(best)
        if free[best]:
            direction = candidates[:, best] / np.sqrt(squares[best])
            residual = residual - direction * (direction @ residual)
            candidates = candidates - np.outer(direction, direction @ candidates)
    return np.array(chosen)


def _lasso_path(rows: np.ndarray, scores: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """The superpixels of the lasso's path at its last point that uses `count` of them or fewer."""
    from sklearn.linear_model import lars_path  # a second of import, for those who ask for it

    samples, left, _, _ = centred(rows, scores[:, None], weights)
    _, _, path = lars_path(samples, left[:, 0], method="lasso")  # s steps
    used = np.arange(rows.shape[1])
    for step in range(path.shape[1] - 1, 0, -1):
        used = np.flatnonzero(path[:, step])
        if len(used) <= count:
            break
    return used
