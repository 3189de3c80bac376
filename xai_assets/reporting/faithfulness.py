"""Whether the maps say what the model uses: its score as pixels are removed in a map's order, against controls."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from xai_assets.evaluation.comparison import DECIDED, INTERVAL
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import names, narrative
from xai_assets.reporting.numbers import plain
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

COLUMNS = (
    ("srg", "blur"), ("srg", "mean"), ("road", "linear"), ("deletion_auc", "blur"), ("insertion_auc", "blur"),
    ("average_drop", "zero"), ("increase_in_confidence", "zero"),
)  # fmt: skip
"""Metric and baseline of the table's columns. The first is the headline; all others are in report.json."""

HEADLINE = COLUMNS[0]
CHANCE = 0.0
"""Of the headline: what a random order is expected to have, for every model and baseline."""

BASELINES = ("blur", "mean")
"""What stands where pixels are removed, in the figure of curves."""

DRAWN_CONTROLS = ("edges", "random")


def faithfulness(results: StudyResults) -> Row:
    """The chapter's data.

    Returns:
        `columns` (key, title, variant, direction), `rows` (one a method or control: `key`, `is_control`, and in
        `cells` one value a column, mean, low, high and n, or None), `tests` (methods against controls on the
        headline, decided rows of `metric_tests`), `pairs` (methods against methods, the same), `curves` (one a
        baseline: `baseline` and `lines`), `sentences` and `images`.
    """
    table = results.metric_summary
    asked = {metric for metric, _ in COLUMNS}
    found = table[table["metric"].isin(asked)] if len(table) else table
    if not len(found):
        return {
            "columns": [],
            "rows": [],
            "tests": [],
            "pairs": [],
            "curves": [],
            "sentences": [],
            "images": 0,
        }
    columns: list[Row] = [
        {
            "key": metric,
            "title": METRICS[metric].title,
            "variant": variant,
            "direction": METRICS[metric].direction,
        }
        for metric, variant in COLUMNS
    ]
    rows: list[Row] = [
        {
            "key": key,
            "is_control": is_control,
            "cells": [cell(found, key, metric, variant) for metric, variant in COLUMNS],
        }
        for key, is_control in ordered(found)
    ]
    tests = _decided(results.metric_tests, "controls", "control")
    return {
        "columns": columns,
        "rows": rows,
        "tests": tests,
        "pairs": _decided(results.metric_tests, "methods", "other"),
        "curves": [mean_curves(results.faithfulness_curve_means, baseline) for baseline in BASELINES],
        "sentences": narrative.faithfulness(tests, _headline(results.metric_tests, "methods")),
        "images": max((entry["n"] for row in rows for entry in row["cells"] if entry), default=0),
    }


def difference_faithfulness(results: StudyResults) -> Row:
    """The headline of the failures: whether the lead of the predicted class over the expected one follows the maps.

    Returns:
        `rows`, one a method or control: `key`, `is_control`, `value` (mean, low, high, n, excluded; or None) and, of a
        method, `test` against the random map as `faithfulness` has its tests; `variant`, and `images`.
    """
    table, (metric, variant) = results.difference_summary, HEADLINE
    found = table[(table["metric"] == metric) & (table["variant"] == variant)] if len(table) else table
    decided = _decided(results.difference_tests, "controls", "control")
    tests = {row["method"]: row for row in decided if row["control"] == "random"}
    rows: list[Row] = [
        {
            "key": key,
            "is_control": is_control,
            "value": cell(found, key, metric, variant),
            "test": None if is_control else tests.get(key),
        }
        for key, is_control in (ordered(found) if len(found) else [])
    ]
    images = max((row["value"]["n"] for row in rows if row["value"]), default=0)
    return {"rows": rows, "variant": variant, "images": images}


def ordered(table: pd.DataFrame) -> list[tuple[str, bool]]:
    """Methods before controls, each in the order of `names`: (key, whether it is a control)."""
    pairs = table[["method", "is_control"]].drop_duplicates().itertuples(index=False, name=None)
    known = [*names.METHODS, *names.CONTROLS]
    return sorted(
        ((str(key), bool(control)) for key, control in pairs),
        key=lambda pair: (pair[1], known.index(pair[0]) if pair[0] in known else len(known), pair[0]),
    )


def cell(table: pd.DataFrame, method: str, metric: str, variant: str | None) -> Row | None:
    """Mean, low, high, n and excluded of one method and metric; None where nothing was measured."""
    of = table[(table["method"] == method) & (table["metric"] == metric)]
    of = of[of["variant"].isna() if variant is None else of["variant"] == variant]
    for row in of.to_dict("records"):
        kept = {name: plain(row[name]) for name in ("mean", "low", "high", "n", "excluded")}
        return kept if kept["mean"] is not None else None
    return None


def _headline(tests: pd.DataFrame, family: str) -> list[Row]:
    if not len(tests):
        return []
    metric, variant = HEADLINE
    of = tests[(tests["metric"] == metric) & (tests["variant"] == variant) & (tests["family"] == family)]
    return [{str(name): plain(value) for name, value in row.items()} for row in of.to_dict("records")]


def _decided(tests: pd.DataFrame, family: str, second: str) -> list[Row]:
    """Every pair of a family on the headline, decided: `method`, the other by the name `second`, and what was found."""
    rows = [
        {
            "method": row["method_a"],
            second: row["method_b"],
            "difference": None
            if row["difference"] is None
            else {"mean": row["difference"]} | {name: row[name] for name in INTERVAL},
            # Of the pair, whether or not it has a difference.
            "n": row["n"],
            "effect": row["effect"],
        }
        | {name: row[name] for name in DECIDED}
        for row in _headline(tests, family)
    ]
    place = [*names.METHODS, *names.CONTROLS]
    return sorted(rows, key=lambda row: [_at(place, row["method"]), _at(place, row[second])])


def _at(place: Sequence[str], key: str) -> int:
    return place.index(key) if key in place else len(place)


def mean_curves(means: pd.DataFrame, baseline: str) -> Row:
    """The lines of one baseline from rows of the table `faithfulness_curve_means`, and how many images they are of."""
    lines: list[Row] = []
    of = means[means["baseline"] == baseline] if len(means) else means
    for key, is_control in ordered(of) if len(of) else []:
        if is_control and key not in DRAWN_CONTROLS:
            continue
        for order in ("morf", "lerf"):
            mine = of[(of["method"] == key) & (of["pixel_order"] == order)].sort_values("fraction")
            points = [[float(x), float(y)] for x, y in zip(mine["fraction"], mine["mean"], strict=True)]
            lines.append({"key": key, "is_control": is_control, "order": order, "points": points})
    return {"baseline": baseline, "lines": lines, "images": int(of["n"].max()) if lines else 0}
