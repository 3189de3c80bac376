"""Where in the original image the evidence of a map lies, and how much of it lies elsewhere in another map.

Evidence is the positive part of a raw map, as in the energy-based pointing game (`ranking.energy_in_mask`).
"""

import numpy as np

from xai_assets.attribution.maps import AttributionMap
from xai_assets.evaluation.cases import check_shape


def evidence_centre(found: AttributionMap) -> tuple[float, float] | None:
    """The centre of mass of a map's evidence in the original: x and y as shares of its width and height, 0..1.

    None of a map without a positive value, or with values that are not finite.
    """
    mass = _evidence(found.values)
    if mass is None:
        return None
    (height, width), (top, left, bottom, right) = found.frame.original, found.frame.box
    rows, columns = mass.shape
    y = float(mass.sum(axis=1) @ (np.arange(rows) + 0.5)) / rows
    x = float(mass.sum(axis=0) @ (np.arange(columns) + 0.5)) / columns
    return (left + x * (right - left)) / width, (top + y * (bottom - top)) / height


def moved_share(a: np.ndarray, b: np.ndarray) -> float | None:
    """How much of the evidence lies elsewhere: the total variation distance of two maps of one frame, 0..1.

    0 where both are the same but for a factor, 1 where no pixel has evidence in both. None where one of them has none.

    Args:
        a, b: h w float, raw.
    """
    check_shape(a, b)
    first, second = _evidence(a), _evidence(b)
    return None if first is None or second is None else float(np.abs(first - second).sum() / 2)


def _evidence(values: np.ndarray) -> np.ndarray | None:
    """The positive part, h w float64 of sum 1."""
    positive = np.maximum(values.astype(np.float64), 0)
    total = float(positive.sum())
    return positive / total if np.isfinite(total) and total > 0 else None
