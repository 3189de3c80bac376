"""Light, blur and noise, in integers."""

from functools import cache

import cv2
import numpy as np

from xai_assets.world.scene import Camera
from xai_assets.world.streams import cos, power, random_bytes, sin, snap, snap_array
from xai_assets.world.vocabulary import SIDE, WORLD_VERSION

NOISE_SIDE = 320
_ONE = 1 << 14  # fixed point of shading factors


@cache
def _noise() -> np.ndarray:
    """The fixed field of noise, int16 (320, 320, 3): sums of four bytes, nearly normal, deviation 147.8."""
    four = random_bytes(NOISE_SIDE * NOISE_SIDE * 3 * 4, WORLD_VERSION, 8888).reshape(
        NOISE_SIDE, NOISE_SIDE, 3, 4
    )
    return four.astype(np.int16).sum(-1, dtype=np.int16) - np.int16(510)


def shade(
    image: np.ndarray, mask: np.ndarray | None, x: float, y: float, half: float, angle: float, strength: float
) -> None:
    """Brighten along `angle` and darken against it, in place.

    Args:
        image: uint8 (SIDE, SIDE, 3).
        mask: bool (SIDE, SIDE), where; everywhere if None.
        x: column where nothing changes, pixels.
        y: row where nothing changes, pixels.
        half: pixels.
        angle: radians.
        strength: change at `half` pixels from (x, y), as a share of the brightness.
    """
    rows, columns = slice(0, SIDE), slice(0, SIDE)
    if mask is not None:
        ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if not len(ys):
            return
        rows, columns = slice(ys[0], ys[-1] + 1), slice(xs[0], xs[-1] + 1)
    a, b = (round(strength * part(angle) / half * _ONE) for part in (cos, sin))
    start = _ONE - round(strength * (cos(angle) * x + sin(angle) * y) / half * _ONE)
    across = np.arange(columns.start, columns.stop, dtype=np.int32) * a + start
    factor = across + np.arange(rows.start, rows.stop, dtype=np.int32)[:, None] * b  # h w
    crop = image[rows, columns]
    factor = np.maximum(factor, 0)
    lit = np.minimum((crop * cv2.merge((factor, factor, factor))) >> 14, 255).astype(np.uint8)  # h w 3
    inside = np.True_ if mask is None else mask[rows, columns][..., None]
    np.copyto(crop, lit, where=inside)


def _blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur with five whole weights that sum to 256 in each direction, edges mirrored."""
    one, two = (power(2.718281828459045, -(k * k) / (2 * sigma * sigma)) for k in (1, 2))
    total = 1 + 2 * one + 2 * two
    near, far = (round(snap(w / total) * 256) for w in (one, two))
    middle = 256 - 2 * near - 2 * far
    out = image.astype(np.uint16)
    for axis in (0, 1):
        width = [(2, 2) if k == axis else (0, 0) for k in range(3)]
        p = np.pad(out, width, mode="reflect")
        p = p if axis == 0 else p.swapaxes(0, 1)
        n = p.shape[0]
        mixed = p[2 : n - 2] * np.uint16(middle) + (p[1 : n - 3] + p[3 : n - 1]) * np.uint16(near)
        mixed = (mixed + (p[: n - 4] + p[4:]) * np.uint16(far) + np.uint16(128)) >> np.uint16(8)
        out = mixed if axis == 0 else mixed.swapaxes(0, 1)
    return out.astype(np.uint8)


def photograph(image: np.ndarray, camera: Camera) -> np.ndarray:
    """The picture as the camera gives it: tone curve, blur, grain. uint8 (SIDE, SIDE, 3) to the same."""
    curve = snap_array((np.arange(256) / 255.0) ** camera.gamma)[:, None] * 255 * camera.gain  # 256 1
    table = np.clip(curve * np.array(camera.tint), 0, 255).astype(np.uint8)  # 256 3
    image = cv2.LUT(image, table[None])
    if camera.blur:
        image = _blur(image, camera.blur)
    y, x = camera.noise_y, camera.noise_x
    strength = round(camera.noise / 147.8 * 2**12)  # 2^-12 of the field's unit
    grain = (_noise()[y : y + SIDE, x : x + SIDE] * np.int32(strength)) >> 12
    return np.clip(image + grain, 0, 255).astype(np.uint8)
