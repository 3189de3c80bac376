"""Pattern tiles: 256 x 256 periodic grey pictures, the ground of every surface.

They are computed in float64, rounded to the grid of 2^-20 and then to bytes, once a process.
"""

from functools import cache

import numpy as np

from xai_assets.world.patterns import MATERIAL_PATTERNS, TEXTURE_PATTERNS, TILE
from xai_assets.world.streams import snap_array

__all__ = ["TILE", "fine_tile", "tile"]


@cache
def tile(name: str) -> np.ndarray:
    """The tile of a texture, a material or "windows": uint8 (256, 256), periodic in both directions."""
    pattern = (TEXTURE_PATTERNS | MATERIAL_PATTERNS)[name]
    values = np.clip(snap_array(pattern()), 0, 1)
    return np.ascontiguousarray(np.floor(values * 255 + 0.5).astype(np.uint8))


@cache
def fine_tile(name: str) -> np.ndarray:
    """The tile at four times its resolution, bilinear in integers: uint8 (1024 * 1024,), row by row."""
    coarse = tile(name).astype(np.uint16)
    right, below = np.roll(coarse, -1, 1), np.roll(coarse, -1, 0)
    diagonal = np.roll(right, -1, 0)
    fine = np.empty((TILE, 4, TILE, 4), np.uint8)
    for j in range(4):
        for i in range(4):
            top = coarse * (4 - i) + right * i
            bottom = below * (4 - i) + diagonal * i
            fine[:, j, :, i] = (top * (4 - j) + bottom * j + 8) >> 4
    return fine.reshape(-1)
