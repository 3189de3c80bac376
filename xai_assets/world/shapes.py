"""Polygons: float64 arrays of shape (points, 2), x to the right and y down."""

import math
from functools import lru_cache

import numpy as np

from xai_assets.world.streams import cos, sin, snap_array

TAU = 2 * math.pi


@lru_cache(maxsize=256)
def _circle(points: int, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    whole = abs(end - start) >= TAU - 1e-3
    angles = start + (end - start) * np.arange(points) / (points if whole else points - 1)
    return snap_array(np.cos(angles)), snap_array(np.sin(angles))


def ellipse(
    x: float, y: float, rx: float, ry: float, turn: float = 0.0, points: int = 28,
    start: float = 0.0, end: float = TAU,
) -> np.ndarray:  # fmt: skip
    """An ellipse about (x, y), or its arc from `start` to `end` (radians), turned by `turn`."""
    cosines, sines = _circle(points, start, end)
    px, py = rx * cosines, ry * sines
    c, s = cos(turn), sin(turn)
    out = np.empty((points, 2))
    out[:, 0], out[:, 1] = x + c * px - s * py, y + s * px + c * py
    return out


def polygon(*points: tuple[float, float]) -> np.ndarray:
    """A polygon through the points."""
    return np.array(points, np.float64)


def smooth(points: np.ndarray, rounds: int = 2) -> np.ndarray:
    """Chaikin's corner cutting, `rounds` times; each doubles the number of points."""
    for _ in range(rounds):
        following = np.roll(points, -1, 0)
        points = np.stack([0.75 * points + 0.25 * following, 0.25 * points + 0.75 * following], 1).reshape(
            -1, 2
        )
    return points


def rectangle(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """An upright rectangle."""
    return polygon((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def rounded(x0: float, y0: float, x1: float, y1: float, r: float) -> np.ndarray:
    """An upright rectangle with corners cut at `r` and softened."""
    return smooth(
        polygon((x0 + r, y0), (x1 - r, y0), (x1, y0 + r), (x1, y1 - r),
                (x1 - r, y1), (x0 + r, y1), (x0, y1 - r), (x0, y0 + r)), 1,
    )  # fmt: skip


def bar(x0: float, y0: float, x1: float, y1: float, width: float) -> np.ndarray:
    """A straight bar of `width` from one point to the other."""
    dx, dy = x1 - x0, y1 - y0
    length = math.sqrt(dx * dx + dy * dy) + 1e-9
    nx, ny = -dy / length * width / 2, dx / length * width / 2
    return polygon((x0 + nx, y0 + ny), (x1 + nx, y1 + ny), (x1 - nx, y1 - ny), (x0 - nx, y0 - ny))
