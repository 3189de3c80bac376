"""Pictures of attribution maps, masks and units: derived from data, never data themselves.

All pictures are JPEG at the size in which they are printed. Maps use Matplotlib's perceptually uniform `inferno` over
the greyed picture; a mask's outline is a solid white line, the truth's a dashed turquoise one, both cased in black,
so that they are told apart without colour.
"""

from functools import cache

import cv2
import numpy as np

from xai_assets.vision.geometry import Frame

SIDE = 384
"""Pixels of a gallery picture's longer side: 230 dpi at 42 mm."""
THUMB = 224
"""Pixels of a unit's picture: 230 dpi at 25 mm."""
JPEG_QUALITY = 88

MASK_COLOUR = (255, 255, 255)
TRUTH_COLOUR = (64, 224, 208)
ALONE = ((0, 114, 178), (213, 94, 0))
"""Colours of what the first and what the second of two masks has alone (Okabe and Ito's blue and vermilion)."""
BOTH = (240, 228, 66)
_FILLED = 0.72
_CASING = (0, 0, 0)
_MAP_OPACITY = 0.82
_DIMMED = 0.85
_UNSEEN = 0.45
WHOLE = 0.9995
"""A larger share of an image is all of it."""
_SUBPIXEL = 4  # cv2's `shift`: coordinates in sixteenths of a pixel


def picture(pixels: np.ndarray, *, truth: np.ndarray | None = None, side: int = SIDE) -> bytes:
    """The picture (h w 3 uint8 RGB), with the truth's outline (h w bool) where it is known."""
    canvas = _enlarged(pixels, side)
    if truth is not None:
        _outline(canvas, truth, TRUTH_COLOUR, dashed=True)
    return _jpeg(canvas)


def overlay(
    pixels: np.ndarray,
    scaled: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    side: int = SIDE,
) -> bytes:
    """`blend` as a JPEG."""
    return _jpeg(blend(pixels, scaled, mask=mask, truth=truth, side=side))


def blend(
    pixels: np.ndarray,
    scaled: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    side: int = SIDE,
) -> np.ndarray:
    """An attribution map over the greyed picture: uint8 (h' w' 3) RGB, its longer side of `side` pixels.

    Args:
        pixels: h w 3 uint8, the model's view.
        scaled: h w float in [0, 1], in the same frame.
        mask: h w bool, outlined solid.
        truth: h w bool, outlined dashed.
        side: pixels of the longer side.

    Raises:
        ValueError: when the shapes differ: a map is never stretched over a frame that is not its own.
    """
    for name, array in (("map", scaled), ("mask", mask), ("truth", truth)):
        if array is not None and array.shape != pixels.shape[:2]:
            raise ValueError(f"{name} is {array.shape}, the picture is {pixels.shape[:2]}: not one frame")
    canvas = _grey(_enlarged(pixels, side)).astype(np.float32)
    values = _resized(np.clip(np.nan_to_num(scaled), 0, 1).astype(np.float32), canvas.shape[:2])
    values = np.clip(values, 0, 1)
    colours = _inferno()[np.rint(values * 255).astype(np.uint8)].astype(np.float32)  # h w -> h w 3
    # Weak attribution stays see-through, so that the picture can be read where the map says nothing.
    opacity = (_MAP_OPACITY * np.sqrt(values))[..., None]
    blended = np.rint(canvas * (1 - opacity) + colours * opacity).astype(np.uint8)
    blended = np.ascontiguousarray(blended)
    if truth is not None:
        _outline(blended, truth, TRUTH_COLOUR, dashed=True)
    if mask is not None:
        _outline(blended, mask, MASK_COLOUR)
    return blended


