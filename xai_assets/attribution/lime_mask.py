"""The mask that `lime` draws: the superpixels that say most about a class."""

import numpy as np

from xai_assets.attribution.lime_surrogate import Surrogate


def superpixel_mask(
    segments: np.ndarray,
    surrogate: Surrogate,
    *,
    num_features: int = 5,
    positive_only: bool = True,
    negative_only: bool = False,
    min_weight: float = 0.0,
) -> np.ndarray:
    """The mask of `ImageExplanation.get_image_and_mask`, with its defaults.

    Args:
        segments: h w int, superpixels from 0.
        surrogate: whose superpixels are shown.
        num_features: at most so many superpixels.
        positive_only: those that speak for the class.
        negative_only: those that speak against it; with neither, the largest of either sign.
        min_weight: leave out smaller ones.

    Returns:
        h w int64: 1 on superpixels that are shown, 0 elsewhere; -1 on those that speak against the class where both
        signs are shown.

    Raises:
        ValueError: both `positive_only` and `negative_only`.
    """
    if positive_only and negative_only:
        raise ValueError("a mask shows superpixels for the class only, against it only, or both")
    weights = surrogate.weights[surrogate.used]
    if positive_only or negative_only:
        signed = weights if positive_only else -weights
        shown = surrogate.used[(signed > 0) & (signed > min_weight)][:num_features]
        return np.isin(segments, shown).astype(np.int64)
    largest = surrogate.used[:num_features]
    values = np.zeros(len(surrogate.weights), dtype=np.int64)
    kept = largest[np.abs(surrogate.weights[largest]) >= min_weight]
    values[kept] = np.where(surrogate.weights[kept] < 0, -1, 1)
    return values[segments]
