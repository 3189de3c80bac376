"""Choosing a target's individual, size, pose and place."""

import math
from dataclasses import replace

from xai_assets.world.pose import extent, placed_parts, silhouette
from xai_assets.world.scene import TargetDescription
from xai_assets.world.streams import Stream, power, sin
from xai_assets.world.vocabulary import SIDE

SMALLEST, LARGEST = 0.02, 0.30
"""Share of the picture that a target covers, before anything hides it."""
_DRAWN = (0.025, 0.285)  # aimed at, so that rounding and the picture's edge keep it in the range
_CLOSE = (0.10, 0.36)
_PAIRED = (0.04, 0.12)
_OVERHANG = 0.15  # share of the bounding box that may lie beyond an edge
_ATTEMPTS = 24


def choose_pose(u: Stream, class_name: str, *, close: bool = False) -> TargetDescription:
    """A target without finishes, of a size drawn evenly on a logarithmic scale, anywhere in the picture.

    An individual or a pose that cannot have the drawn size in the picture is drawn again, so that the size
    stays independent of the class.
    """
    low, high = _CLOSE if close else _DRAWN
    area = low * power(high / low, u()) * SIDE * SIDE
    place_x, place_y = _spread(u()), _spread(u())
    for _ in range(_ATTEMPTS):
        target = _individual(u, class_name, area)
        placed = _put(target, place_x, place_y)
        if placed is None:
            continue
        covered = int(silhouette(placed_parts(placed)).sum()) / SIDE**2
        if close or SMALLEST <= covered <= LARGEST:
            return placed
        area *= 1.1 if covered < SMALLEST else 0.9
    return _fitted(target, place_x, place_y)


def choose_pair(u: Stream, class_names: tuple[str, str]) -> tuple[TargetDescription, TargetDescription]:
    """Two targets whose bounding boxes keep apart; smaller and smaller ones are tried until they do."""
    low, high = _PAIRED
    while True:
        for _ in range(_ATTEMPTS):
            first, second = (
                _put(
                    _individual(u, name, low * power(high / low, u()) * SIDE * SIDE),
                    _spread(u()),
                    _spread(u()),
                )
                for name in class_names
            )
            if first and second and _apart(first, second):
                return first, second
        high = max(high * 0.8, low)


def other_place(
    u: Stream, target: TargetDescription, others: tuple[TargetDescription, ...]
) -> TargetDescription:
    """The target in the same pose at the farthest of some places where it is clear of the other targets."""
    centred = replace(target, x=0.0, y=0.0)
    places = [_put(centred, _spread(u()), _spread(u())) for _ in range(_ATTEMPTS)]
    free = [place for place in places if place and all(_apart(place, other) for other in others)]
    return max(free, key=lambda p: (p.x - target.x) ** 2 + (p.y - target.y) ** 2, default=target)


def _spread(t: float) -> float:
    """0..1 to 0..1, denser near both ends: this makes up for the room that an object needs at an edge."""
    return 0.1 * t + 0.9 * sin(math.pi / 2 * t) ** 2


def _individual(u: Stream, class_name: str, area: float) -> TargetDescription:
    """An individual in a pose about (0, 0), covering `area` pixels."""
    gauss = math.sqrt(-2 * math.log(u(1e-6, 1))) * math.cos(2 * math.pi * u())
    turn = max(-0.45, min(0.45, round(gauss * 0.17 * 2**20) / 2**20))
    target = TargetDescription(
        class_name, u.seed(), 0.0, 0.0, 40.0, turn, u() < 0.5, u(0.86, 1.14), u(0.86, 1.14), u(-0.1, 0.1), (),
        int(u(51, 102)) if u() < 0.7 else 0, u(-3, 3), u(2, 4), u(-2.4, -0.7), u(0.08, 0.3),
    )  # fmt: skip
    middle = replace(target, x=SIDE / 2, y=SIDE / 2)
    covered = int(silhouette(placed_parts(middle)).sum())
    return replace(target, half=target.half * math.sqrt(area / covered))


def _put(target: TargetDescription, place_x: float, place_y: float) -> TargetDescription | None:
    """The target at a place of the room it has (0..1 across and down), or None where it has none."""
    x0, y0, x1, y1 = extent(placed_parts(target))
    slack_x, slack_y = (x1 - x0) * _OVERHANG, (y1 - y0) * _OVERHANG
    room_x, room_y = SIDE - (x1 - x0) + 2 * slack_x, SIDE - (y1 - y0) + 2 * slack_y
    if room_x <= 0 or room_y <= 0:
        return None
    return replace(target, x=room_x * place_x - slack_x - x0, y=room_y * place_y - slack_y - y0)


def _fitted(target: TargetDescription, place_x: float, place_y: float) -> TargetDescription:
    """The target made as much smaller as its room asks for."""
    while True:
        placed = _put(target, place_x, place_y)
        if placed is not None and silhouette(placed_parts(placed)).sum() <= LARGEST * SIDE**2:
            return placed
        target = replace(target, half=target.half * 0.95)


def _apart(first: TargetDescription, second: TargetDescription) -> bool:
    a, b = extent(placed_parts(first)), extent(placed_parts(second))
    gap = 3.0  # pixels between them, for outlines
    return a[2] + gap < b[0] or b[2] + gap < a[0] or a[3] + gap < b[1] or b[3] + gap < a[1]
