"""The overlap of two maps' highest pixels, as many of each: what is left when neither threshold plays a part."""

from collections.abc import Sequence

import numpy as np

from xai_assets.evaluation.cases import check_shape
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.overlap import expected_iou

AREAS = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of the frame of the sweep."""


def iou_at_area(a: np.ndarray, b: np.ndarray, area: float) -> float | None:
    """IoU of the highest pixels of two maps (h w), this share of the frame of each, 0..1.

    Where values tie at a cut, each of the tied pixels counts with the share of them that is needed: the expected
    intersection when both maps' ties are broken at random, over the union of that expectation. None where the share
    comes to no pixel.

    Raises:
        EvaluationError: different shapes, a share outside 0..1, values that are not finite.
    """
    check_shape(a, b)
    if not 0 <= area <= 1:
        raise EvaluationError("an area", f"must be a share of the frame, and is {area}", "Give 0..1.")
    count = round(area * a.size)
    if not count:
        return None
    common = float((_highest(a, count) * _highest(b, count)).sum())
    return common / (2 * count - common)


def sweep(a: np.ndarray, b: np.ndarray, areas: Sequence[float] = AREAS) -> list[dict[str, float | None]]:
    """`area`, `iou` and `chance_iou` (of independent masks of that area) at each of the areas; arguments as above."""
    return [
        {"area": area, "iou": iou_at_area(a, b, area), "chance_iou": expected_iou(area, area)}
        for area in areas
    ]


def _highest(values: np.ndarray, count: int) -> np.ndarray:
    """float64 (h w): 1 for the highest pixels, and for those that tie at the cut the share of them that is needed."""
    if not np.isfinite(values).all():
        raise EvaluationError("a map", "has values that are not finite", "Leave it out, and say so.")
    cut = np.partition(values, values.size - count, axis=None)[values.size - count]
    above, tied = values > cut, values == cut
    return above + tied * ((count - np.count_nonzero(above)) / np.count_nonzero(tied))
