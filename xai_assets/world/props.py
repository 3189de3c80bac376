"""Distractors, which are no class, and occluders, which stand in front of a target."""

import math

from xai_assets.world.canvas import Drawing
from xai_assets.world.scenery import darker, rock
from xai_assets.world.shapes import bar, ellipse, polygon, rectangle
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import COLOURS, TARGET_MATERIALS, TEXTURES

OUTDOOR_OCCLUDERS = ("bush", "rock", "fence post")
INDOOR_OCCLUDERS = ("box", "shelf post")
_LINE = (50, 40, 30)


def draw_distractor(canvas: Drawing, kind: str, x: float, y: float, r: float, seed: int) -> None:
    """A ball, box, cone, balloon or umbrella of about radius `r` pixels."""
    u = Stream(seed)
    color = u.choice(COLOURS)
    second = u.choice([c for c in COLOURS if c != color])
    surface = Surface(u, u.choice([*TEXTURES, *["plastic"] * 6, *TARGET_MATERIALS]), color, second)
    other, stick = Surface(u, "plastic", second), Surface(u, "plastic", "grey")
    line = darker(color, 0.4)
    if kind == "ball":
        canvas.draw(ellipse(x, y, r, r), surface, kind, outline=line)
    elif kind == "box":
        canvas.draw(rectangle(x - r, y - r * 0.8, x + r, y + r * 0.8), surface, kind, outline=line)
        canvas.draw(rectangle(x - r * 0.15, y - r * 0.8, x + r * 0.15, y + r * 0.8), other, kind)
    elif kind == "cone":
        canvas.draw(
            polygon((x - r * 0.8, y + r), (x, y - r * 1.1), (x + r * 0.8, y + r)), surface, kind, outline=line
        )
    elif kind == "balloon":
        canvas.draw(bar(x, y, x + r * 0.3, y + r * 2, 1.2), stick, kind)
        canvas.draw(ellipse(x, y, r * 0.85, r), surface, kind, outline=line)
    else:
        canvas.draw(bar(x, y, x, y + r * 1.4, 1.8), stick, kind)
        canvas.draw(ellipse(x, y, r * 1.3, r, 0, 16, math.pi, 2 * math.pi), surface, kind, outline=line)


def draw_occluder(canvas: Drawing, kind: str, x: float, y: float, r: float, seed: int) -> None:
    """A bush, a rock, a post or a box of about radius `r` pixels."""
    u = Stream(seed)
    if kind == "box":
        draw_distractor(canvas, kind, x, y, r, seed)
    elif kind == "bush":
        leaves = Surface(u, "foliage", "green", scale=1.9)
        for k in range(3):
            canvas.draw(
                ellipse(x + (k - 1) * r * 0.7, y + u(-2, 2), r * 0.75, r * 0.7, points=16), leaves, "bush"
            )
    elif kind == "rock":
        rock(canvas, u, x, y, r * 0.9)
    else:
        width, reach, name = (r * 0.3, r * 2, "fence") if kind == "fence post" else (r * 0.35, 300.0, "shelf")
        wood = Surface(u, "wood", "brown" if name == "fence" else u.choice(["brown", "white"]), angle=1.57)
        canvas.draw(rectangle(x - width, y - reach, x + width, y + reach), wood, name, outline=_LINE)
