"""Bilinear upsampling of activation maps as two small matrices, one for rows and one for columns."""

from functools import lru_cache

import numpy as np


def resampling_matrix(
    length: int, count: int, start: float = 0.0, stop: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Linear interpolation from `length` map cells to those of `count` pixels that the map covers.

    The map covers the share `start` to `stop` of the side that the pixels divide evenly. For the whole side, 0 to 1,
    this is `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)` along one axis: cell centres lie
    at half-integers, and beyond the outermost centre the edge value is kept.

    Args:
        length: cells of the map along this axis.
        count: pixels along this axis of the whole picture.
        start, stop: where the map begins and ends, as shares of the picture's side.

    Returns:
        The matrix, float32 (count, length), of non-negative rows that sum to 1 (so nothing exceeds the largest
        cell); and bool (count,), true for pixels whose centre the map covers.
    """
    centres = (np.arange(count) + 0.5) / count  # of the pixels, in shares of the side
    cell = np.clip((centres - start) / (stop - start) * length - 0.5, 0, length - 1)
    low = np.minimum(np.floor(cell).astype(int), max(length - 2, 0))
    high = np.minimum(low + 1, length - 1)
    matrix = np.zeros((count, length))
    matrix[np.arange(count), low] += 1 - (cell - low)
    matrix[np.arange(count), high] += cell - low
    return matrix.astype(np.float32), (centres >= start) & (centres < stop)


def on_regions(cells: np.ndarray, levels: np.ndarray, size: tuple[int, int], box: np.ndarray) -> np.ndarray:
    """Where units are on in a picture: bilinearly upsampled (align_corners=False) and strictly above the level.

    The level is taken off before upsampling. Weights are not negative and sum to 1, so that this is the same, but for
    rounding: where all cells around a pixel are at the level exactly, as those of a saturated unit are, the pixel is
    off, and a map without a cell above the level is off everywhere.

    Args:
        cells: float32 (k, h, w), low-resolution maps.
        levels: float32 (k,).
        size: (sh, sw) of the whole picture.
        box: top, left, bottom, right of what the maps cover, as shares of the picture's sides.

    Returns:
        bool (k, rows, columns), of the pixels whose centres the maps cover; see `covered`.
    """
    down, rows = _cached_matrix(cells.shape[1], size[0], float(box[0]), float(box[2]))
    across, columns = _cached_matrix(cells.shape[2], size[1], float(box[1]), float(box[3]))
    return (
        down[rows] @ ((cells - levels[:, None, None]) @ across[columns].T) > 0
    )  # k h w -> k h sw -> k sh sw


def covered(size: tuple[int, int], box: np.ndarray) -> tuple[slice, slice]:
    """The rows and the columns of a picture of `size` whose pixels' centres lie in the box."""
    return _run(size[0], float(box[0]), float(box[2])), _run(size[1], float(box[1]), float(box[3]))


def _run(count: int, start: float, stop: float) -> slice:
    inside = np.flatnonzero(_cached_matrix(1, count, start, stop)[1])
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


_cached_matrix = lru_cache(maxsize=256)(resampling_matrix)  # the same few for all images of one size
