"""Charts as inline SVG: vector, in the report's own fonts, the same bytes for the same numbers.

Each function returns safe markup whose `<title>` is the chart's alt text, made from its numbers. Labels are escaped.
Lengths are in millimetres; a chart is as wide as the text column.
"""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from xai_assets.reporting import drawing as d
from xai_assets.reporting import names
from xai_assets.reporting.curves import curves

__all__ = ["SIGNS", "curves", "forest", "gradient", "icon", "mirrored", "overlaps", "shares"]

SIGNS = {"above": "▲", "same": "◆", "below": "▼", "plain": "○", "ok": "●"}
"""Shapes that go with the colours of a reading."""


def icon(key: str) -> Markup:
    """The d.marker of a method as a small picture for a table's row; decoration, the name stands beside it."""
    style = names.method(key)
    body = d.marker(style.shape, 2, 2, style.colour, 1.4)
    return Markup(  # noqa: S704
        f'<svg xmlns="http://www.w3.org/2000/svg" class="icon" width="4mm" height="4mm" viewBox="0 0 4 4">'
        f"<title>{escape(style.title)}</title>{body}</svg>"
    )


def forest(rows: Sequence[dict[str, Any]], *, title: str, unit: str) -> Markup:
    """Mean and interval of each row on one axis from 0 to 1, and what chance gives it as a dashed line.

    Args:
        rows: `key` (method or control), `value` (mean, low, high, n) and `chance` (None: no line) of each.
        title: the alt text.
        unit: what stands under the axis.
    """
    left, right, step = 32.0, 30.0, 6.4
    span = d.WIDTH - left - right
    height = step * len(rows) + 11
    floor = step * len(rows) + 1.5
    parts = []
    for tick in range(0, 11, 2):
        x = left + span * tick / 10
        parts += [
            d.line(x, 0.8, x, floor, d.LINE, 0.15),
            d.text(x, floor + 3.8, f"{tick / 10:.1f}", anchor="middle", colour=d.MUTED),
        ]
    for number, row in enumerate(rows):
        y = step * (number + 0.5) + 1
        style, value = names.method(row["key"]), row["value"]
        parts.append(d.text(left - 3, y + d.BASE, d.short(style.title, 20), anchor="end"))
        if value is None:
            parts.append(d.text(left + 1, y + d.BASE, "no value", colour=d.MUTED))
            continue
        if row["chance"] is not None:
            x = left + span * row["chance"]
            parts.append(d.line(x, y - step / 2, x, y + step / 2, d.MUTED, 0.35, "1.2 0.9"))
        low = value["mean"] if value["low"] is None else value["low"]
        high = value["mean"] if value["high"] is None else value["high"]
        parts.append(d.line(left + span * low, y, left + span * high, y, style.colour, 0.7))
        parts += [
            d.line(left + span * end, y - 1, left + span * end, y + 1, style.colour, 0.45)
            for end in (low, high)
        ]
        parts.append(d.marker(style.shape, left + span * value["mean"], y, style.colour))
        parts.append(d.text(d.WIDTH, y + d.BASE, _shown(value), anchor="end"))
    known = any(row["chance"] is not None for row in rows)
    note = unit + ("; dashed: the same method’s maps of other images" if known else "")
    parts.append(d.text(left + span / 2, floor + 8.4, note, anchor="middle", colour=d.MUTED))
    return d.svg(title, height, parts)


def _shown(value: dict[str, Any]) -> str:
    ends = "" if value["low"] is None else f"  [{value['low']:.2f}, {value['high']:.2f}]"
    return f"{value['mean']:.2f}{ends}"


_LETTER = 1.55
"""Width of a letter within a bar, mm."""


def shares(rows: Sequence[dict[str, Any]], *, title: str) -> Markup:
    """One bar of equal length a row, divided by category; count and category stand in each part that has room for it.

    Args:
        rows: `label`, `total` and `parts`: list of `category` and `count`.
        title: the alt text.
    """
    left, right, step, bar = 26.0, 16.0, 8.0, 5.4
    span = d.WIDTH - left - right
    parts = []
    for number, row in enumerate(rows):
        top = step * number + 1
        parts.append(d.text(left - 3, top + bar / 2 + d.BASE, d.short(row["label"], 16), anchor="end"))
        x = left
        for part in row["parts"]:
            width = span * part["count"] / row["total"] if row["total"] else 0.0
            style = names.category(part["category"])
            parts.append(d.rect(x, top, width - 0.25, bar, style.colour))
            if width > 6:
                parts.append(
                    d.text(
                        x + width / 2,
                        top + bar / 2 + d.BASE,
                        f"{style.title} {part['count']}"
                        if width > 8 + _LETTER * len(style.title)
                        else part["count"],
                        anchor="middle",
                        size=2.7,
                        colour=d.readable(style.colour),
                    )
                )
            x += width
        parts.append(
            d.text(d.WIDTH, top + bar / 2 + d.BASE, f"n = {row['total']}", anchor="end", colour=d.MUTED)
        )
    used = [
        key
        for key in [*names.CATEGORIES, *_others(rows)]
        if any(part["category"] == key and part["count"] for row in rows for part in row["parts"])
    ]
    x, y = left, step * len(rows) + 3.2
    for key in used:
        style = names.category(key)
        parts += [
            d.rect(x, y - 2.2, 2.8, 2.8, style.colour),
            d.text(x + 4, y, d.short(style.title, 18), colour=d.MUTED),
        ]
        x += 9 + 1.6 * min(len(style.title), 18)
    return d.svg(title, step * len(rows) + 5.5, parts)


