"""Charts as inline SVG: vector, in the report's own fonts, the same bytes for the same numbers.

Each function returns safe markup whose `<title>` is the chart's alt text, made from its numbers. Labels are escaped.
Lengths are in millimetres; a chart is as wide as the text column.
"""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from xai_assets.reporting import names

WIDTH = 170.0
INK, MUTED, LINE, PAPER = "#1b2430", "#5b6675", "#e1e5ea", "#ffffff"
SIGNS = {"above": "▲", "same": "◆", "below": "▼", "plain": "○"}
"""Shapes that go with the colours of a reading."""

_SIZE = 2.9  # font size of labels, mm
_BASE = 1.0  # from a row's middle down to the baseline of its label


def _number(value: float) -> str:
    """Two decimals, no -0, no trailing zeros: short paths and stable bytes."""
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-0.0", "0") if round(value, 2) else "0"


def _text(x: float, y: float, text: Any, *, anchor: str = "start", colour: str = INK, size: float = _SIZE,
          weight: int = 400) -> str:
    return (f'<text x="{_number(x)}" y="{_number(y)}" font-family="Plex Sans" font-size="{_number(size)}" '
            f'font-weight="{weight}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>')


def _rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    return (f'<rect x="{_number(x)}" y="{_number(y)}" width="{_number(max(width, 0))}" height="{_number(height)}" '
            f'fill="{colour}"/>')


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{_number(x1)}" y1="{_number(y1)}" x2="{_number(x2)}" y2="{_number(y2)}" stroke="{colour}" '
            f'stroke-width="{_number(width)}"{dashes}/>')