def marked_crop(pixels: np.ndarray, frame: Frame, *, side: int = SIDE) -> np.ndarray:
    """An original image with the crop that the model sees framed, and the rest dimmed and greyed.

    Args:
        pixels: H W 3 uint8, the original.
        frame: of the model in it.
        side: pixels of the longer side.

    Returns:
        uint8 (h, w, 3) RGB; without marks where the model sees all of it.
    """
    canvas = _enlarged(pixels, side)
    if frame.seen() >= WHOLE:
        return canvas
    height, width = canvas.shape[:2]
    down, across = height / frame.original[0], width / frame.original[1]
    top, left, bottom, right = frame.shown
    rows, columns = (
        np.clip((top * down, bottom * down), 0, height),
        np.clip((left * across, right * across), 0, width),
    )
    (first_row, last_row), (first_column, last_column) = (
        np.rint(rows).astype(int),
        np.rint(columns).astype(int),
    )
    whole = np.rint(_pale(canvas)).astype(np.uint8)
    inside = (
        slice(first_row, max(last_row, first_row + 1)),
        slice(first_column, max(last_column, first_column + 1)),
    )
    whole[inside] = canvas[inside]
    unit = min(height, width) / SIDE
    corners = (first_column, first_row), (max(last_column - 1, 0), max(last_row - 1, 0))
    for thickness, colour in ((max(3, round(5 * unit)), _CASING), (max(1, round(2.5 * unit)), MASK_COLOUR)):
        cv2.rectangle(whole, *corners, colour, thickness)
    return np.ascontiguousarray(whole)


def jpeg(canvas: np.ndarray) -> bytes:
    """A drawn picture (h w 3 uint8 RGB) as the reports keep it."""
    return _jpeg(canvas)


def region(pixels: np.ndarray, inside: np.ndarray | None, *, side: int = THUMB) -> bytes:
    """A picture whose `inside` (h w bool, of any resolution) is left bright and outlined, and the rest dimmed."""
    canvas = _enlarged(pixels, side)
    if inside is not None:
        weight = _resized(inside.astype(np.float32), canvas.shape[:2])
        weight = (_DIMMED + (1 - _DIMMED) * np.clip(weight, 0, 1))[..., None]
        canvas = np.ascontiguousarray(np.rint(canvas * weight).astype(np.uint8))
        _outline(canvas, inside, MASK_COLOUR)
    return _jpeg(canvas)


def kept(pixels: np.ndarray, mask: np.ndarray, *, side: int = SIDE) -> bytes:
    """What a mask (h w bool) keeps of a picture: the rest is greyed and pale, the border white."""
    canvas = _enlarged(pixels, side)
    inside = _resized(mask.astype(np.float32), canvas.shape[:2])[..., None] >= 0.5
    whole = np.ascontiguousarray(np.where(inside, canvas, _pale(canvas)).astype(np.uint8))
    _outline(whole, mask, MASK_COLOUR)
    return _jpeg(whole)


def overlap(pixels: np.ndarray, first: np.ndarray, second: np.ndarray, *, side: int = SIDE) -> bytes:
    """Two masks (h w bool) over a pale picture: blue the first alone, orange the second alone, yellow both.

    The first has a solid border, the second a dashed one, so that they are told apart without colour.
    """
    canvas = _pale(_enlarged(pixels, side))
    a, b = (_resized(mask.astype(np.float32), canvas.shape[:2]) >= 0.5 for mask in (first, second))
    for where, colour in ((a & ~b, ALONE[0]), (b & ~a, ALONE[1]), (a & b, BOTH)):
        canvas[where] = (1 - _FILLED) * canvas[where] + _FILLED * np.array(colour, np.float32)
    drawn = np.ascontiguousarray(np.rint(canvas).astype(np.uint8))
    _outline(drawn, first, MASK_COLOUR)
    _outline(drawn, second, MASK_COLOUR, dashed=True)
    return _jpeg(drawn)


def _pale(canvas: np.ndarray) -> np.ndarray:
    """Greyed, and half way to white: float32."""
    return 255 - (255 - _grey(canvas).astype(np.float32)) * _UNSEEN


