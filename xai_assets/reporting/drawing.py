"""Marks of a chart as SVG text: lengths in millimetres, two decimals, the same bytes for the same numbers."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

WIDTH = 170.0
INK, MUTED, LINE, PAPER = "#1b2430", "#5b6675", "#e1e5ea", "#ffffff"
FAMILY = "Plex Sans"
SIZE = 2.9  # font size of labels, mm
BASE = 1.0  # from a row's middle down to the baseline of its label


def number(value: float) -> str:
    """Two decimals, no -0, no trailing zeros: short paths and stable bytes."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-0.0", "0") if round(value, 2) else "0"


def text(
    x: float,
    y: float,
    content: Any,
    *,
    anchor: str = "start",
    colour: str = INK,
    size: float = SIZE,
    weight: int = 400,
    turn: float = 0,
) -> str:
    """A label, escaped; turned clockwise by so many degrees around its anchor."""
    turned = f' transform="rotate({number(turn)} {number(x)} {number(y)})"' if turn else ""
    return (
        f'<text x="{number(x)}" y="{number(y)}" font-family="{FAMILY}" font-size="{number(size)}" '
        f'font-weight="{weight}" text-anchor="{anchor}" fill="{colour}"{turned}>{escape(content)}</text>'
    )


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A filled rectangle from its upper left corner."""
    return (
        f'<rect x="{number(x)}" y="{number(y)}" width="{number(max(width, 0))}" height="{number(height)}" '
        f'fill="{colour}"/>'
    )


def line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, dash: str = "") -> str:
    """A straight line, dashed as `dash` says."""
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{number(x1)}" y1="{number(y1)}" x2="{number(x2)}" y2="{number(y2)}" stroke="{colour}" '
        f'stroke-width="{number(width)}"{dashes}/>'
    )


def svg(title: str, height: float, parts: Sequence[str], *, width: float = WIDTH) -> Markup:
    """A picture of `parts`, width x height, with its alt text; `parts` must come from this module's functions."""
    body = "".join(parts)
    return Markup(  # noqa: S704
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{number(width)}mm" '
        f'height="{number(height)}mm" viewBox="0 0 {number(width)} {number(height)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def short(text: str, limit: int) -> str:
    """`text`, cut with an ellipsis where it is longer than `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def marker(shape: str, x: float, y: float, colour: str, size: float = 1.35) -> str:
    """A marker of one of the shapes of `names`.

    They are circle, square, triangle, down (a triangle on its tip), diamond, cross, and ring for controls; the corners'
    ones may have `-open` after them: not filled.
    """
    if shape == "ring":
        return (
            f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(size * 0.8)}" fill="{PAPER}" '
            f'stroke="{colour}" stroke-width="0.5"/>'
        )
    if shape == "circle":
        return f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(size)}" fill="{colour}"/>'
    if shape == "cross":
        arm = size * 0.85
        return line(x - arm, y - arm, x + arm, y + arm, colour, 0.45) + line(
            x - arm, y + arm, x + arm, y - arm, colour, 0.45
        )
    kind, _, is_open = shape.partition("-")
    corners = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "triangle": ((0, -1.2), (1.15, 0.85), (-1.15, 0.85)),
        "down": ((0, 1.2), (1.15, -0.85), (-1.15, -0.85)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    }[kind]
    points = " ".join(f"{number(x + size * dx)},{number(y + size * dy)}" for dx, dy in corners)
    if is_open:
        return f'<polygon points="{points}" fill="{PAPER}" stroke="{colour}" stroke-width="0.45"/>'
    return f'<polygon points="{points}" fill="{colour}"/>'


def readable(colour: str) -> str:
    """White or ink, whichever is the easier to read on `colour` (WCAG's relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return PAPER if luminance < 0.23 else INK


def shade(value: float | None) -> str:
    """A background for a table's cell, white at 0 and blue-green at 1; the number stands in it, in ink."""
    part = 0.0 if value is None else min(max(value, 0.0), 1.0)
    low, high = (255, 255, 255), (120, 178, 196)
    return "#" + bytes(round(a + (b - a) * part) for a, b in zip(low, high, strict=True)).hex()
