"""Bilinear upsampling of activation maps, row by row and column by column."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Interpolation:
    """How each pixel along one side lies between two cells.

    Attributes:
        low, high: int (pixels,), the cells.
        share: float32 (pixels,): of the high cell, 0 to 1; the low one has the rest.
        covered: the pixels whose centres the cells cover; these alone are in the arrays above.
        length: cells.
    """

    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    covered: slice
    length: int

    @property
    def matrix(self) -> np.ndarray:
        """float32 (pixels, length): rows are not negative and sum to 1, so nothing exceeds the largest cell."""
        found = np.zeros((len(self.low), self.length), np.float32)
        each = np.arange(len(self.low))
        found[each, self.low] += 1 - self.share
        found[each, self.high] += self.share
        return found


@lru_cache(maxsize=256)  # the same few for all images of one size
def interpolation(length: int, count: int, start: float = 0.0, stop: float = 1.0) -> Interpolation:
    """Linear interpolation from `length` map cells to those of `count` pixels that the map covers.

    The map covers the share `start` to `stop` of the side that the pixels divide evenly. For the whole side, 0 to 1,
    this is `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)` along one axis: cell centres lie
    at half-integers, and beyond the outermost centre the edge value is kept.

    Args:
        length: cells of the map along this axis.
        count: pixels along this axis of the whole picture.
        start, stop: where the map begins and ends, as shares of the picture's side.
    """
    centres = (np.arange(count) + 0.5) / count  # of the pixels, in shares of the side
    inside = np.flatnonzero((centres >= start) & (centres < stop))
    covered = slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
    cell = np.clip((centres[covered] - start) / (stop - start) * length - 0.5, 0, length - 1)
    low = np.minimum(np.floor(cell).astype(int), max(length - 2, 0))
    return Interpolation(
        low, np.minimum(low + 1, length - 1), (cell - low).astype(np.float32), covered, length
    )


def covered(size: tuple[int, int], box: np.ndarray) -> tuple[slice, slice]:
    """The rows and the columns of a picture of `size` whose pixels' centres lie in the box."""
    rows = interpolation(1, size[0], float(box[0]), float(box[2]))
    return rows.covered, interpolation(1, size[1], float(box[1]), float(box[3])).covered


def on_pixels(
    cells: np.ndarray, levels: np.ndarray, size: tuple[int, int], box: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where units are on in pictures: bilinearly upsampled (align_corners=False) and strictly above the level.

    The level is taken off before upsampling. Weights are not negative and sum to 1, so that this is the same, but for
    rounding: where all cells around a pixel are at the level exactly, as those of a saturated unit are, the pixel is
    off, and a map without a cell above the level is off everywhere. Pixels lie between four cells each; only those are
    computed that have a cell above the level at a corner, those between the same four cells for all maps together.

    Args:
        cells: float32 (k, h, w), low-resolution maps.
        levels: float32 (k,).
        size: (sh, sw) of the whole picture.
        box: top, left, bottom, right of what the maps cover, as shares of the picture's sides.

    Returns:
        The on-pixels in no order: map int (m,), and place int (m,), row by row in the part of the picture that is
        `covered`.
    """
    over = cells - levels[:, None, None]
    above = over > 0
    found = []
    for rows, columns, places, weights in _patches(cells.shape[1:], size, tuple(map(float, box))):
        corners = np.ix_(rows, columns)
        maps = np.flatnonzero(above[:, *corners].any(axis=(1, 2)))
        if len(maps):
            fine = over[maps[:, None, None], *corners].reshape(len(maps), -1) @ weights  # k 4, 4 p -> k p
            at, place = np.divmod(np.flatnonzero(fine > 0), len(places))
            found.append((maps[at], places[place]))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    maps_on, places_on = zip(*found, strict=True)
    return np.concatenate(maps_on), np.concatenate(places_on)


Patch = tuple[list[int], list[int], np.ndarray, np.ndarray]
"""Rows and columns of the cells, places int (p,), weights float32 (cells, p)."""


@lru_cache(maxsize=32)
def _patches(cells: tuple[int, int], size: tuple[int, int], box: tuple[float, ...]) -> list[Patch]:
    """The covered pixels, by the cells that they lie between."""
    down, across = (
        interpolation(cells[0], size[0], box[0], box[2]),
        interpolation(cells[1], size[1], box[1], box[3]),
    )
    found = []
    for low_row in np.unique(down.low):
        rows = np.flatnonzero(down.low == low_row)
        of_rows = sorted({int(low_row), int(down.high[rows[0]])})
        for low_column in np.unique(across.low):
            columns = np.flatnonzero(across.low == low_column)
            of_columns = sorted({int(low_column), int(across.high[columns[0]])})
            weights = np.einsum(
                "yi,xj->ijyx", down.matrix[rows][:, of_rows], across.matrix[columns][:, of_columns]
            )
            places = rows[:, None] * len(across.low) + columns
            found.append(
                (of_rows, of_columns, places.ravel(), weights.reshape(-1, places.size).astype(np.float32))
            )
    return found
