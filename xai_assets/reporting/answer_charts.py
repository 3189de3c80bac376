"""Charts of a model's answers as inline SVG: the reliability curve and the confusion matrix."""

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from xai_assets.reporting import drawing as d

COLOUR = "#0b4f6c"
_LEFT, _TOP, _WIDE, _HIGH, _COUNTS = 16.0, 2.0, 112.0, 38.0, 13.0


def reliability(bins: Sequence[dict[str, Any]], *, title: str) -> Markup:
    """Share of right answers against their probability, with the diagonal of a calibrated model; counts below.

    Args:
        bins: `bin_low`, `bin_high`, `probability` and `value` (mean, low, high, n) of each bin that has images.
        title: the alt text.
    """
    floor = _TOP + _HIGH
    x = lambda share: _LEFT + _WIDE * share  # noqa: E731
    y = lambda share: floor - _HIGH * share  # noqa: E731
    parts = []
    for tick in range(0, 11, 2):
        at = tick / 10
        parts += [
            d.line(_LEFT, y(at), x(1), y(at), d.LINE, 0.15),
            d.text(_LEFT - 1.6, y(at) + d.BASE, f"{at:.1f}", anchor="end", colour=d.MUTED),
            d.text(x(at), floor + _COUNTS + 5.4, f"{at:.1f}", anchor="middle", colour=d.MUTED),
        ]
    parts.append(d.line(x(0), y(0), x(1), y(1), d.MUTED, 0.3, "1.2 0.9"))
    most = max((row["value"]["n"] for row in bins), default=1)
    for row in bins:
        value, across = row["value"], x(row["probability"])
        if value["low"] is not None:
            parts.append(d.line(across, y(value["low"]), across, y(value["high"]), COLOUR, 0.6))
        parts.append(d.marker("circle", across, y(value["mean"]), COLOUR))
        tall = (_COUNTS - 5) * value["n"] / most
        low, high = x(row["bin_low"]) + 0.3, x(row["bin_high"]) - 0.3
        parts.append(d.rect(low, floor + _COUNTS + 1 - tall, high - low, tall, "#8fb3c4"))
        parts.append(
            d.text(
                (low + high) / 2,
                floor + _COUNTS - tall,
                value["n"],
                anchor="middle",
                size=2.4,
                colour=d.MUTED,
            )
        )
    parts.append(d.line(_LEFT, floor + _COUNTS + 1, x(1), floor + _COUNTS + 1, d.MUTED, 0.15))
    middle = _LEFT + (x(1) - _LEFT) / 2
    parts += [
        d.text(x(1) + 3, _TOP + 3, "share of right answers,"),
        d.text(x(1) + 3, _TOP + 6.6, "with 95% interval"),
        d.text(x(1) + 3, floor + _COUNTS - 3, "images"),
        d.text(middle, floor + _COUNTS + 10, "probability of the answer", anchor="middle", colour=d.MUTED),
    ]
    return d.svg(title, floor + _COUNTS + 11, parts)


_LETTER = 1.5
"""Width of a letter of a class's name, mm."""


def matrix(names: Sequence[str], cells: Sequence[dict[str, Any]], *, title: str) -> Markup:
    """The confusion matrix: a row a label, a column an answer, shaded by the share of the row's images.

    Args:
        names: of the classes, for rows and columns.
        cells: `label` and `predicted` (places in `names`), `images` and `share`; of those that occur.
        title: the alt text.
    """
    shown = [d.short(name, 24) for name in names]
    longest = max((len(name) for name in shown), default=0) * _LETTER
    side = min(6.5, (d.WIDTH - longest - 24) / max(len(names), 1))
    left, top = longest + 4, longest * 0.72 + 8
    parts = []
    for at, name in enumerate(shown):
        parts.append(d.text(left - 2, top + side * (at + 0.5) + d.BASE, name, anchor="end"))
        parts.append(d.text(left + side * (at + 0.5) + 0.6, top - 1.6, name, turn=-45))
        parts.append(d.rect(left + side * at, top + side * at, side, side, "#eef1f3"))
    for cell in cells:
        across, down = left + side * cell["predicted"], top + side * cell["label"]
        parts.append(d.rect(across + 0.15, down + 0.15, side - 0.3, side - 0.3, d.shade(cell["share"])))
        parts.append(
            d.text(
                across + side / 2,
                down + side / 2 + 0.9,
                cell["images"],
                anchor="middle",
                size=min(2.7, side * 0.42),
                weight=600 if cell["label"] == cell["predicted"] else 400,
            )
        )
    width, floor = side * len(names), top + side * len(names)
    for at in range(len(names) + 1):
        parts.append(d.line(left, top + side * at, left + width, top + side * at, d.LINE, 0.12))
        parts.append(d.line(left + side * at, top, left + side * at, floor, d.LINE, 0.12))
    parts.append(d.text(left, floor + 4.4, "row: the label; column: the answer", colour=d.MUTED))
    return d.svg(title, floor + 6, parts)
