"""Choosing what a target is made of: surfaces and colours that know nothing of its class."""

import math
from dataclasses import replace

from xai_assets.world.part import ACCENT, DARK, GLASS, MAIN, PLANT, SECOND, WHITE
from xai_assets.world.scene import TargetDescription
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Finish
from xai_assets.world.vocabulary import COLOURS, MATERIALS, RGB, TARGET_MATERIALS, TEXTURES, colour_distance

DISTINCT = 150
"""Least distance of a pattern's two colours."""
_STANDS_OUT = 170  # wanted distance of the main colour from the background's mean
_NATURAL = {
    "foliage": ("green", "yellow", "brown"), "sand": ("yellow", "orange", "white"),
    "water": ("blue", "green", "grey"), "snow": ("white",), "asphalt": ("grey", "black"),
}  # fmt: skip


def distinct_from(color: str) -> list[str]:
    """Colours that make a visible pattern with `color`."""
    return [other for other in COLOURS if colour_distance(RGB[other], RGB[color]) > DISTINCT]


def _finish_name(u: Stream) -> str:
    kind = u()
    if kind < 0.55:
        return u.choice(TEXTURES)
    return u.choice(TARGET_MATERIALS) if kind < 0.77 else "plastic"


def choose_finishes(u: Stream, target: TargetDescription, behind: tuple[int, ...]) -> TargetDescription:
    """Give a posed target its finishes; `behind` is the background's mean colour there."""
    color = u.choice(COLOURS)
    for _ in range(7):
        if colour_distance(RGB[color], behind) > _STANDS_OUT:
            break
        color = u.choice(COLOURS)
    second = u.choice(distinct_from(color))
    third = u.choice([c for c in COLOURS if c != color])
    angle = target.turn + u.choice([0.0, math.pi / 2, math.pi / 4])
    main = Finish(_finish_name(u), color, second, angle, u.seed())

    kind, other_name, other_color = u(), _finish_name(u), u.choice([color, second, third])
    if 0.5 <= kind < 0.75:
        other = main
    else:
        name = "plastic" if kind < 0.5 else other_name
        other = Finish(name, other_color, u.choice(distinct_from(other_color)), angle + 0.5, u.seed())

    def plain(name: str, chosen: str) -> Finish:
        return Finish(name, chosen, u.choice(distinct_from(chosen)), angle, u.seed())

    accent = u.choice([c for c in COLOURS if c not in (color, other.color)])
    finishes = {
        MAIN: main,
        SECOND: other,
        ACCENT: plain("plastic", accent),
        DARK: plain("plastic", u.choice(["black", "black", "grey", "brown", u.choice(COLOURS)])),
        GLASS: plain("glass", u.choice(["blue", "blue", "grey", "white", "black"])),
        WHITE: plain("plastic", "white"),
        PLANT: plain(
            u.choice(["foliage", "plastic", "plastic"]), u.choice(["green", "green", "brown", accent])
        ),
    }
    return replace(target, finishes=tuple(finishes.items()))


def choose_swatch(u: Stream) -> tuple[Finish, float]:
    """A surface to fill a picture, with its scale (tile pixels per picture pixel)."""
    name = u.choice(TEXTURES) if u() < 0.6 else u.choice(MATERIALS)
    color = u.choice(_NATURAL.get(name, COLOURS))
    return Finish(name, color, u.choice(distinct_from(color)), u(0, math.pi), u.seed()), u(0.7, 1.9)
