"""From a target's description to its polygons in the picture."""

import numpy as np

from xai_assets.world.canvas import Outline
from xai_assets.world.objects import object_parts
from xai_assets.world.part import Part
from xai_assets.world.scene import TargetDescription
from xai_assets.world.streams import cos, sin


def placed_parts(target: TargetDescription) -> list[Part]:
    """All parts in pixels, from back to front, those left out included."""
    parts = object_parts(target.class_name, target.shape_seed)
    c, s = cos(target.turn), sin(target.turn)
    across = (-1.0 if target.flipped else 1.0) * target.stretch_x * target.half
    lean, down = target.shear * target.half, target.stretch_y * target.half
    placed = []
    for part in parts:
        # Written out, because a matrix product may be summed in another order on another machine.
        x, y = part.polygon[:, 0], part.polygon[:, 1]
        u, v = across * x + lean * y, down * y
        points = np.empty_like(part.polygon)
        points[:, 0], points[:, 1] = target.x + c * u - s * v, target.y + s * u + c * v
        placed.append(Part(part.name, points, part.role))
    return placed


def extent(parts: list[Part]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of all parts."""
    points = np.concatenate([part.polygon for part in parts])
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    return x0, y0, x1, y1


def silhouette(parts: list[Part]) -> np.ndarray:
    """The pixels that the parts cover, bool (SIDE, SIDE)."""
    outline = Outline()
    for part in parts:
        outline.add(part.polygon)
    return outline.mask
