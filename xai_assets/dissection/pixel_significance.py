"""Does a unit overlap a pixel label more than chance gives? A null from pairing images with others' labels."""

import numpy as np

from xai_assets.dissection.exchangeable import image_permutations
from xai_assets.dissection.significance import Significance, false_discovery_q, permutation_p, z_score
from xai_assets.errors import XaiError

__all__ = ["image_permutations", "pixel_significance"]

FEWEST = 3
"""Permutations: each null value is held against the spread of the others."""


def pixel_significance(observed: np.ndarray, null: np.ndarray, living: np.ndarray) -> Significance:
    """How far each unit's best IoU stands out from the best IoU under permutations of the images.

    A permutation lets every unit's on-region on an image meet the labels of another image. It breaks what a unit has
    to do with what is in the picture and leaves alone where in the frame the unit is on, how large and how clustered
    its regions are, how often each label occurs, and that the best of many labels is taken. So it says whether a unit
    follows the pictures' content at all, and not that it was trained to. The permutations are those of
    `exchangeable.image_permutations`: images of one photograph move together.

    p-values below 1 / (r + 1) need more values than a unit's own r permutations. Each null value is therefore put in
    standard deviations of the same unit's other null values, and those of all living units of the layer are taken
    together, r times their number: it is assumed that nulls differ between units in place and width and not in shape.
    (Leaving the value itself out of its mean and deviation matters: with it, none of 20 values could lie more than
    4.25 deviations out, and p would come out too small.) A unit whose null does not vary is compared with its own
    null and has no z.

    Args:
        observed: (u,), each unit's best IoU with its images' own labels.
        null: (r, u), the same under each permutation.
        living: bool (u,).

    Raises:
        XaiError: fewer than three permutations.
    """
    null = np.asarray(null, np.float64)
    if len(null) < FEWEST:
        raise XaiError("the null", f"it has {len(null)} permutations", f"Take at least {FEWEST}, better 20.")
    z = z_score(observed, null)
    varying = living & np.isfinite(z)
    p = permutation_p(observed, null)
    if varying.any():
        p[varying] = permutation_p(z[varying], _standardised(null[:, varying]).ravel())
    return Significance(null.mean(axis=0), null.std(axis=0, ddof=1), z, p, false_discovery_q(p, living))


def _standardised(null: np.ndarray) -> np.ndarray:
    """Each value less the mean of its column's others, in their sample standard deviation: float64 (r, u)."""
    count = len(null)
    centred = null - null.mean(axis=0)
    others = -centred / (count - 1)  # mean of the others
    squares = (centred**2).sum(axis=0) - centred**2 - (count - 1) * others**2
    spread = np.sqrt(np.maximum(squares, 0) / (count - 2))
    apart = centred - others
    # Where all the others are one value, the one that differs is as far out as can be.
    return np.divide(apart, spread, out=np.sign(apart) * np.finfo(np.float64).max, where=spread > 0)
