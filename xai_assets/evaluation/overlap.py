"""How far two masks overlap, what chance gives, and what could be had at most.

Masks are bool arrays of one shape, in one frame. Ratios are None where there is nothing to divide by: two
empty masks neither agree nor disagree.
"""

import numpy as np

from xai_assets.evaluation.errors import EvaluationError


def iou(a: np.ndarray, b: np.ndarray) -> float | None:
    """Intersection over union (Jaccard 1912), |a & b| / |a | b|, in 0..1; None when both masks are empty.

    Raises:
        EvaluationError: shapes that differ, or arrays that are not bool.
    """
    _check(a, b)
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else None


def dice(a: np.ndarray, b: np.ndarray) -> float | None:
    """Dice coefficient (1945), 2 |a & b| / (|a| + |b|), in 0..1; None when both masks are empty.

    It is 2 iou / (1 + iou): the same order, in other units.

    Raises:
        EvaluationError: shapes that differ, or arrays that are not bool.
    """
    _check(a, b)
    total = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * np.count_nonzero(a & b) / total if total else None


def expected_iou(p: float, q: float) -> float | None:
    """The IoU to expect of two independent random masks of densities p and q (shares of the frame, 0..1).

    p q / (p + q - p q), the ratio of the expected intersection to the expected union: 1/3 for two half-image
    masks. For masks of more than a few dozen pixels the expected ratio is this within a percent. None when
    both are 0.
    """
    _check_densities(p, q)
    union = p + q - p * q
    return p * q / union if union else None


def max_attainable(p: float, q: float) -> float | None:
    """The largest IoU that masks of densities p and q can have: min / max, one inside the other.

    None when both are 0.
    """
    _check_densities(p, q)
    return min(p, q) / max(p, q) if max(p, q) else None


def _check(a: np.ndarray, b: np.ndarray) -> None:
    if a.shape != b.shape:
        raise EvaluationError(
            "two masks",
            f"have shapes {a.shape} and {b.shape}",
            "Bring both into one frame before comparing them.",
        )
    if a.dtype != bool or b.dtype != bool:
        raise EvaluationError(
            "two masks",
            f"are {a.dtype} and {b.dtype}, not bool",
            "Make masks of maps by a binarisation policy.",
        )


def _check_densities(p: float, q: float) -> None:
    if not (0 <= p <= 1 and 0 <= q <= 1):
        raise EvaluationError(
            "densities", f"must lie in 0..1, and are {p} and {q}", "Give shares, not pixel counts."
        )
