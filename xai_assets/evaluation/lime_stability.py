"""Whether LIME says the same again with other seeds (Visani, Bagli, Chesani, Poluzzi & Capuzzo 2022).

Both indices are shares in 0..1, where the paper has percent. In the paper each run selects its features; here, as the
surrogate of images uses every superpixel, a run's features are those of largest absolute weight.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from xai_assets.attribution.lime_regression import regress
from xai_assets.attribution.parameters import Linear
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.overlap import iou

NORMAL_95 = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution: the paper's intervals."""


def top_features(weights: np.ndarray, count: int) -> np.ndarray:
    """The features of largest absolute weight, `count` of them, of those that have any: int64.

    Of equal weights the lower number is first; features of weight 0 are no choice of the surrogate.
    """
    order = np.argsort(-np.abs(weights), kind="stable")[:count]
    return order[weights[order] != 0]


def variables_stability(runs: Sequence[np.ndarray], features: int) -> float | None:
    """The variables stability index (VSI): how many of the top features two runs share, over all pairs, 0..1.

    Args:
        runs: one a seed: weights (s float64) of the same superpixels.
        features: how many of largest weight.

    Returns:
        The mean over pairs of |common| / features; with fewer superpixels than that, over those there are. None
        where a run gives no feature any weight.

    Raises:
        EvaluationError: fewer than two runs, or runs of different numbers of superpixels.
    """
    _check(runs)
    count = min(features, len(runs[0]))
    chosen = [set(top_features(run, count).tolist()) for run in runs]
    if not all(chosen):
        return None
    return float(np.mean([len(a & b) / count for a, b in combinations(chosen, 2)]))


def coefficient_errors(rows: np.ndarray, scores: np.ndarray, weights: np.ndarray, alpha: float) -> np.ndarray:
    """Standard errors of the coefficients of a weighted ridge regression with an intercept: s float64.

    sigma² (X'WX + alpha I)⁻¹ X'WX (X'WX + alpha I)⁻¹ on columns about their weighted means, which is what the
    intercept leaves; sigma² is the weighted residual sum of least squares over n - s - 1 (the authors' code counts
    the intercept in the fit but not in the degrees of freedom, and does not take the means out).

    Args:
        rows: n s of 0 and 1, what each sample shows.
        scores: n float64, the model's answers for the class.
        weights: n float64, how much each sample counts.
        alpha: the penalty.

    Raises:
        EvaluationError: no more samples than coefficients.
    """
    samples = rows.astype(np.float64)
    n, s = samples.shape
    if n - s - 1 < 1:
        raise EvaluationError(
            "the intervals of LIME's coefficients",
            f"cannot be had from {n} samples of {s} superpixels",
            "Raise num_samples, or use fewer superpixels.",
        )
    coefficients, intercept = regress(samples, scores[:, None], weights, Linear())
    residual = scores - samples @ coefficients[:, 0] - intercept[0]
    variance = float(weights @ residual**2) / (n - s - 1)
    centred = samples - weights @ samples / weights.sum()
    normal = (centred * weights[:, None]).T @ centred  # s s
    inverse = np.linalg.inv(normal + alpha * np.eye(s))
    return np.sqrt(np.maximum(variance * np.diag(inverse @ normal @ inverse), 0))


def coefficients_stability(
    runs: Sequence[np.ndarray], errors: Sequence[np.ndarray], features: int
) -> float | None:
    """The coefficients stability index (CSI): how often two runs' intervals of a coefficient overlap, 0..1.

    For each superpixel that two runs or more have among their top features, the share of pairs of these runs whose
    95 % intervals overlap; the mean over such superpixels (the paper's definition, on the pairs that chose it). An
    index of 1 is no praise by itself: wide intervals overlap.

    Args:
        runs: one a seed: weights (s float64) of the same superpixels.
        errors: their standard errors (s float64).
        features: how many of largest weight a run chooses.

    Returns:
        None where no superpixel is chosen twice.

    Raises:
        EvaluationError: fewer than two runs, or arrays of different lengths.
    """
    _check(runs)
    _check([*runs, *errors])
    chosen = [set(top_features(run, features).tolist()) for run in runs]
    shares = []
    for feature in sorted(set().union(*chosen)):
        chosen_by = [number for number, some in enumerate(chosen) if feature in some]
        overlaps = [
            abs(runs[a][feature] - runs[b][feature]) < NORMAL_95 * (errors[a][feature] + errors[b][feature])
            or runs[a][feature] == runs[b][feature]
            for a, b in combinations(chosen_by, 2)
        ]
        if overlaps:
            shares.append(float(np.mean(overlaps)))
    return float(np.mean(shares)) if shares else None


def mean_pairwise_iou(masks: Sequence[np.ndarray]) -> float | None:
    """The mean IoU of every pair of masks (h w bool); None where a pair of them is empty.

    Raises:
        EvaluationError: fewer than two masks, or masks of different shapes.
    """
    _check([mask.ravel() for mask in masks])
    found = [iou(a, b) for a, b in combinations(masks, 2)]
    measured = [one for one in found if one is not None]
    return float(np.mean(measured)) if len(measured) == len(found) else None


def _check(runs: Sequence[np.ndarray]) -> None:
    lengths = {len(run) for run in runs}
    if len(runs) < 2 or len(lengths) > 1:
        raise EvaluationError(
            "runs of LIME",
            f"cannot be compared: {len(runs)} of {sorted(lengths)} values",
            "Give at least two runs on the same superpixels.",
        )
