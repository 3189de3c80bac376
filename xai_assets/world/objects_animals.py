"""Bird, fish, dog and butterfly."""

from xai_assets.world.part import ACCENT, DARK, MAIN, SECOND, WHITE, Part
from xai_assets.world.shapes import bar, ellipse, polygon, rounded, smooth
from xai_assets.world.streams import Stream


def bird(u: Stream) -> list[Part]:
    """Seen from the side: tail, legs, body, beak, head, eye and a folded or raised wing."""
    L = u(0.75, 0.95)
    h = u(0.34, 0.46)
    hr = u(0.2, 0.26)
    hx, hy = (L * 0.72, -h * u(0.8, 1.2))
    tl = u(0.35, 0.6)
    up = u(-0.25, 0.15)
    lx = u(-0.05, 0.15)
    parts = [
        Part(
            "tail",
            polygon((-L * 0.55, -0.12), (-L - tl, up - 0.12), (-L - tl * 0.85, up + 0.12), (-L * 0.5, 0.16)),
            SECOND,
        )
    ]
    for d in (0.0, 0.22):
        parts.append(Part("leg", bar(lx + d, h * 0.6, lx + d + 0.05, h + u(0.28, 0.42), 0.07), ACCENT))
    parts.append(
        Part(
            "body",
            smooth(
                polygon(
                    (-L * 0.75, 0.0),
                    (-L * 0.2, -h),
                    (L * 0.5, -h * 0.95),
                    (L * 0.8, -h * 0.2),
                    (L * 0.45, h * 0.85),
                    (-L * 0.2, h * 0.95),
                )
            ),
            MAIN,
        )
    )
    parts.append(
        Part(
            "beak",
            polygon(
                (hx + hr * 0.7, hy - 0.1), (hx + hr + u(0.2, 0.34), hy + 0.04), (hx + hr * 0.7, hy + 0.14)
            ),
            ACCENT,
        )
    )
    parts.append(Part("head", ellipse(hx, hy, hr, hr), MAIN))
    parts.append(Part("eye", ellipse(hx + hr * 0.3, hy - hr * 0.15, 0.055, 0.055, points=10), DARK))
    wl = u(0.55, 0.8)
    if u(0, 1) < 0.5:
        parts.append(
            Part(
                "wing",
                smooth(
                    polygon(
                        (L * 0.35, -h * 0.35),
                        (L * 0.1, h * 0.45),
                        (-wl * 0.7, h * 0.4),
                        (-wl * 1.15, h * 0.05),
                        (-wl * 0.3, -h * 0.5),
                    )
                ),
                SECOND,
            )
        )
    else:
        parts.append(
            Part(
                "wing",
                smooth(
                    polygon(
                        (L * 0.35, -h * 0.2),
                        (-L * 0.15, h * 0.1),
                        (-wl * 0.95, -h - 0.45),
                        (-wl * 0.5, -h - 0.75),
                        (0.0, -h - 0.35),
                    )
                ),
                SECOND,
            )
        )
    return parts


def fish(u: Stream) -> list[Part]:
    """Seen from the side: tail, fins, body and eye."""
    L = u(0.75, 0.92)
    h = u(0.36, 0.55)
    parts = [
        Part(
            "tail",
            smooth(
                polygon(
                    (-L * 0.7, -0.05),
                    (-L - u(0.25, 0.4), -u(0.35, 0.5)),
                    (-L - 0.12, 0.0),
                    (-L - u(0.25, 0.4), u(0.35, 0.5)),
                    (-L * 0.7, 0.05),
                ),
                1,
            ),
            SECOND,
        ),
        Part(
            "fin",
            polygon(
                (-L * 0.3, -h * 0.75),
                (-L * 0.15, -h - u(0.2, 0.4)),
                (L * 0.2, -h - u(0.05, 0.2)),
                (L * 0.35, -h * 0.7),
            ),
            SECOND,
        ),
        Part("fin", polygon((-L * 0.1, h * 0.8), (-L * 0.2, h + u(0.15, 0.3)), (L * 0.15, h * 0.85)), SECOND),
    ]
    parts.append(
        Part(
            "body",
            smooth(
                polygon(
                    (-L * 0.85, 0),
                    (-L * 0.45, -h * 0.62),
                    (L * 0.1, -h * 1.1),
                    (L * 0.75, -h * 0.6),
                    (L * 1.05, 0.0),
                    (L * 0.75, h * 0.65),
                    (L * 0.1, h * 1.1),
                    (-L * 0.45, h * 0.62),
                )
            ),
            MAIN,
        )
    )
    parts.append(
        Part(
            "fin",
            smooth(polygon((L * 0.2, 0.02), (-L * 0.18, -0.08), (-L * 0.28, 0.16), (L * 0.1, 0.2)), 1),
            SECOND,
        )
    )
    parts.append(Part("eye", ellipse(L * 0.68, -h * 0.25, 0.1, 0.1, points=14), WHITE))
    parts.append(Part("eye", ellipse(L * 0.7, -h * 0.25, 0.05, 0.05, points=10), DARK))
    return parts


