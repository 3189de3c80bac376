"""Cutting a view into superpixels, by name."""

from typing import assert_never

import numpy as np
from skimage import segmentation

from xai_assets.attribution.parameters import Felzenszwalb, Grid, Quickshift, Segmentation, Slic


def segment(view: np.ndarray, how: Segmentation, *, seed: int = 0) -> np.ndarray:
    """The superpixels of a view.

    Args:
        view: h w 3 uint8.
        how: the segmentation and its parameters.
        seed: breaks ties in quickshift; the others have no chance in them.

    Returns:
        h w int64, labels from 0 without gaps (scikit-image's slic starts at 1 unless told otherwise, and
        LIME would then never hide the last superpixel). How many there are is up to the segmentation and the
        view.
    """
    match how:
        case Slic():
            labels = segmentation.slic(
                view, n_segments=how.n_segments, compactness=how.compactness, sigma=how.sigma, start_label=0
            )
        case Quickshift():
            labels = segmentation.quickshift(
                view,
                kernel_size=how.kernel_size,
                max_dist=how.max_dist,
                ratio=how.ratio,
                sigma=how.sigma,
                rng=seed,
            )
        case Felzenszwalb():
            labels = segmentation.felzenszwalb(view, scale=how.scale, sigma=how.sigma, min_size=how.min_size)
        case Grid():
            labels = _grid(view.shape[0], view.shape[1], how)
        case _:
            assert_never(how)
    _, dense = np.unique(labels, return_inverse=True)
    return dense.reshape(view.shape[:2]).astype(np.int64)


def _grid(height: int, width: int, how: Grid) -> np.ndarray:
    rows = np.arange(height) * how.rows // height  # h
    columns = np.arange(width) * how.columns // width  # w
    return rows[:, None] * how.columns + columns[None, :]  # h w
