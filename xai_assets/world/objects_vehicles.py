"""Car, truck, aeroplane and boat."""

import numpy as np

from xai_assets.world.part import ACCENT, DARK, GLASS, MAIN, SECOND, Part
from xai_assets.world.shapes import bar, ellipse, polygon, rectangle, smooth
from xai_assets.world.streams import Stream


def _wheel(x: float, y: float, r: float) -> list[Part]:
    return [
        Part("wheel", ellipse(x, y, r, r), DARK),
        Part("wheel", ellipse(x, y, r * 0.5, r * 0.5, points=16), ACCENT),
    ]


def car(u: Stream) -> list[Part]:
    """Seen from the side: cabin, windows, chassis, headlight and wheels."""
    L = u(0.85, 1.0)
    h = u(0.18, 0.24)
    top = u(0.3, 0.42)
    r = u(0.19, 0.25)
    f0, f1 = (u(-0.75, -0.5), u(0.35, 0.6))
    t0, t1 = (f0 + u(0.15, 0.3), f1 - u(0.2, 0.35))
    parts = [Part("cabin", polygon((f0, -h), (t0, -h - top), (t1, -h - top), (f1, -h)), MAIN)]
    m = (t0 + t1) / 2
    e = 0.06
    parts.append(
        Part(
            "window",
            polygon((f0 + e + 0.08, -h), (t0 + e, -h - top + e), (m - e / 2, -h - top + e), (m - e / 2, -h)),
            GLASS,
        )
    )
    parts.append(
        Part(
            "window",
            polygon((m + e / 2, -h), (m + e / 2, -h - top + e), (t1 - e, -h - top + e), (f1 - e - 0.08, -h)),
            GLASS,
        )
    )
    parts.append(
        Part(
            "chassis",
            smooth(
                polygon(
                    (-L, -h * 0.7),
                    (-L * 0.9, -h * 1.1),
                    (f1, -h * 1.1),
                    (L * 0.9, -h * 0.7),
                    (L, h * 0.2),
                    (L * 0.97, h),
                    (-L, h),
                ),
                1,
            ),
            MAIN,
        )
    )
    parts.append(Part("headlight", ellipse(L * 0.9, -h * 0.1, 0.08, 0.08, points=12), ACCENT))
    for x in (-L * 0.56, L * 0.55):
        parts += _wheel(x, h, r)
    return parts


def truck(u: Stream) -> list[Part]:
    """Seen from the side: chassis, container, cabin, window, headlight and wheels."""
    L = 1.0
    ch = u(0.62, 0.85)
    r = u(0.17, 0.22)
    cw = u(0.42, 0.56)
    cabh = u(0.5, 0.66)
    xc = L - cw
    parts = [
        Part("chassis", rectangle(-L, 0.28, L * 0.98, 0.42), DARK),
        Part("container", rectangle(-L, 0.3 - ch, xc - 0.05, 0.3), MAIN),
        Part(
            "cabin",
            smooth(
                polygon(
                    (xc, 0.36),
                    (xc, 0.36 - cabh),
                    (xc + cw * 0.6, 0.36 - cabh),
                    (L, 0.36 - cabh * 0.45),
                    (L, 0.36),
                ),
                0,
            ),
            SECOND,
        ),
        Part(
            "window",
            polygon(
                (xc + 0.1, 0.36 - cabh * 0.5),
                (xc + 0.1, 0.36 - cabh + 0.08),
                (xc + cw * 0.55, 0.36 - cabh + 0.08),
                (L - 0.08, 0.36 - cabh * 0.5),
            ),
            GLASS,
        ),
        Part("headlight", ellipse(L * 0.95, 0.25, 0.07, 0.07, points=12), ACCENT),
    ]
    for x in (-L * 0.75, -L * 0.3, xc + cw * 0.55):
        parts += _wheel(x, 0.44, r)
    return parts


def aeroplane(u: Stream) -> list[Part]:
    """Seen from the side and a little above: wings, tail, fuselage and windows."""
    L = 1.0
    h = u(0.15, 0.2)
    sw = u(0.2, 0.5)
    parts = [
        Part(
            "wing",
            polygon(
                (0.22, -h * 0.4),
                (-sw * 0.7 + 0.05, -u(0.6, 0.8)),
                (-sw * 0.7 - 0.18, -0.68),
                (-0.15, -h * 0.4),
            ),
            MAIN,
        ),
        Part(
            "tail",
            polygon((-L * 0.68, -h * 0.6), (-L * 0.98, -u(0.5, 0.66)), (-L * 1.12, -0.55), (-L * 0.95, 0)),
            SECOND,
        ),
        Part(
            "fuselage",
            smooth(
                polygon(
                    (-L, -h * 0.5),
                    (-L * 0.6, -h),
                    (L * 0.6, -h),
                    (L * 0.95, -h * 0.3),
                    (L * 1.02, h * 0.25),
                    (L * 0.6, h),
                    (-L * 0.5, h * 0.85),
                    (-L, h * 0.05),
                )
            ),
            MAIN,
        ),
    ]
    for x in np.linspace(-0.4, 0.5, 5):
        parts.append(Part("window", ellipse(x, -h * 0.3, 0.055, 0.06, points=10), GLASS))
    parts.append(
        Part(
            "window",
            polygon((L * 0.68, -h * 0.75), (L * 0.84, -h * 0.45), (L * 0.8, -h * 0.1), (L * 0.66, -h * 0.15)),
            GLASS,
        )
    )
    parts.append(
        Part(
            "wing",
            polygon((0.3, h * 0.3), (-sw + 0.05, u(0.7, 0.95)), (-sw - 0.25, 0.85), (-0.22, h * 0.3)),
            SECOND,
        )
    )
    parts.append(
        Part(
            "tail",
            polygon((-L * 0.72, -0.02), (-L * 1.1, 0.3), (-L * 1.22, 0.25), (-L * 0.98, -0.04)),
            SECOND,
        )
    )
    return parts


def boat(u: Stream) -> list[Part]:
    """Seen from the side: mast, one sail or two, hull."""
    w = u(0.75, 0.95)
    hh = u(0.3, 0.42)
    mh = u(1.0, 1.25)
    mx = u(-0.15, 0.15)
    y0 = 0.35
    parts = [
        Part("mast", bar(mx, y0, mx, y0 - mh - 0.12, 0.07), DARK),
        Part(
            "sail",
            polygon((mx + 0.07, y0 - mh), (mx + u(0.5, 0.75), y0 - 0.14), (mx + 0.07, y0 - 0.1)),
            SECOND,
        ),
        Part(
            "hull",
            polygon((-w, y0 - 0.02), (w * 1.05, y0 - 0.1), (w * 0.7, y0 + hh), (-w * 0.72, y0 + hh)),
            MAIN,
        ),
    ]
    if u(0, 1) < 0.75:
        parts.insert(
            1,
            Part(
                "sail",
                polygon(
                    (mx - 0.07, y0 - mh * u(0.75, 0.95)),
                    (mx - u(0.4, 0.65), y0 - 0.14),
                    (mx - 0.07, y0 - 0.1),
                ),
                SECOND,
            ),
        )
    return parts
