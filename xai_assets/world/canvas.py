"""Where polygons become pixels and labels together; and two cheap canvases that see tones or outlines only.

Everything here is integer arithmetic: polygon corners are rounded to 1/16 pixel and filled by OpenCV's
anti-aliased integer scan conversion, and colours are mixed in whole numbers, so that the bytes are the same
on every machine.
"""

from typing import Protocol

import cv2
import numpy as np

from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import LABEL, PIXEL_CATEGORIES, SIDE

Colour = tuple[int, ...]
_SHIFT = 4  # corners in 1/16 pixel
_BELOW_HORIZON = 8  # rows of sky below the horizon, seen where a ridge dips at the picture's edge


class Drawing(Protocol):
    """What scenes, distractors and targets draw on."""

    def gradient(self, rows: int, top: Colour, bottom: Colour, name: str, color: str) -> None:
        """Fill the upper `rows` from one colour to the other, labelled as an object of a named colour."""

    def draw(
        self,
        polygon: np.ndarray,
        surface: Surface,
        name: str | None,
        part: str | None = None,
        *,
        outline: Colour | None = None,
        second_part: str | None = None,
        target: int = 0,
    ) -> None:
        """Draw a polygon and label it as an object, perhaps a part, and what its surface is.

        Args:
            polygon: float64 (points, 2) in pixels.
            surface: what covers it.
            name: the object's word, or None.
            part: the part's word.
            outline: colour of a line of one pixel about it.
            second_part: the part's word where the surface shows its second colour.
            target: 1 or 2 where the polygon belongs to a target.
        """


def _corners(polygon: np.ndarray, left: int = 0, top: int = 0, scale: int = 16) -> np.ndarray:
    return np.floor((polygon - (left, top)) * scale + 0.5).astype(np.int32)


