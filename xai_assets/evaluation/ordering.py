"""In which order pixels are taken away. Ties are broken by a field that favours no place, the same for all methods.

Maps tie often: a class activation map is 0 over wide areas, a LIME map has one value a superpixel, a constant map has
nothing else. Breaking ties by position would favour the upper left corner. Breaking them pixel by pixel would strew
salt and pepper over the tied area, which upsets a network more than the same number of pixels in one piece, and would
punish maps that tie. So ties are broken by smooth noise: tied areas go blob by blob, as those of smooth maps do.
"""

import numpy as np

from xai_assets.evaluation.cases import check_shape
from xai_assets.evaluation.controls import random_smooth
from xai_assets.evaluation.errors import EvaluationError


def tie_field(view: np.ndarray, *, seed: int, image_id: str = "") -> np.ndarray:
    """Smooth noise of the view's size (h w 3 -> h w float32): one draw for all maps of an image.

    It is another draw than the random control of the same seed and image.
    """
    return random_smooth(view, seed=seed, image_id=f"ties of {image_id}")


def relevance_rank(values: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """Each pixel's place when the most relevant goes first: h w int64, a permutation of 0..h·w - 1.

    Args:
        values: h w, a raw map. Only its order counts.
        ties: h w, by which pixels of one value are ordered, the highest first.

    Raises:
        EvaluationError: different shapes, or values that are not finite.
    """
    check_shape(values, ties)
    if not (np.isfinite(values).all() and np.isfinite(ties).all()):
        raise EvaluationError(
            "a map whose pixels are to be put in order",
            "has values that are not finite",
            "Leave it out and count it; AttributionMap.usable says which.",
        )
    order = np.lexsort((-ties.ravel(), -values.ravel()))
    rank = np.empty(values.size, dtype=np.int64)
    rank[order] = np.arange(values.size)
    return rank.reshape(values.shape)


def removed(rank: np.ndarray, fraction: float, *, most_relevant_first: bool) -> np.ndarray:
    """Which pixels are gone once a fraction of them is (0..1, to the nearest pixel): h w int64 -> h w bool."""
    count = round(fraction * rank.size)
    return rank < count if most_relevant_first else rank >= rank.size - count
