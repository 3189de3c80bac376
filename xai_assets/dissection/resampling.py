"""Bilinear upsampling of activation maps as two small matrices, one for rows and one for columns."""

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