def _box(polygon: np.ndarray) -> tuple[int, int, int, int]:
    """The pixels a polygon may touch: left, top, right, bottom (exclusive), inside the picture."""
    (x0, y0), (x1, y1) = polygon.min(0).tolist(), polygon.max(0).tolist()
    return max(int(x0 // 1) - 1, 0), max(int(y0 // 1) - 1, 0), min(int(x1) + 3, SIDE), min(int(y1) + 3, SIDE)


def coverage(polygon: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    """How much of each pixel of a box the polygon covers: uint8 (height, width), 0..255."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [_corners(polygon, left, top)], 255, lineType=cv2.LINE_AA, shift=_SHIFT)
    return mask


class Canvas:
    """The picture with its labels.

    Attributes:
        image: uint8 (SIDE, SIDE, 3), RGB.
        labels: uint8 (5, SIDE, SIDE), numbers of object, part, material, texture and colour; 0 is unlabelled.
        target: uint8 (SIDE, SIDE), 1 or 2 where that target is seen.
    """

    def __init__(self) -> None:
        self.image = np.zeros((SIDE, SIDE, 3), np.uint8)
        self.labels = np.zeros((len(PIXEL_CATEGORIES), SIDE, SIDE), np.uint8)
        self.target = np.zeros((SIDE, SIDE), np.uint8)

    def gradient(self, rows: int, top: Colour, bottom: Colour, name: str, color: str) -> None:
        """See `Drawing`."""
        step = np.arange(rows, dtype=np.int64)[:, None]
        mixed = (np.array(top) * (rows - 1 - step) + np.array(bottom) * step) // (rows - 1)
        below = rows + _BELOW_HORIZON
        self.image[:below] = np.clip(bottom, 0, 255).astype(np.uint8)
        self.image[:rows] = np.clip(mixed, 0, 255).astype(np.uint8)[:, None]
        for plane, number in zip(
            self.labels, (LABEL["object"][name], 0, 0, 0, LABEL["color"][color]), strict=True
        ):
            plane[:below] = number

    def draw(
        self,
        polygon: np.ndarray,
        surface: Surface,
        name: str | None,
        part: str | None = None,
        *,
        outline: Colour | None = None,
        second_part: str | None = None,
        target: int = 0,
    ) -> None:
        """See `Drawing`."""
        left, top, right, bottom = _box(polygon)
        width, height = right - left, bottom - top
        if width < 1 or height < 1:
            return
        alpha = coverage(polygon, left, top, width, height)
        values = None if surface.plain else surface.sample(left, top, width, height)  # h w
        colours = surface.table[127] if values is None else surface.table.take(values, 0)  # h w 3
        self._mix(left, top, alpha, colours)

        inside = alpha > 127
        rows, columns = slice(top, bottom), slice(left, right)
        numbers = (
            LABEL["object"][name] if name else 0,
            LABEL["part"][part] if part else 0,
            surface.material,
            surface.texture,
            surface.colour_labels[127],
        )
        for plane, number in zip(self.labels, numbers, strict=True):
            np.copyto(plane[rows, columns], number, where=inside)
        if surface.two_coloured and values is not None:
            np.copyto(self.labels[4, rows, columns], surface.colour_labels.take(values), where=inside)
            if second_part:
                self.labels[1, rows, columns][inside & (values > 127)] = LABEL["part"][second_part]
        np.copyto(self.target[rows, columns], target, where=inside)
        if outline is not None:
            cv2.polylines(self.image, [_corners(polygon)], True, outline, 1, cv2.LINE_AA, _SHIFT)

    def darken(self, polygon: np.ndarray, strength: int) -> None:
        """Lay a shadow of `strength` (0..255) over a polygon; labels stay."""
        left, top, right, bottom = _box(polygon)
        if right - left < 1 or bottom - top < 1:
            return
        alpha = coverage(polygon, left, top, right - left, bottom - top).astype(np.uint16) * strength // 255
        self._mix(left, top, alpha.astype(np.uint8), np.array((32, 32, 36), np.uint8))

    def _mix(self, left: int, top: int, alpha: np.ndarray, colours: np.ndarray) -> None:
        crop = self.image[top : top + alpha.shape[0], left : left + alpha.shape[1]]
        if alpha.min() == 255:
            crop[:] = colours
            return
        # 0..255 to 0..256, so that a shift divides; everything stays below 65536.
        weight = cv2.merge((alpha, alpha, alpha)).astype(np.uint16)  # h w -> h w 3, faster than broadcasting
        weight += weight >> 7
        crop[:] = (crop * (256 - weight) + colours * weight + 128) >> 8


class Tones:
    """Sees each polygon in its mean colour on a raster of 8-pixel cells, to choose colours that stand out."""

    CELL = 8

    def __init__(self) -> None:
        side = SIDE // self.CELL
        self.image = np.zeros((side, side, 3), np.uint8)

    def gradient(self, rows: int, top: Colour, bottom: Colour, name: str, color: str) -> None:
        """See `Drawing`."""
        middle = tuple((a + b) // 2 for a, b in zip(top, bottom, strict=True))
        self.image[: -(-rows // self.CELL)] = np.clip(middle, 0, 255).astype(np.uint8)

    def draw(
        self,
        polygon: np.ndarray,
        surface: Surface,
        name: str | None,
        part: str | None = None,
        *,
        outline: Colour | None = None,
        second_part: str | None = None,
        target: int = 0,
    ) -> None:
        """See `Drawing`."""
        cv2.fillPoly(self.image, [_corners(polygon, scale=16 // self.CELL)], surface.mean, shift=_SHIFT)

    def mean(self, x: float, y: float, half: float) -> Colour:
        """Mean colour of the square of half side `half` about (x, y), in pixels."""
        last = SIDE // self.CELL
        x0, y0 = (min(max(int((v - half) // self.CELL), 0), last - 1) for v in (x, y))
        x1, y1 = (min(max(int((v + half) // self.CELL) + 1, 1), last) for v in (x, y))
        cells = self.image[y0:y1, x0:x1].reshape(-1, 3).astype(np.int64)
        return tuple(int(v) for v in cells.sum(0) // len(cells))


class Outline:
    """Sees only which pixels are covered: for sizes and for how much an occluder hides."""

    def __init__(self) -> None:
        self.mask = np.zeros((SIDE, SIDE), bool)

    def gradient(self, rows: int, top: Colour, bottom: Colour, name: str, color: str) -> None:
        """See `Drawing`."""
        self.mask[:rows] = True

    def draw(
        self,
        polygon: np.ndarray,
        surface: Surface,
        name: str | None,
        part: str | None = None,
        *,
        outline: Colour | None = None,
        second_part: str | None = None,
        target: int = 0,
    ) -> None:
        """See `Drawing`."""
        self.add(polygon)

    def add(self, polygon: np.ndarray) -> None:
        """Cover a polygon."""
        left, top, right, bottom = _box(polygon)
        if right - left < 1 or bottom - top < 1:
            return
        self.mask[top:bottom, left:right] |= coverage(polygon, left, top, right - left, bottom - top) > 127