def _svg(title: str, height: float, parts: Sequence[str]) -> Markup:
    body = "".join(parts)
    # Everything in `parts` was made above, from numbers and escaped text.
    return Markup(  # noqa: S704
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" width="{_number(WIDTH)}mm" '
        f'height="{_number(height)}mm" viewBox="0 0 {_number(WIDTH)} {_number(height)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def marker(shape: str, x: float, y: float, colour: str, size: float = 1.35) -> str:
    """A marker of one of the shapes of `names`: circle, square, triangle, diamond, or ring for controls."""
    if shape == "ring":
        return (f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(size * 0.8)}" fill="{PAPER}" '
                f'stroke="{colour}" stroke-width="0.5"/>')
    if shape == "circle":
        return f'<circle cx="{_number(x)}" cy="{_number(y)}" r="{_number(size)}" fill="{colour}"/>'
    corners = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "triangle": ((0, -1.2), (1.15, 0.85), (-1.15, 0.85)),
        "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    }[shape]
    points = " ".join(f"{_number(x + size * dx)},{_number(y + size * dy)}" for dx, dy in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def icon(key: str) -> Markup:
    """The marker of a method as a small picture for a table's row; decoration, the name stands beside it."""
    style = names.method(key)
    body = marker(style.shape, 2, 2, style.colour, 1.4)
    return Markup(  # noqa: S704
        f'<svg xmlns="http://www.w3.org/2000/svg" class="icon" width="4mm" height="4mm" viewBox="0 0 4 4">'
        f"<title>{escape(style.title)}</title>{body}</svg>"
    )


def forest(rows: Sequence[dict[str, Any]], *, title: str, unit: str, chance: float | None = None) -> Markup:
    """Mean and interval of each row on one axis from 0 to 1, with the chance level as a dashed line.

    Args:
        rows: `key` (method or control) and `value` (mean, low, high, n) of each.
        title: the alt text.
        unit: what stands under the axis.
        chance: where the dashed line stands.
    """
    left, right, step = 32.0, 30.0, 6.4
    span = WIDTH - left - right
    height = step * len(rows) + 11
    floor = step * len(rows) + 1.5
    parts = []
    for tick in range(0, 11, 2):
        x = left + span * tick / 10
        parts += [_line(x, 0.8, x, floor, LINE, 0.15), _text(x, floor + 3.8, f"{tick / 10:.1f}", anchor="middle", colour=MUTED)]
    if chance is not None:
        x = left + span * chance
        parts += [_line(x, 0.8, x, floor, MUTED, 0.35, "1.2 0.9")]
    for number, row in enumerate(rows):
        y = step * (number + 0.5) + 1
        style, value = names.method(row["key"]), row["value"]
        parts.append(_text(left - 3, y + _BASE, _short(style.title, 20), anchor="end"))
        if value is None:
            parts.append(_text(left + 1, y + _BASE, "no value", colour=MUTED))
            continue
        low = value["mean"] if value["low"] is None else value["low"]
        high = value["mean"] if value["high"] is None else value["high"]
        parts.append(_line(left + span * low, y, left + span * high, y, style.colour, 0.7))
        parts += [_line(left + span * end, y - 1, left + span * end, y + 1, style.colour, 0.45) for end in (low, high)]
        parts.append(marker(style.shape, left + span * value["mean"], y, style.colour))
        parts.append(_text(WIDTH, y + _BASE, f"{value['mean']:.2f}  [{low:.2f}, {high:.2f}]", anchor="end"))
    note = unit + ("" if chance is None else f"; dashed: chance {chance:.2f}")
    parts.append(_text(left + span / 2, floor + 8.4, note, anchor="middle", colour=MUTED))
    return _svg(title, height, parts)


def shares(rows: Sequence[dict[str, Any]], *, title: str) -> Markup:
    """One bar of equal length a row, divided by category, with the count in each part that has room for it.

    Args:
        rows: `label`, `total` and `parts`: list of `category` and `count`.
        title: the alt text.
    """
    left, right, step, bar = 26.0, 16.0, 8.0, 5.4
    span = WIDTH - left - right
    parts = []
    for number, row in enumerate(rows):
        top = step * number + 1
        parts.append(_text(left - 3, top + bar / 2 + _BASE, _short(row["label"], 16), anchor="end"))
        x = left
        for part in row["parts"]:
            width = span * part["count"] / row["total"] if row["total"] else 0.0
            colour = names.category(part["category"]).colour
            parts.append(_rect(x, top, width - 0.25, bar, colour))
            if width > 6:
                parts.append(_text(x + width / 2, top + bar / 2 + _BASE, part["count"], anchor="middle", size=2.7,
                                   colour=_readable(colour)))
            x += width
        parts.append(_text(WIDTH, top + bar / 2 + _BASE, f"n = {row['total']}", anchor="end", colour=MUTED))
    used = [key for key in [*names.CATEGORIES, *_others(rows)] if any(
        part["category"] == key and part["count"] for row in rows for part in row["parts"])]
    x, y = left, step * len(rows) + 3.2
    for key in used:
        style = names.category(key)
        parts += [_rect(x, y - 2.2, 2.8, 2.8, style.colour), _text(x + 4, y, _short(style.title, 18), colour=MUTED)]
        x += 9 + 1.6 * min(len(style.title), 18)
    return _svg(title, step * len(rows) + 5.5, parts)


def _others(rows: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({p["category"] for row in rows for p in row["parts"]} - set(names.CATEGORIES))


def _readable(colour: str) -> str:
    """White or ink, whichever is the easier to read on `colour` (WCAG's relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return PAPER if luminance < 0.23 else INK


LEFT, BOTH, RIGHT = "#0b4f6c", "#9aa8b5", "#b5632a"
"""Only in the first model, in both, only in the second."""


def overlaps(rows: Sequence[dict[str, Any]], *, title: str, names_of: tuple[str, str]) -> Markup:
    """Concepts by layer: only in the first model (to the left), in both (the middle), only in the second.

    Args:
        rows: `layer`, `only_a`, `shared`, `only_b`, `jaccard`.
        title: the alt text.
        names_of: the two models.
    """
    left, right, step, bar = 20.0, 26.0, 8.0, 5.4
    span = WIDTH - left - right
    most = max((row["only_a"] + row["shared"] + row["only_b"] for row in rows), default=0) or 1
    parts = []
    for number, row in enumerate(rows):
        top = step * number + 1
        middle = top + bar / 2 + _BASE
        parts.append(_text(left - 3, middle, _short(row["layer"], 12), anchor="end"))
        x = left
        for key, colour in (("only_a", LEFT), ("shared", BOTH), ("only_b", RIGHT)):
            width = span * row[key] / most
            parts.append(_rect(x, top, width - 0.25, bar, colour))
            if width > 6:
                parts.append(_text(x + width / 2, middle, row[key], anchor="middle", size=2.7, colour=_readable(colour)))
            x += width
        jaccard = "–" if row["jaccard"] is None else f"{row['jaccard']:.2f}"
        parts.append(_text(WIDTH, middle, f"Jaccard {jaccard}", anchor="end", colour=MUTED))
    y, x = step * len(rows) + 3.2, left
    for label, colour in ((f"only {names_of[0]}", LEFT), ("in both", BOTH), (f"only {names_of[1]}", RIGHT)):
        label = _short(label, 34)
        parts += [_rect(x, y - 2.2, 2.8, 2.8, colour), _text(x + 4, y, label, colour=MUTED)]
        x += 10 + 1.65 * len(label)
    return _svg(title, step * len(rows) + 5.5, parts)


def mirrored(rows: Sequence[dict[str, Any]], *, title: str, names_of: tuple[str, str]) -> Markup:
    """Units a concept in two models: bars to the left for the first, to the right for the second.

    Args:
        rows: `concept`, `a` and `b` (numbers of units).
        title: the alt text.
        names_of: the two models.
    """
    gutter, step, bar, edge = 36.0, 4.9, 3.2, 10.0
    span = (WIDTH - gutter) / 2 - edge
    middle = WIDTH / 2
    most = max((max(row["a"], row["b"]) for row in rows), default=0) or 1
    head = 6.0
    parts = [
        _text(middle - gutter / 2, 3.4, _short(names_of[0], 40), anchor="end", colour=LEFT, weight=600),
        _text(middle + gutter / 2, 3.4, _short(names_of[1], 40), colour=RIGHT, weight=600),
        _text(middle, 3.4, "units", anchor="middle", colour=MUTED),
    ]
    for number, row in enumerate(rows):
        top = head + step * number
        y = top + bar / 2 + _BASE
        a, b = span * row["a"] / most, span * row["b"] / most
        parts.append(_text(middle, y, _short(row["concept"], 22), anchor="middle"))
        parts += [_rect(middle - gutter / 2 - a, top, a, bar, LEFT), _rect(middle + gutter / 2, top, b, bar, RIGHT)]
        parts.append(_text(middle - gutter / 2 - a - 1.4, y, row["a"], anchor="end", colour=INK if row["a"] else MUTED))
        parts.append(_text(middle + gutter / 2 + b + 1.4, y, row["b"], colour=INK if row["b"] else MUTED))
    return _svg(title, head + step * len(rows) + 0.5, parts)


def gradient(stops: Sequence[str], low: str, high: str, *, title: str) -> Markup:
    """The colour bar of a colour map, with what its two ends mean."""
    step = 46.0 / len(stops)
    parts = [_rect(22 + i * step, 0.6, step + 0.1, 2.8, colour) for i, colour in enumerate(stops)]
    parts += [_text(20.4, 3, low, anchor="end", colour=MUTED), _text(69.6, 3, high, colour=MUTED)]
    svg = _svg(title, 4.2, parts)
    return Markup(svg.replace(f'width="{_number(WIDTH)}mm"', 'width="100mm"', 1).replace(  # noqa: S704
        f'viewBox="0 0 {_number(WIDTH)} ', 'viewBox="0 0 100 ', 1))