def _others(rows: Sequence[dict[str, Any]]) -> list[str]:
    return sorted({p["category"] for row in rows for p in row["parts"]} - set(names.CATEGORIES))


LEFT, BOTH, RIGHT = "#0b4f6c", "#9aa8b5", "#a85a24"
"""Only in the first model, in both, only in the second."""


def overlaps(rows: Sequence[dict[str, Any]], *, title: str, names_of: tuple[str, str]) -> Markup:
    """Concepts by layer: only in the first model (to the left), in both (the middle), only in the second.

    Args:
        rows: `layer`, `only_a`, `shared`, `only_b`, `jaccard`.
        title: the alt text.
        names_of: the two models.
    """
    left, right, step, bar = 20.0, 26.0, 8.0, 5.4
    span = d.WIDTH - left - right
    most = max((row["only_a"] + row["shared"] + row["only_b"] for row in rows), default=0) or 1
    parts = []
    for number, row in enumerate(rows):
        top = step * number + 1
        middle = top + bar / 2 + d.BASE
        parts.append(d.text(left - 3, middle, d.short(row["layer"], 12), anchor="end"))
        x = left
        for key, colour in (("only_a", LEFT), ("shared", BOTH), ("only_b", RIGHT)):
            width = span * row[key] / most
            parts.append(d.rect(x, top, width - 0.25, bar, colour))
            if width > 6:
                parts.append(
                    d.text(
                        x + width / 2, middle, row[key], anchor="middle", size=2.7, colour=d.readable(colour)
                    )
                )
            x += width
        jaccard = "–" if row["jaccard"] is None else f"{row['jaccard']:.2f}"
        parts.append(d.text(d.WIDTH, middle, f"Jaccard {jaccard}", anchor="end", colour=d.MUTED))
    y, x = step * len(rows) + 3.2, left
    for label, colour in ((f"only {names_of[0]}", LEFT), ("in both", BOTH), (f"only {names_of[1]}", RIGHT)):
        label = d.short(label, 34)
        parts += [d.rect(x, y - 2.2, 2.8, 2.8, colour), d.text(x + 4, y, label, colour=d.MUTED)]
        x += 10 + 1.65 * len(label)
    return d.svg(title, step * len(rows) + 5.5, parts)


def mirrored(rows: Sequence[dict[str, Any]], *, title: str, names_of: tuple[str, str]) -> Markup:
    """Units a concept in two models: bars to the left for the first, to the right for the second.

    Many concepts stand in two columns on one scale, down the first and then down the second.

    Args:
        rows: `concept`, `a` and `b` (numbers of units).
        title: the alt text.
        names_of: the two models.
    """
    columns = 2 if len(rows) > _ONE_COLUMN else 1
    high = -(-len(rows) // columns)
    most = max((max(row["a"], row["b"]) for row in rows), default=0) or 1
    width = (d.WIDTH - _BETWEEN * (columns - 1)) / columns
    parts = []
    for column in range(columns):
        of = rows[column * high : (column + 1) * high]
        parts += _mirrored(of, column * (width + _BETWEEN), width, most)
    y, x = _MIRRORED_STEP * high + 3.2, 0.0
    for label, colour in ((f"units of {names_of[0]}", LEFT), (f"units of {names_of[1]}", RIGHT)):
        label = d.short(label, 40)
        parts += [d.rect(x, y - 2.2, 2.8, 2.8, colour), d.text(x + 4, y, label, colour=d.MUTED)]
        x += 10 + 1.65 * len(label)
    return d.svg(title, y + 1.3, parts)


_ONE_COLUMN, _BETWEEN, _MIRRORED_STEP = 10, 6.0, 4.9


def _mirrored(rows: Sequence[dict[str, Any]], left: float, width: float, most: int) -> list[str]:
    """A column of such bars, `width` mm from `left` on; `most` units are as long as there is room for."""
    gutter, bar, edge = 33.0, 3.2, 8.0
    span = (width - gutter) / 2 - edge
    middle = left + width / 2
    parts = []
    for number, row in enumerate(rows):
        top = 0.4 + _MIRRORED_STEP * number
        y = top + bar / 2 + d.BASE
        a, b = span * row["a"] / most, span * row["b"] / most
        ends = middle - gutter / 2 - a, middle + gutter / 2 + b
        inks = (d.INK if row[key] else d.MUTED for key in ("a", "b"))
        parts += [
            d.text(middle, y, d.short(row["concept"], 20), anchor="middle"),
            d.rect(ends[0], top, a, bar, LEFT),
            d.rect(middle + gutter / 2, top, b, bar, RIGHT),
            d.text(ends[0] - 1.4, y, row["a"], anchor="end", colour=next(inks)),
            d.text(ends[1] + 1.4, y, row["b"], colour=next(inks)),
        ]
    return parts


def gradient(stops: Sequence[str], low: str, high: str, *, title: str) -> Markup:
    """The colour bar of a colour map, with what its two ends mean."""
    step = 46.0 / len(stops)
    parts = [d.rect(24 + i * step, 0.6, step + 0.1, 2.8, colour) for i, colour in enumerate(stops)]
    parts += [d.text(0, 3, low, colour=d.MUTED), d.text(71.6, 3, high, colour=d.MUTED)]
    return d.svg(title, 4.2, parts, width=100)
