"""Signs that an image file is a rendered figure (a heat map in colours, an overlay, a screenshot), not data."""

from pathlib import Path

import numpy as np
from PIL import Image

from xai_assets.vision.images import FORMATS

TINT = 24
"""Channels of a grey pixel differ by less than this: JPEG tints edges a little."""

_JUMP = 12
"""Grey levels between the white of a margin and the pixel beside it where a figure begins."""

_STRAIGHT = 0.3
"""The share of a side along which a straight edge parts a margin from a figure."""

_COLOUR_MAPS = (
    "jet", "viridis", "turbo", "inferno", "magma", "plasma", "hot", "rainbow", "cividis", "seismic", "coolwarm", "bwr",
    "RdBu", "RdBu_r", "Reds", "Blues", "Greens", "hsv", "cool", "afmhot",
)  # fmt: skip
"""Of matplotlib (`jet` is also OpenCV's), the likelier first."""

_NEAR = 10
"""A pixel has a colour map's colour where no channel differs by more."""

_MOST = 0.98
_LOOKED_AT = 4000
"""Coloured pixels, evenly spaced, that are compared with the colour maps."""


def is_coloured(pixels: np.ndarray) -> bool:
    """Whether any pixel of an image, uint8 (h, w, 3), has a colour."""
    return int((pixels.max(axis=2) - pixels.min(axis=2)).max()) >= TINT


def colour_map(pixels: np.ndarray) -> str | None:
    """The name of matplotlib's colour map that all the colours of an image, uint8 (h, w, 3), are of; None: no such."""
    from matplotlib import colormaps  # slow to import, and needed where something is wrong only

    found = pixels[(pixels.max(axis=2) - pixels.min(axis=2)) >= TINT].astype(np.int16)  # n 3
    if not len(found):
        return None
    found = found[:: max(1, len(found) // _LOOKED_AT)]
    for name in _COLOUR_MAPS:
        table = (colormaps[name](np.arange(256))[:, :3] * 255).round().astype(np.int16)  # 256 3
        distance = np.abs(found[:, None] - table[None]).max(axis=2).min(axis=1)  # n 256 3 -> n
        if (distance <= _NEAR).mean() >= _MOST:
            return name
    return None


def what_is_coloured(pixels: np.ndarray) -> str:
    """What an image with colours, uint8 (h, w, 3), seems to be, for a message."""
    name = colour_map(pixels)
    if name is None:
        return "it has colours: an overlay on a photograph, a photograph, or another rendered figure"
    return f"it has the colours of {name}: a rendered heat map"


def black_in_white(mask: np.ndarray) -> bool:
    """Whether white margins on all four sides of a mask (h w bool) enclose a rectangle whose own border is black."""
    if mask.all() or not mask.any():
        return False
    rows, columns = np.flatnonzero((~mask).any(axis=1)), np.flatnonzero((~mask).any(axis=0))
    top, bottom, left, right = rows[0], rows[-1], columns[0], columns[-1]
    if top == 0 or left == 0 or bottom == mask.shape[0] - 1 or right == mask.shape[1] - 1:
        return False
    inner = mask[top : bottom + 1, left : right + 1]
    border = np.concatenate([inner[0], inner[-1], inner[:, 0], inner[:, -1]])
    return not border.any()


def white_margins(grey: np.ndarray) -> tuple[int, int, int, int] | None:
    """How wide the white margins around a figure are: top, left, bottom, right in pixels; None where there are none.

    A figure begins at a long straight edge with a jump from white. A map that is bright along its border fades into
    what is darker, and has no such edge.

    Args:
        grey: h w uint8.
    """
    if min(grey.shape) < 4:
        return None
    widths = []
    for turned in (grey, grey.T, grey[::-1], grey[:, ::-1].T):  # the margin at the top of each
        white = turned == 255
        depth = int(np.argmin(white.all(axis=1))) if not white.all() else 0
        begins = _first_edge(turned, white) if depth else None
        if begins is None:
            return None
        widths.append(begins)
    return widths[0], widths[1], widths[2], widths[3]


def _first_edge(grey: np.ndarray, white: np.ndarray) -> int | None:
    """The first row behind white ones of which a long piece follows white with a jump."""
    jumps = white[:-1] & (grey[1:] <= 255 - _JUMP)
    long = np.flatnonzero(jumps.mean(axis=1) >= _STRAIGHT)
    return int(long[0]) + 1 if len(long) else None


def transparent(path: Path) -> bool:
    """Whether an image file that could be read has pixels that are not opaque."""
    with Image.open(path, formats=FORMATS) as image:
        if "A" not in image.mode and "a" not in image.mode and "transparency" not in image.info:
            return False
        return int(np.asarray(image.convert("RGBA"))[..., 3].min()) < 255


def as_pixels(values: np.ndarray) -> np.ndarray | None:
    """An array (h, w, 3 or 4) of a rendered figure, uint8 or 0 to 1, as uint8 (h, w, 3); None where it is none."""
    if values.ndim != 3 or values.shape[2] not in (3, 4):
        return None
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values[..., :3])
    if values.dtype.kind != "f" or not np.isfinite(values).all() or values.min() < 0:
        return None
    high = float(values.max())
    if high > 255:
        return None
    return (values[..., :3] * (255 if high <= 1 else 1)).round().astype(np.uint8)