def segments(pixels: np.ndarray, labels: np.ndarray, weights: np.ndarray, *, side: int = SIDE) -> bytes:
    """LIME's superpixels coloured by weight: purple for, orange against (Matplotlib's `PuOr`), borders in white.

    Args:
        pixels: h w 3 uint8.
        labels: h w integer, the segment of each pixel, an index into `weights`.
        weights: one float a segment; the scale is symmetric around 0.
        side: pixels of the longer side.
    """
    canvas = _grey(_enlarged(pixels, side)).astype(np.float32)
    height, width = canvas.shape[:2]
    large = cv2.resize(
        labels.astype(np.int32).astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST
    )
    large = large.astype(np.int32)
    strength = float(np.abs(weights).max()) if weights.size else 0.0
    relative = weights / strength if strength > 0 else np.zeros_like(weights, dtype=float)
    value = (
        relative[np.clip(large, 0, max(len(relative) - 1, 0))] if weights.size else np.zeros(large.shape)
    )  # h w
    colours = _diverging()[np.rint((value + 1) * 127.5).astype(np.uint8)].astype(np.float32)  # h w -> h w 3
    opacity = (0.15 + 0.7 * np.abs(value))[..., None]
    blended = np.rint(canvas * (1 - opacity) + colours * opacity).astype(np.uint8)
    edges = np.zeros(large.shape, bool)
    edges[:, 1:] |= large[:, 1:] != large[:, :-1]
    edges[1:, :] |= large[1:, :] != large[:-1, :]
    blended[edges] = (0.35 * blended[edges] + 0.65 * 255).astype(np.uint8)
    return _jpeg(blended)


def _enlarged(pixels: np.ndarray, side: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.ascontiguousarray(cv2.resize(np.ascontiguousarray(pixels), size, interpolation=how))


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    how = cv2.INTER_LINEAR if shape[0] >= values.shape[0] else cv2.INTER_AREA
    return cv2.resize(np.ascontiguousarray(values), (shape[1], shape[0]), interpolation=how)


def _grey(canvas: np.ndarray) -> np.ndarray:
    return np.repeat(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def _outline(
    canvas: np.ndarray, mask: np.ndarray, colour: tuple[int, int, int], *, dashed: bool = False
) -> None:
    """Draw the border of `mask` into `canvas`; the mask is enlarged smoothly first, so that steps do not show."""
    large = _resized(mask.astype(np.float32), canvas.shape[:2])
    # A frame of zeros closes the outline of a mask that touches the border.
    binary = cv2.copyMakeBorder((large >= 0.5).astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    contours, _ = cv2.findContours(binary, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    unit = max(canvas.shape[:2]) / SIDE
    thick = max(1, round(2 * unit))
    lines: list[tuple[np.ndarray, bool]] = []
    limit = np.array(canvas.shape[1::-1], dtype=np.float64) - 1
    for contour in contours:
        points = np.clip(contour[:, 0].astype(np.float64) - 1, 0, limit)
        lines += _dashes(points, 9 * unit, 6 * unit) if dashed else [(points, True)]
    for width, shade in ((thick + max(2, round(2 * unit)), _CASING), (thick, colour)):
        for points, closed in lines:
            fixed = np.rint(points * 2**_SUBPIXEL).astype(np.int32)[:, None]  # n 2 -> n 1 2
            cv2.polylines(canvas, [fixed], closed, shade, width, cv2.LINE_AA, _SUBPIXEL)


def _dashes(points: np.ndarray, on: float, off: float) -> list[tuple[np.ndarray, bool]]:
    closed = np.concatenate([points, points[:1]])
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    phase = np.floor_divide(travelled, on + off)
    drawn = travelled - phase * (on + off) < on
    return [
        (closed[drawn & (phase == dash)], False)
        for dash in np.unique(phase)
        if (drawn & (phase == dash)).any()
    ]


def _jpeg(canvas: np.ndarray) -> bytes:
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
        cv2.IMWRITE_JPEG_OPTIMIZE,
        1,
    ]
    done, encoded = cv2.imencode(".jpg", np.ascontiguousarray(canvas[..., ::-1]), options)
    if not done:
        raise ValueError(f"a picture of shape {canvas.shape} could not be encoded")
    return encoded.tobytes()


@cache
def _inferno() -> np.ndarray:
    return _table("inferno")


@cache
def _diverging() -> np.ndarray:
    return _table("PuOr")


def _table(name: str) -> np.ndarray:
    """Matplotlib's colour map as 256 RGB triples, uint8."""
    import matplotlib

    return np.rint(matplotlib.colormaps[name](np.linspace(0, 1, 256))[:, :3] * 255).astype(np.uint8)


def colour_stops(name: str, count: int = 9) -> list[str]:
    """Evenly spaced colours of a map as #rrggbb, for the legend's gradient; `inferno` or `PuOr`."""
    table = _table(name)
    return ["#" + bytes(table[round(i * 255 / (count - 1))]).hex() for i in range(count)]
