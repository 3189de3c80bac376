"""Cutting a view into superpixels, by name."""

from typing import Any, assert_never

import numpy as np
from skimage import segmentation

from xai_assets.attribution.parameters import Felzenszwalb, Grid, Quickshift, Segmentation, Slic


def segment(view: np.ndarray, how: Segmentation, *, seed: int = 0) -> np.ndarray:
    """The superpixels of a view.

    Args:
        view: h w 3 uint8.
        how: the segmentation and its parameters.
        seed: breaks ties in quickshift where it has no `rng` of its own; the others have no chance in them.

    Returns:
        h w int64, labels from 0 without gaps (scikit-image's slic starts at 1 unless told otherwise, and
        LIME would then never hide the last superpixel). How many there are is up to the segmentation and the
        view.
    """
    match how:
        case Slic():
            labels = segmentation.slic(view, **_arguments(how), start_label=0)
        case Quickshift():
            labels = segmentation.quickshift(
                view, **_arguments(how) | {"rng": seed if how.rng is None else how.rng}
            )
        case Felzenszwalb():
            labels = segmentation.felzenszwalb(view, **_arguments(how))
        case Grid():
            labels = _grid(view.shape[0], view.shape[1], how)
        case _:
            assert_never(how)
    _, dense = np.unique(labels, return_inverse=True)
    return dense.reshape(view.shape[:2]).astype(np.int64)


def _arguments(how: Slic | Quickshift | Felzenszwalb) -> dict[str, Any]:
    """The fields bear scikit-image's names."""
    return how.model_dump(exclude={"name"})


def _grid(height: int, width: int, how: Grid) -> np.ndarray:
    rows = np.arange(height) * how.rows // height  # h
    columns = np.arange(width) * how.columns // width  # w
    return rows[:, None] * how.columns + columns[None, :]  # h w
