"""Living room and kitchen."""

import math

from xai_assets.world.canvas import Drawing
from xai_assets.world.scenery import band, darker
from xai_assets.world.shapes import ellipse, polygon, rectangle, rounded
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import COLOURS, RGB, SIDE


def living_room(canvas: Drawing, u: Stream) -> None:
    """A papered wall, a wooden floor, and some furniture."""
    H = u(74, 98)
    fin = u.choice(["paint", "paint", "striped", "dotted", "fabric"])
    c1 = u.choice(["white", "pink", "blue", "green", "yellow", "grey", "purple"])
    c2 = u.choice([c for c in ("white", "grey", "pink", "yellow") if c != c1])
    red, green, blue = (min(v * 0.7 + 70, 240) for v in RGB[c1])  # pale, as walls are
    band(
        canvas,
        Surface(u, fin, c1, c2, angle=u.choice([0, 0, 0.78]), rgb=(red, green, blue), scale=u(1.2, 1.9)),
        -2,
        H + 1,
        "wall",
    )
    band(
        canvas,
        Surface(
            u,
            "wood",
            u.choice(["brown", "orange", "grey", "white"]),
            angle=u.choice([0, 0.25]),
            scale=u(1.3, 1.9),
        ),
        H,
        SIDE + 2,
        "floor",
    )
    band(canvas, Surface(u, "plastic", "white"), H - 2.5, H, "wall")
    if u() < 0.5:
        cx = u(10, SIDE - 10)
        w = u(16, 24)
        y0 = u(8, 18)
        canvas.draw(
            rectangle(cx - w, y0, cx + w, y0 + 38),
            Surface(u, "glass", "blue", scale=1),
            "wall",
            part="window",
            outline=(230, 230, 230),
        )
        s = Surface(u, "fabric", u.choice(COLOURS), scale=1.6)
        for sd in (-1, 1):
            canvas.draw(
                rectangle(cx + sd * w - 7, y0 - 4, cx + sd * w + 7, y0 + 44),
                s,
                "curtain",
                outline=(60, 60, 60),
            )
    for _ in range(u.integer(3)):
        x, y, w, h = (u(6, SIDE - 30), u(8, 34), u(14, 28), u(14, 24))
        canvas.draw(
            rectangle(x, y, x + w, y + h),
            Surface(u, "wood", u.choice(["brown", "black", "yellow"])),
            "painting",
            outline=(40, 30, 24),
        )
        canvas.draw(
            rectangle(x + 2.5, y + 2.5, x + w - 2.5, y + h - 2.5),
            Surface(u, "plastic", u.choice(COLOURS)),
            "painting",
        )
        canvas.draw(
            ellipse(x + w / 2, y + h * 0.6, w * 0.28, h * 0.2, points=14),
            Surface(u, "plastic", u.choice(COLOURS)),
            "painting",
        )
    if u() < 0.65:
        x, w = (u(2, SIDE - 50), u(42, 60))
        y = H + u(-2, 6)
        c = u.choice(COLOURS)
        s = Surface(u, "fabric", c, scale=2)
        o = darker(c, 0.45)
        canvas.draw(rounded(x, y - 26, x + w, y - 4, 5), s, "sofa", part="backrest", outline=o)
        canvas.draw(rounded(x - 3, y - 12, x + w + 3, y + 4, 4), s, "sofa", part="seat", outline=o)
        for xx in (x - 5, x + w - 3):
            canvas.draw(rounded(xx, y - 17, xx + 8, y + 5, 3), s, "sofa", outline=o)
    if u() < 0.6:
        canvas.draw(
            ellipse(u(30, SIDE - 30), (H + SIDE) / 2 + 4, u(30, 46), u(8, 13)),
            Surface(
                u,
                u.choice(["woven", "fabric", "zigzagged", "fabric"]),
                u.choice(COLOURS),
                u.choice(["white", "black"]),
                scale=2,
            ),
            "rug",
        )
    if u() < 0.5:
        x = u(8, SIDE - 8)
        y = H - u(30, 40)
        canvas.draw(rectangle(x - 1, y, x + 1, H + 6), Surface(u, "metal", "black"), "lamp")
        canvas.draw(
            polygon((x - 6, y - 10), (x + 6, y - 10), (x + 10, y + 2), (x - 10, y + 2)),
            Surface(u, "fabric", u.choice(["yellow", "white", "orange", "red"])),
            "lamp",
            outline=(70, 60, 40),
        )


def kitchen(canvas: Drawing, u: Stream) -> None:
    """Tiled wall and floor, cabinets and a counter."""
    H = u(78, 98)
    band(
        canvas,
        Surface(
            u, "tile", u.choice(["white", "blue", "yellow", "green", "grey"]), angle=0, scale=u(2.2, 3.6)
        ),
        -2,
        H + 1,
        "wall",
    )
    fc = u.choice([("black", "white"), ("red", "white"), ("grey", "white"), ("brown", "yellow")])
    band(
        canvas,
        Surface(u, "tile", fc[0], angle=0.78, scale=u(2, 2.6))
        if u() < 0.5
        else Surface(u, "chequered", *fc, angle=u.choice([0, 0.78]), scale=u(1.6, 2.0)),
        H,
        SIDE + 2,
        "floor",
    )
    c = u.choice(["brown", "white", "blue", "green", "red", "grey"])
    mat = u.choice(["wood", "wood", "paint"])
    s = Surface(u, mat, c, angle=1.57)
    o = darker(c, 0.5)
    x = u(-10, 4)
    dh = u(14, 24)
    while x < SIDE:
        w = u(18, 30)
        if u() < 0.8:
            canvas.draw(rectangle(x, -2, x + w, dh), s, "cabinet", outline=o)
            canvas.draw(
                rectangle(x + w - 4, dh - 7, x + w - 2.5, dh - 2),
                Surface(u, "metal", "grey"),
                "cabinet",
                part="handle",
            )
        x += w
    ch = u(14, 20)
    x0, x1 = (-2, SIDE * u(0.45, 1.05)) if u() < 0.5 else (SIDE * u(-0.05, 0.5), SIDE + 2)
    yb = H + u(2, 8)
    x = x0
    while x < x1 - 6:
        w = min(u(18, 26), x1 - x)
        canvas.draw(rectangle(x, yb - ch - 4, x + w, yb), s, "cabinet", outline=o)
        x += w
    canvas.draw(
        rectangle(x0, yb - ch - 8, x1, yb - ch - 3),
        Surface(u, "stone", u.choice(["grey", "black", "white"]), scale=2.6),
        "counter",
    )
    if u() < 0.6:
        y = u(dh + 8, H - ch - 24)
        xs = u(0, SIDE - 40)
        canvas.draw(rectangle(xs, y, xs + 36, y + 2.5), Surface(u, "wood", "brown", angle=0), "shelf")
        for k in range(3):
            canvas.draw(
                rectangle(xs + 4 + k * 11, y - u(5, 9), xs + 10 + k * 11, y),
                Surface(u, "plastic", u.choice(COLOURS)),
                "shelf",
                outline=(60, 60, 60),
            )
    if u() < 0.5:
        x = u(10, SIDE - 10)
        canvas.draw(rectangle(x - 0.7, -2, x + 0.7, 16), Surface(u, "metal", "black"), "lamp")
        canvas.draw(
            ellipse(x, 20, 8, 5, 0, 14, math.pi, 2 * math.pi),
            Surface(u, "metal", u.choice(["red", "yellow", "grey", "black"])),
            "lamp",
        )
