"""House, flower, chair and teapot."""

import math

import numpy as np

from xai_assets.world.part import ACCENT, GLASS, MAIN, PLANT, SECOND, Part
from xai_assets.world.shapes import bar, ellipse, polygon, rectangle, smooth
from xai_assets.world.streams import Stream, cos, power, sin


def house(u: Stream) -> list[Part]:
    """Seen from the front: facade, roof, door, windows and perhaps a chimney."""
    w = u(0.6, 0.85)
    wh = u(0.55, 0.8)
    rh = u(0.42, 0.65)
    ov = u(0.08, 0.2)
    y0 = u(-0.1, 0.1)
    parts: list[Part] = []
    if u(0, 1) < 0.65:
        cx = u(0.2, 0.45)
        parts.append(Part("chimney", rectangle(cx, y0 - rh * 0.95, cx + 0.2, y0 - 0.1), MAIN))
    parts.append(Part("facade", rectangle(-w, y0 - 0.02, w, y0 + wh), MAIN))
    k = u(0, 0.35)
    parts.append(
        Part("roof", polygon((-w - ov, y0), (-k * w, y0 - rh), (k * w, y0 - rh), (w + ov, y0)), SECOND)
    )
    dx = u(-0.15, 0.15)
    parts.append(Part("door", rectangle(dx - 0.13, y0 + wh * 0.42, dx + 0.13, y0 + wh), ACCENT))
    for x in (-w * 0.62, w * 0.62):
        parts.append(Part("window", rectangle(x - 0.15, y0 + wh * 0.22, x + 0.15, y0 + wh * 0.62), GLASS))
    return parts


def flower(u: Stream) -> list[Part]:
    """Seen from the front: stem, leaves, five to eight petals and a disc."""
    n = int(u(5, 8.99))
    R = u(0.32, 0.42)
    cy = -0.45
    pr = u(0.2, 0.27)
    bend = u(-0.2, 0.2)
    parts = [
        Part(
            "stem",
            smooth(
                polygon(
                    (-0.05, cy), (0.05, cy), (bend + 0.06, 0.3), (0.07, 1.0), (-0.07, 1.0), (bend - 0.06, 0.3)
                ),
                1,
            ),
            PLANT,
        )
    ]
    for s in (-1, 1):
        ly = u(0.3, 0.7)
        parts.append(
            Part(
                "leaf",
                smooth(
                    polygon(
                        (0.0, ly + 0.12),
                        (s * 0.2, ly - 0.22),
                        (s * u(0.5, 0.65), ly - u(0.2, 0.4)),
                        (s * 0.32, ly + 0.1),
                    ),
                    2,
                ),
                PLANT,
            )
        )
    ph = u(0, 1)
    for k in range(n):
        a = 2 * math.pi * (k + ph) / n
        parts.append(
            Part(
                "petal",
                ellipse(R * cos(a), cy + R * sin(a), R * 0.78, pr * power(6.5 / n, 0.6), a, points=20),
                MAIN,
            )
        )
    parts.append(Part("disc", ellipse(0, cy, u(0.15, 0.21), u(0.15, 0.21)), ACCENT))
    return parts


def chair(u: Stream) -> list[Part]:
    """Seen at an angle: legs, a full or slatted backrest and a seat."""
    w = u(0.42, 0.55)
    bh = u(0.75, 0.95)
    lh = u(0.6, 0.78)
    dx, dy = (u(0.18, 0.3), u(0.12, 0.2))
    lw = u(0.1, 0.14)
    parts = [
        Part("leg", bar(-w + dx, -dy, -w + dx, lh - dy * 1.6, lw), MAIN),
        Part("leg", bar(w + dx, -dy, w + dx, lh - dy * 1.6, lw), MAIN),
    ]
    if u(0, 1) < 0.5:
        parts.append(
            Part(
                "backrest",
                polygon((-w + dx, -dy), (-w + dx + 0.04, -dy - bh), (w + dx + 0.04, -dy - bh), (w + dx, -dy)),
                SECOND,
            )
        )
    else:
        parts.append(Part("backrest", bar(-w + dx + 0.03, 0, -w + dx + 0.06, -dy - bh, lw * 1.2), SECOND))
        parts.append(Part("backrest", bar(w + dx - 0.03, 0, w + dx + 0.03, -dy - bh, lw * 1.2), SECOND))
        for f in (0.4, 0.68, 0.95):
            parts.append(Part("backrest", bar(-w + dx, -dy - bh * f, w + dx, -dy - bh * f, 0.13), SECOND))
    parts.append(
        Part("seat", polygon((-w - 0.04, 0.08), (w - 0.02, 0.08), (w + dx + 0.04, -dy), (-w + dx, -dy)), MAIN)
    )
    parts.append(Part("seat", rectangle(-w - 0.04, 0.06, w - 0.02, 0.18), MAIN))
    parts += [
        Part("leg", bar(-w, 0.15, -w, lh, lw), MAIN),
        Part("leg", bar(w - 0.06, 0.15, w - 0.06, lh, lw), MAIN),
    ]
    return parts


def teapot(u: Stream) -> list[Part]:
    """Seen from the side: handle, spout, pot and lid."""
    w = u(0.48, 0.62)
    h = u(0.42, 0.55)
    hw = u(0.3, 0.42)
    return [
        Part(
            "handle",
            np.concatenate(
                [
                    ellipse(-w * 0.8, 0.02, hw, h * 0.72, 0, 18, math.pi * 0.5, math.pi * 1.5),
                    ellipse(-w * 0.8, 0.02, hw - 0.13, h * 0.72 - 0.13, 0, 18, math.pi * 1.5, math.pi * 0.5),
                ]
            ),
            SECOND,
        ),
        Part(
            "spout",
            smooth(
                polygon(
                    (w * 0.6, h * 0.55),
                    (w * 0.7, -0.08),
                    (w + u(0.12, 0.25), -h * 0.35),
                    (w + u(0.3, 0.42), -h - 0.1),
                    (w + 0.5, -h - 0.02),
                    (w + 0.3, h * 0.1),
                ),
                1,
            ),
            SECOND,
        ),
        Part(
            "pot",
            smooth(
                polygon(
                    (-w * 0.6, -h),
                    (w * 0.6, -h),
                    (w * 1.15, -h * 0.1),
                    (w * 0.95, h * 0.75),
                    (w * 0.5, h),
                    (-w * 0.5, h),
                    (-w * 0.95, h * 0.75),
                    (-w * 1.15, -h * 0.1),
                )
            ),
            MAIN,
        ),
        Part(
            "lid",
            smooth(
                polygon(
                    (-w * 0.62, -h * 0.88),
                    (-w * 0.45, -h - 0.14),
                    (w * 0.45, -h - 0.14),
                    (w * 0.62, -h * 0.88),
                ),
                1,
            ),
            SECOND,
        ),
        Part("lid", ellipse(0, -h - 0.2, 0.1, 0.1, points=14), ACCENT),
    ]
