"""What is left of the class score when an image shows only where the map is high (Chattopadhyay et al. 2018)."""

import numpy as np

from xai_assets.attribution.scaling import is_constant, scale
from xai_assets.evaluation.cases import check_shape
from xai_assets.evaluation.errors import EvaluationError

ROUNDING = 1e-5
"""A probability's rise that counts for none: one picture in batches of other sizes was seen to differ by 5e-7."""


def seen_through(image: np.ndarray, values: np.ndarray) -> np.ndarray:
    """The image (h w 3 float32) times the map (h w), which is scaled from its minimum to its maximum onto 0..1.

    The paper multiplies pixels; here, as in grad-cam's `CamMultImageConfidenceChange`, what is multiplied is the
    normalised input, so that pixels fade to the mean colour of the normalisation and not to black. A constant map
    hides nothing.

    Raises:
        EvaluationError: different shapes, or a map that is not finite.
    """
    check_shape(image[..., 0], values)
    if not np.isfinite(values).all():
        raise EvaluationError(
            "a map that an image is seen through",
            "has values that are not finite",
            "Leave it out and count it; AttributionMap.usable says which.",
        )
    mask = np.ones(values.shape, dtype=np.float32) if is_constant(values) else scale(values)
    return image * mask[..., None]


def average_drop(full: float, seen: float) -> float | None:
    """By what share of it the probability falls, max(0, full - seen) / full, in 0..1; None where it was 0.

    The paper's Average Drop is the mean of this over images, times 100. A map that hides nothing has the best value,
    0: the number means something beside those of the controls only.
    """
    return max(0.0, full - seen) / full if full > 0 else None


def increase_in_confidence(full: float, seen: float) -> float:
    """1 where the probability is higher than that of the whole image, by more than ROUNDING, else 0.

    The paper's Increase in Confidence is the mean of this over images, times 100.
    """
    return float(seen > full + ROUNDING)