def dog(u: Stream) -> list[Part]:
    """Seen from the side: tail, legs, body, head, ear and eye."""
    L = u(0.55, 0.72)
    h = u(0.24, 0.32)
    ll = u(0.42, 0.58)
    w = u(0.13, 0.18)
    hx, hy = (L + u(0.08, 0.2), -h - u(0.12, 0.3))
    parts = [
        Part(
            "tail",
            smooth(
                polygon(
                    (-L * 0.9, -h * 0.9),
                    (-L - 0.2, -h - u(0.2, 0.5)),
                    (-L - 0.3, -h - u(0.35, 0.6)),
                    (-L - 0.13, -h - 0.25),
                    (-L * 0.8, -h * 0.3),
                ),
                1,
            ),
            MAIN,
        )
    ]
    for x in (-L * 0.55, L * 0.75):
        parts.append(Part("leg", bar(x + 0.1, h * 0.3, x + 0.1 + u(-0.08, 0.08), h + ll, w), MAIN))
    parts.append(Part("body", rounded(-L, -h, L, h, 0.24), MAIN))
    for x in (-L * 0.8, L * 0.55):
        parts.append(Part("leg", bar(x, h * 0.3, x + u(-0.08, 0.08), h + ll, w), MAIN))
    parts.append(
        Part(
            "head",
            smooth(
                polygon(
                    (L * 0.55, -h * 0.9),
                    (hx - 0.2, hy - 0.2),
                    (hx + 0.2, hy - 0.26),
                    (hx + 0.28, hy - 0.05),
                    (hx + u(0.42, 0.56), hy + 0.02),
                    (hx + 0.46, hy + 0.2),
                    (hx + 0.15, hy + 0.26),
                    (L * 0.95, h * 0.2),
                )
            ),
            MAIN,
        )
    )
    parts.append(
        Part(
            "ear",
            smooth(
                polygon(
                    (hx - 0.2, hy - 0.24),
                    (hx + 0.04, hy - 0.24),
                    (hx - 0.02, hy + u(0.12, 0.28)),
                    (hx - 0.24, hy + u(0.1, 0.25)),
                ),
                1,
            ),
            SECOND,
        )
    )
    parts.append(Part("eye", ellipse(hx + 0.15, hy - 0.08, 0.05, 0.05, points=10), DARK))
    return parts


def butterfly(u: Stream) -> list[Part]:
    """Seen from above: two pairs of wings, antennae, body and head."""
    a, b = (u(0.75, 0.95), u(0.55, 0.8))
    c, d = (u(0.5, 0.7), u(0.45, 0.7))
    parts: list[Part] = []
    for s in (-1, 1):
        parts.append(
            Part(
                "wing",
                smooth(
                    polygon(
                        (s * 0.04, 0.0),
                        (s * c * 0.5, 0.08),
                        (s * c, d * 0.5),
                        (s * c * 0.8, d),
                        (s * c * 0.35, d * 0.9),
                        (s * 0.05, 0.3),
                    ),
                    2,
                ),
                SECOND,
            )
        )
        parts.append(
            Part(
                "wing",
                smooth(
                    polygon(
                        (s * 0.03, -0.1),
                        (s * a * 0.5, -b),
                        (s * a, -b * 0.95),
                        (s * a * 1.05, -b * 0.35),
                        (s * a * 0.6, 0.1),
                        (s * 0.04, 0.12),
                    ),
                    2,
                ),
                MAIN,
            )
        )
        parts.append(Part("antenna", bar(s * 0.03, -0.42, s * u(0.2, 0.4), -u(0.8, 1.0), 0.05), DARK))
    parts.append(Part("body", ellipse(0, 0.08, 0.09, 0.48), ACCENT))
    parts.append(Part("head", ellipse(0, -0.42, 0.11, 0.11, points=14), ACCENT))
    return parts
