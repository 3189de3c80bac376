"""What several scenes share: skies, bands, ridges and rocks."""

import numpy as np

from xai_assets.world.canvas import Drawing
from xai_assets.world.shapes import ellipse, rectangle, smooth
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import RGB, SIDE

_SKIES = {  # colours at the top and at the horizon
    "blue": ((64, 122, 220), (178, 212, 245)), "grey": ((128, 134, 144), (196, 200, 206)),
    "orange": ((222, 120, 62), (248, 198, 130)), "purple": ((72, 52, 128), (150, 110, 180)),
    "pink": ((220, 140, 180), (250, 205, 205)),
}  # fmt: skip


def darker(color: str, factor: float) -> tuple[int, int, int]:
    """A named colour made darker, for an outline."""
    r, g, b = (int(v * factor) for v in RGB[color])
    return r, g, b


def sky(canvas: Drawing, u: Stream, horizon: float) -> None:
    """A sky down to the horizon, with clouds and perhaps a sun."""
    mood = u.choice(["blue", "blue", "blue", "grey", "orange", "purple", "pink"])
    change = [int(u(-14, 14)) for _ in range(3)]
    top, bottom = (tuple(v + c for v, c in zip(end, change, strict=True)) for end in _SKIES[mood])
    canvas.gradient(int(horizon) + 2, top, bottom, "sky", mood)
    if mood != "grey" and u() < 0.4:
        r = u(6, 11)
        disc = ellipse(u(10, SIDE - 10), u(8, max(10, horizon * 0.5)), r, r)
        canvas.draw(disc, Surface(u, "plastic", u.choice(["yellow", "white", "orange"])), "sun")
    for _ in range(u.integer(4)):
        x, y, r = u(0, SIDE), u(4, horizon * 0.65), u(6, 12)
        white = Surface(u, "plastic", "white" if mood != "grey" else u.choice(["grey", "white"]))
        for k in range(3):
            puff = ellipse(x + (k - 1) * r * 1.1, y + u(-2, 2), r * u(0.9, 1.3), r * u(0.5, 0.75), points=18)
            canvas.draw(puff, white, "cloud")


def band(canvas: Drawing, surface: Surface, y0: float, y1: float, name: str) -> None:
    """A band across the whole picture."""
    canvas.draw(rectangle(-1, y0, SIDE + 1, y1), surface, name)


def ridge(u: Stream, base: float, height: float, points: int) -> np.ndarray:
    """A soft ridge line, closed below the picture."""
    xs = -6 + (SIDE + 12) * np.arange(points) / (points - 1)
    ys = base - height * u.uniforms(0, 1, points)
    line = np.stack([xs, ys], 1)
    return smooth(np.concatenate([line, [[SIDE + 30.0, SIDE + 10.0], [-30.0, SIDE + 10.0]]]))


def rock(canvas: Drawing, u: Stream, x: float, y: float, r: float) -> None:
    """An uneven stone."""
    outline = ellipse(x, y, r * u(1, 1.5), r * 0.8, 0, 9) + u.uniforms(-0.18, 0.18, 18).reshape(9, 2) * r
    canvas.draw(
        smooth(outline, 1), Surface(u, "stone", u.choice(["grey", "brown", "grey"]), scale=2.2), "rock"
    )
