"""Forest, street and mountains."""

import numpy as np

from xai_assets.world.canvas import Drawing
from xai_assets.world.scenery import band, ridge, sky
from xai_assets.world.shapes import ellipse, polygon, rectangle
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import SIDE


def forest(canvas: Drawing, u: Stream) -> None:
    """A wall of leaves, trunks and undergrowth."""
    H = u(66, 92)
    canvas.draw(
        rectangle(-1, -1, SIDE + 1, H + 2),
        Surface(u, "foliage", "green", scale=u(1.6, 2.4), rgb=(44, 92, 50)),
        "tree",
        part="crown",
    )
    c = u.choice(["brown", "brown", "green", "orange"])
    band(
        canvas,
        Surface(
            u,
            "foliage",
            c,
            scale=1.6,
            rgb={"brown": (110, 82, 52), "green": (74, 112, 52), "orange": (184, 112, 50)}[c],
        ),
        H,
        SIDE + 2,
        "ground",
    )
    n = 4 + u.integer(4)
    xs = sorted(u.uniforms(0, SIDE, n))
    for x in xs:
        w = u(4, 10)
        y = H + u(0, 22)
        canvas.draw(
            polygon((x - w * 0.4, -2), (x + w * 0.4, -2), (x + w * 0.55, y), (x - w * 0.55, y)),
            Surface(u, "wood", u.choice(["brown", "brown", "grey", "white"]), angle=1.57, scale=u(1.6, 2.4)),
            "tree",
            part="trunk",
            outline=(40, 30, 22),
        )
    s = Surface(u, "foliage", "green", scale=1.7, rgb=(62, 124, 58))
    for _ in range(5):
        canvas.draw(ellipse(u(0, SIDE), u(-4, 12), u(14, 24), u(8, 16), points=16), s, "tree", part="crown")
    for _ in range(u.integer(3)):
        x, y, r = (u(0, SIDE), u(H + 4, SIDE), u(5, 10))
        canvas.draw(
            ellipse(x, y, r * 1.3, r * 0.8, points=14), Surface(u, "foliage", "green", scale=1.8), "bush"
        )


def street(canvas: Drawing, u: Stream) -> None:
    """House fronts, a pavement, a road and perhaps a street light."""
    H = u(62, 86)
    sky(canvas, u, H)
    x = u(-14, 0)
    while x < SIDE:
        w = u(20, 38)
        h = u(26, H - 4)
        fin = u.choice(["windows", "windows", "windows", "brick"])
        c1 = u.choice(["grey", "brown", "blue", "white", "pink", "orange", "black", "red"])
        c2 = u.choice([c for c in ("yellow", "black", "white", "blue") if c != c1])
        canvas.draw(
            rectangle(x, H - h, x + w, H + 1),
            Surface(u, fin, c1, c2, scale=u(1.6, 2.6), angle=0),
            "skyscraper",
            outline=(50, 50, 56),
            second_part="window",
        )
        if fin == "brick":
            g = Surface(u, "glass", "blue", scale=2)
            for yy in np.arange(H - h + 5, H - 8, 11):
                for xx in np.arange(x + 4, x + w - 7, 9):
                    canvas.draw(rectangle(xx, yy, xx + 5, yy + 6), g, "skyscraper", part="window")
        x += w + u(-2, 6)
    band(canvas, Surface(u, "tile", "grey", scale=2.4, angle=0), H, H + 9, "pavement")
    c = u.choice(["grey", "black"])
    band(
        canvas,
        Surface(u, "asphalt", c, rgb={"grey": (112, 112, 118), "black": (54, 54, 60)}[c], scale=1.5),
        H + 8,
        SIDE + 2,
        "road",
    )
    yl = u(H + 18, SIDE - 10)
    off = u(0, 20)
    wl = Surface(u, "plastic", u.choice(["white", "yellow"]))
    for k in range(7):
        canvas.draw(
            polygon(
                (off + k * 26 - 26, yl),
                (off + k * 26 - 12, yl),
                (off + k * 26 - 13, yl + 3),
                (off + k * 26 - 27, yl + 3),
            ),
            wl,
            "road",
        )
    if u() < 0.5:
        x = u(6, SIDE - 6)
        s = Surface(u, "metal", "black", scale=1.5)
        top = H - u(28, 44)
        canvas.draw(rectangle(x - 1.2, top, x + 1.2, H + 7), s, "streetlight")
        canvas.draw(ellipse(x, top, 4, 4, points=12), Surface(u, "plastic", "yellow"), "streetlight")


def mountains(canvas: Drawing, u: Stream) -> None:
    """Mountains with white peaks, snow and pines."""
    H = u(50, 76)
    sky(canvas, u, H + 6)
    for _ in range(2 + u.integer(2)):
        cx, w, h = (u(0, SIDE), u(34, 60), u(26, 52))
        base = H + 6
        c = u.choice(["grey", "brown", "blue"])
        canvas.draw(
            polygon((cx - w, base), (cx, base - h), (cx + w, base)),
            Surface(
                u,
                "stone",
                c,
                scale=1.6,
                rgb={"grey": (118, 122, 132), "brown": (132, 106, 86), "blue": (88, 110, 168)}[c],
            ),
            "mountain",
            outline=(76, 80, 92),
        )
        f = u(0.3, 0.45)
        canvas.draw(
            polygon(
                (cx, base - h),
                (cx + w * f, base - h * (1 - f)),
                (cx + w * f * 0.4, base - h * (1 - f) - 3),
                (cx, base - h * (1 - f) + 4),
                (cx - w * f * 0.4, base - h * (1 - f) - 3),
                (cx - w * f, base - h * (1 - f)),
            ),
            Surface(u, "snow", "white"),
            "mountain",
            part="peak",
        )
    canvas.draw(ridge(u, H + 8, 8, 6), Surface(u, "snow", "white", scale=1.3, rgb=(236, 240, 248)), "snow")
    for _ in range(1 + u.integer(4)):
        x, y, h = (u(2, SIDE - 2), u(H + 10, SIDE - 6), u(18, 36))
        canvas.draw(
            rectangle(x - 1.6, y - h * 0.15, x + 1.6, y), Surface(u, "wood", "brown"), "pine", part="trunk"
        )
        s = Surface(u, "foliage", "green", scale=2, rgb=(38, 92, 62))
        for k in range(3):
            yy = y - h * 0.12 - k * h * 0.24
            ww = h * (0.34 - 0.07 * k)
            canvas.draw(polygon((x - ww, yy), (x, yy - h * 0.42), (x + ww, yy)), s, "pine", part="crown")
