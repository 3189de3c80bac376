"""A chart of perturbation curves: the class's score as pixels are removed, one line a method and order."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from xai_assets.reporting import drawing as d
from xai_assets.reporting import names

_LEFT, _RIGHT, _GAP, _TOP, _HEIGHT = 11.0, 3.0, 10.0, 10.0, 38.0


def curves(panels: Sequence[dict[str, Any]], *, title: str) -> Markup:
    """One panel a baseline, side by side, both axes from 0 to 1, with a legend below.

    Args:
        panels: `baseline` and `lines`: `key`, `is_control`, `order` ("morf", drawn whole, or "lerf", dashed) and `points`
            ([share removed, score], ascending).
        title: the alt text.
    """
    width = (d.WIDTH - _LEFT - _RIGHT - _GAP * (len(panels) - 1)) / max(len(panels), 1)
    floor = _TOP + _HEIGHT
    parts: list[str] = []
    for number, panel in enumerate(panels):
        left = _LEFT + number * (width + _GAP)
        parts.append(d.text(left, 3.4, f"pixels replaced by: {panel['baseline']}", weight=600))
        if number == 0:
            parts.append(d.text(0, 7.6, "probability of the class", colour=d.MUTED))
        for tick in range(0, 11, 2):
            y, x = floor - _HEIGHT * tick / 10, left + width * tick / 10
            parts.append(d.line(left, y, left + width, y, d.LINE, 0.15))
            parts.append(d.text(x, floor + 3.8, f"{tick / 10:.1f}", anchor="middle", colour=d.MUTED))
            if number == 0:
                parts.append(d.text(left - 1.6, y + d.BASE, f"{tick / 10:.1f}", anchor="end", colour=d.MUTED))
        parts.append(
            d.text(
                left + width / 2, floor + 8.2, "share of the pixels removed", anchor="middle", colour=d.MUTED
            )
        )
        for line in panel["lines"]:
            style = names.method(line["key"])
            dash = "1.4 1" if line["order"] == "lerf" else ""
            points = [(left + width * x, floor - _HEIGHT * min(max(y, 0), 1)) for x, y in line["points"]]
            for (x1, y1), (x2, y2) in pairwise(points):
                parts.append(d.line(x1, y1, x2, y2, style.colour, 0.3 if line["is_control"] else 0.5, dash))
            parts += [d.marker(_shape(line["key"]), x, y, style.colour, 0.8) for x, y in points]
    x, y = _LEFT, floor + 14
    for key in dict.fromkeys(line["key"] for panel in panels for line in panel["lines"]):
        style = names.method(key)
        parts += [
            d.marker(_shape(key), x + 1.2, y - 1, style.colour, 1.1),
            d.text(x + 3.6, y, style.title, colour=d.MUTED),
        ]
        x += 8 + 1.75 * len(style.title)
    for x, dash, said in (
        (_LEFT, "", "most relevant pixels first"),
        (_LEFT + 50, "1.4 1", "least relevant first"),
    ):
        parts.append(d.line(x, y + 4, x + 8, y + 4, d.INK, 0.5, dash))
        parts.append(d.text(x + 9.5, y + 5, said, colour=d.MUTED))
    return d.svg(title, floor + 21, parts)


def _shape(key: str) -> str:
    """A method's own shape; of the controls, which all are rings elsewhere, one of its own for each that is drawn."""
    return {"random": "cross"}.get(key) or names.method(key).shape
