"""A strip of small pictures for the UI, as one PNG."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

SIDE = 160
"""Pixels of a cell's sides."""
PER_ROW = 6
GAP = 8
_PAPER = 255


def strip(pictures: Sequence[np.ndarray], *, side: int = SIDE, per_row: int = PER_ROW) -> bytes:
    """The pictures (h w 3 uint8 each, no side longer than `side`) in rows from the left, each amid its cell: PNG.

    Raises:
        ValueError: no picture, or one that is larger than its cell.
    """
    if not pictures:
        raise ValueError("a strip of no pictures")
    columns, rows = min(per_row, len(pictures)), -(-len(pictures) // per_row)
    step = side + GAP
    canvas = np.full((rows * step - GAP, columns * step - GAP, 3), _PAPER, np.uint8)
    for number, picture in enumerate(pictures):
        height, width = picture.shape[:2]
        if max(height, width) > side:
            raise ValueError(f"a picture of {width} x {height} in a cell of {side} x {side}")
        top = number // per_row * step + (side - height) // 2
        left = number % per_row * step + (side - width) // 2
        canvas[top : top + height, left : left + width] = picture
    encoded = io.BytesIO()
    Image.fromarray(canvas).save(encoded, "PNG", optimize=True)
    return encoded.getvalue()
