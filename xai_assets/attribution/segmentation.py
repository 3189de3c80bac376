"""Cutting a view into superpixels, by name."""

from typing import Any, assert_never

import numpy as np
from skimage import segmentation

from xai_assets.attribution.errors import AttributionError
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

    Raises:
        AttributionError: scikit-image does not take these parameters, or not for a view of this size.
    """
    try:
        labels = _labels(view, how, seed)
    except (ValueError, TypeError, OverflowError, IndexError, ZeroDivisionError) as error:
        raise AttributionError(
            f"the segmentation {how.name}",
            f"scikit-image cannot cut a view of {view.shape[1]} x {view.shape[0]} pixels with it ({error})",
            "Change its parameters, or use another segmentation.",
        ) from error
    _, dense = np.unique(labels, return_inverse=True)
    return dense.reshape(view.shape[:2]).astype(np.int64)


def _labels(view: np.ndarray, how: Segmentation, seed: int) -> np.ndarray:
    match how:
        case Slic():
            return segmentation.slic(view, **_arguments(how), start_label=0)
        case Quickshift():
            rng = seed if how.rng is None else how.rng
            return segmentation.quickshift(view, **_arguments(how) | {"rng": rng})
        case Felzenszwalb():
            return segmentation.felzenszwalb(view, **_arguments(how))
        case Grid():
            return _grid(view.shape[0], view.shape[1], how)
        case _:
            assert_never(how)


def _arguments(how: Slic | Quickshift | Felzenszwalb) -> dict[str, Any]:
    """The fields bear scikit-image's names."""
    return how.model_dump(exclude={"name"})


def _grid(height: int, width: int, how: Grid) -> np.ndarray:
    rows = np.arange(height) * how.rows // height  # h
    columns = np.arange(width) * how.columns // width  # w
    return rows[:, None] * how.columns + columns[None, :]  # h w
