"""Meadow, beach and desert."""

from xai_assets.world.canvas import Drawing
from xai_assets.world.scenery import band, ridge, rock, sky
from xai_assets.world.shapes import ellipse, polygon, rectangle, rounded, smooth
from xai_assets.world.streams import Stream, cos, sin
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import SIDE


def meadow(canvas: Drawing, u: Stream) -> None:
    """Hills, grass, bushes and perhaps a fence."""
    H = u(42, 74)
    sky(canvas, u, H + 4)
    for k in range(1 + u.integer(2)):
        canvas.draw(
            ridge(u, H + 4 + 5 * k, u(8, 22), 7),
            Surface(u, "foliage", "green", scale=1.4, rgb=(86 + 20 * k, 150, 86)),
            "hill",
        )
    band(
        canvas,
        Surface(u, "foliage", u.choice(["green", "green", "green", "yellow"]), scale=u(1.0, 1.8)),
        H + 6,
        SIDE + 2,
        "grass",
    )
    for _ in range(u.integer(4)):
        x, y, r = (u(0, SIDE), u(H + 4, SIDE - 8), u(6, 13))
        s = Surface(u, "foliage", "green", scale=1.8, rgb=(40, 108, 48))
        for k in range(3):
            canvas.draw(ellipse(x + (k - 1) * r * 0.8, y - u(0, 4), r * 0.8, r * 0.7, points=16), s, "bush")
    if u() < 0.6:
        y = u(H + 8, H + 30)
        s = Surface(u, "wood", u.choice(["brown", "white", "grey"]), angle=0)
        for yy in (y, y + 7):
            canvas.draw(rectangle(-1, yy, SIDE + 1, yy + 2.4), s, "fence")
        x = u(0, 14)
        while x < SIDE:
            canvas.draw(rectangle(x, y - 5, x + 3.4, y + 14), s, "fence")
            x += u(14, 19)


def beach(canvas: Drawing, u: Stream) -> None:
    """Sea, sand, palms and rocks."""
    H = u(36, 62)
    sky(canvas, u, H + 2)
    sh = H + u(14, 34)
    band(
        canvas,
        Surface(u, "water", u.choice(["blue", "blue", "green", "grey"]), scale=u(1.2, 2.0), angle=0),
        H,
        sh + 16,
        "sea",
    )
    c = u.choice(["yellow", "white", "orange"])
    s = Surface(
        u,
        "sand",
        c,
        scale=u(1.2, 2),
        rgb={"yellow": (232, 208, 134), "white": (236, 230, 216), "orange": (232, 178, 116)}[c],
    )
    r = ridge(u, sh + 12, 10, 7)
    canvas.draw(r + (0, -2.5), Surface(u, "plastic", "white"), "sea")
    canvas.draw(r, s, "sand")
    for _ in range(u.integer(3)):
        x, y, h = (u(4, SIDE - 4), u(sh + 12, SIDE - 6), u(34, 56))
        lean = u(-14, 14)
        canvas.draw(
            smooth(polygon((x - 3, y), (x + 3, y), (x + lean + 2, y - h), (x + lean - 2, y - h)), 1),
            Surface(u, "wood", "brown", angle=1.57),
            "palm",
            part="trunk",
        )
        s2 = Surface(u, "foliage", "green", scale=2)
        for a in (-2.9, -2.2, -1.3, -0.5, 0.1):
            canvas.draw(
                ellipse(
                    x + lean + 10 * cos(a),
                    y - h + 10 * sin(a) * 0.7 + 2,
                    12,
                    3.6,
                    a * 0.8 + (0.3 if a > -1.5 else 0.6),
                    points=14,
                ),
                s2,
                "palm",
                part="leaf",
            )
    for _ in range(u.integer(3)):
        rock(canvas, u, u(0, SIDE), u(sh + 14, SIDE), u(4, 9))


def desert(canvas: Drawing, u: Stream) -> None:
    """Dunes, cacti and rocks."""
    H = u(44, 74)
    sky(canvas, u, H + 4)
    for k in range(3):
        c = u.choice(["orange", "yellow", "brown"])
        canvas.draw(
            ridge(u, H + 6 + k * u(10, 20), u(10, 24), 5),
            Surface(
                u,
                "sand",
                c,
                scale=u(1.2, 2.2),
                rgb={"orange": (224, 156, 84), "yellow": (230, 198, 112), "brown": (162, 114, 72)}[c],
            ),
            "dune",
        )
    for _ in range(1 + u.integer(3)):
        x, y, h = (u(4, SIDE - 4), u(H + 16, SIDE - 4), u(20, 38))
        w = h * 0.2
        s = Surface(u, "foliage", "green", scale=1.2, rgb=(74, 132, 78))
        o = (36, 70, 40)
        canvas.draw(rounded(x - w / 2, y - h, x + w / 2, y, w * 0.45), s, "cactus", outline=o)
        for sd in (-1, 1):
            yy = y - h * u(0.3, 0.6)
            canvas.draw(
                rectangle(min(x, x + sd * w * 1.4), yy, max(x, x + sd * w * 1.4), yy + w * 0.6), s, "cactus"
            )
            canvas.draw(
                rounded(
                    x + sd * w * 1.4 - w * 0.35,
                    yy - h * 0.28,
                    x + sd * w * 1.4 + w * 0.35,
                    yy + w * 0.6,
                    w * 0.3,
                ),
                s,
                "cactus",
            )
    for _ in range(u.integer(4)):
        rock(canvas, u, u(0, SIDE), u(H + 16, SIDE), u(3, 8))
