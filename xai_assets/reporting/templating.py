"""Jinja for reports: autoescape everywhere, an undefined name is an error, and the filters that write numbers."""

import base64
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import answer_charts, charts, figures, names, narrative
from xai_assets.reporting.drawing import shade
from xai_assets.reporting.numbers import p_value
from xai_assets.reporting.typeset import typeset
from xai_assets.settings import shipped

SCHEME = "memory:"
"""Pictures and fonts are addressed so in the PDF's HTML; only the report's own memory answers."""

ABSENT = "–"


def number(value: float | None, digits: int = 2) -> str:
    """A number with a fixed count of decimals and a true minus sign; a dash where there is none."""
    if value is None:
        return ABSENT
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def small(value: float | None) -> str:
    """A number of any size in three significant digits."""
    return ABSENT if value is None else f"{value:.3g}".replace("-", "−")


def brief(value: float | None) -> str:
    """A number of any size in two significant digits, for captions."""
    return ABSENT if value is None else f"{value:.2g}".replace("-", "−")


def percent(value: float | None, digits: int = 0) -> str:
    """A share as per cent, with a true minus sign."""
    return ABSENT if value is None else f"{value * 100:.{digits}f}%".replace("-", "−")


def whole(value: int | None) -> str:
    """A count with narrow spaces between thousands."""
    return ABSENT if value is None else f"{value:,}".replace(",", "\u202f")


def moment(text: str) -> str:
    """An ISO 8601 time as people write it, such as 31 January 2026, 12:00 UTC."""
    when = datetime.fromisoformat(text)
    zone = f" {when.tzname()}" if when.tzinfo else ""
    return f"{when.day} {when:%B %Y}, {when:%H:%M}{zone}"


def day(text: str) -> str:
    """An ISO 8601 time's day, such as 31 January 2026."""
    when = datetime.fromisoformat(text)
    return f"{when.day} {when:%B %Y}"


def prose(text: str) -> Markup:
    """Text in which `backticks` mark code, as docstrings and sources have it."""
    parts = text.split("`")
    if len(parts) % 2 == 0:  # one mark has no other: it is itself
        return Markup.escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else Markup.escape(part)
        for at, part in enumerate(parts)
    )


LONGEST = 18
"""Letters of a name's part that are never torn."""


def words(path: str) -> Markup:
    """Lets a long name break after its slashes and underscores and before its dots, so that a file's suffix stays whole.

    A part of more than LONGEST letters breaks as well.
    """
    parts = re.split(r"(?<=[/_])|(?=\.)", path)
    broken = [part[at : at + LONGEST] for part in parts for at in range(0, len(part), LONGEST)]
    return Markup('<span class="name">{}</span>').format(Markup("<wbr>").join(broken))


def headline_of(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the localisation chapter as a chart draws it: its key, its average precision and what chance gives."""
    measured = row["values"]["average_precision"]
    return {"key": row["key"], "value": measured["value"], "chance": measured["chance"]}


def kept_groups(rows: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Rows by their value of `key`, groups and rows in the order in which they come (Jinja's groupby sorts)."""
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return [{"key": name, "rows": found} for name, found in groups.items()]


def same_parameters(cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The different sets of parameters of LIME's cases, each with the images that have it."""
    groups: list[dict[str, Any]] = []
    for case in cases:
        for group in groups:
            if group["parameters"] == case["parameters"]:
                break
        else:
            group = {"parameters": case["parameters"], "images": []}
            groups.append(group)
        if case["image_id"] not in group["images"]:
            group["images"].append(case["image_id"])
    return groups


def environment(folder: Path | None = None) -> jinja2.Environment:
    """The environment of the templates in `folder` (default: those that travel with the code)."""
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder or shipped("reports_templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "number": number,
        "small": small,
        "brief": brief,
        "p_value": lambda p: ABSENT if p is None else p_value(p),
        "percent": percent,
        "whole": whole,
        "shade": shade,
        "words": words,
        "labels": narrative.labels,
        "prose": prose,
        "day": day,
        "moment": moment,
        "headline_of": headline_of,
        "kept_groups": kept_groups,
        "same_parameters": same_parameters,
        "signed": lambda v: ABSENT if v is None else narrative.signed(v),
    }
    env.globals |= {
        "charts": charts,
        "answer_charts": answer_charts,
        "style": names.method,
        "category": names.category,
        "joined": narrative.joined,
        "between": narrative.between,
        "counted": narrative.count,
        "metric_title": lambda key: METRICS[key].title,
        "stops": figures.colour_stops,
        "typeset": typeset,
    }
    return env


def in_memory(file: str) -> str:
    """The address of a picture or font for WeasyPrint."""
    return SCHEME + file


def inlined(files: dict[str, bytes]) -> Any:
    """A function that gives each file as a data URI, for HTML that stands alone."""
    types = {"jpg": "image/jpeg", "woff2": "font/woff2"}
    made: dict[str, str] = {}

    def address(file: str) -> str:
        if file not in made:
            kind = types[file.rsplit(".", 1)[-1]]
            made[file] = f"data:{kind};base64,{base64.b64encode(files[file]).decode('ascii')}"
        return made[file]

    return address
