"""Methods and controls against the truth, and against each other: rows of the warehouse, selected and put in order."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from xai_assets.evaluation.headline import DECISIVE
from xai_assets.evaluation.localization import OBJECT, TRUTHS, of_object
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import comparisons, names
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.overview import binarisation
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

LOCALIZATION = ("average_precision", "iou", "iou_matched", "pointing", "energy")
"""The metrics of the table `localization`, as the metrics' registry declares them. The first is the headline."""


def localization(results: StudyResults, only: Sequence[str] = ()) -> Row:
    """The methods (those of `only`, where given) and all controls against the true masks.

    Returns:
        `metrics` (key, title), `rows` (one a method or control: `key`, `is_control`, `images`, and by metric `value`,
        `chance`, `chance_scattered`, `attainable` and `beyond`, see `_answer`), `comparisons` (paired differences of
        average precision with the decisive controls, each with its answer), `sentences`, of which the last says what so
        few images can show, `nested` (see `_nested`), and `image_by_image` (`image_id`, `target_name`, `ious` by method).
    """
    every = results.localization
    if only and len(every):
        every = every[every["is_control"].astype(bool) | every["method"].isin(list(only))]
        if every["is_control"].astype(bool).all():
            every = every.iloc[:0]
    table = of_object(every)
    if not len(table):
        return {
            "metrics": [],
            "rows": [],
            "comparisons": [],
            "sentences": [],
            "policy": None,
            "images": 0,
            "cases": 0,
            "nested": {"truths": [], "rows": []},
        }
    controls = set(table.loc[table["is_control"].astype(bool), "method"].astype(str))
    known = [*names.METHODS, *names.CONTROLS]
    ordered = sorted(
        in_order(table["method"]),
        key=lambda key: (key in controls, known.index(key) if key in known else len(known), key),
    )
    means, tests = _Means(results.metric_summary), _tests(results.metric_tests)
    rows = [_measured(table, key, key in controls, means, tests) for key in ordered]
    compared = [
        _compared(tests["controls", LOCALIZATION[0], OBJECT, key, control])
        for key in ordered
        for control in DECISIVE
        if ("controls", LOCALIZATION[0], OBJECT, key, control) in tests
    ]
    limit = comparisons.resolution(compared)
    return {
        "metrics": [{"key": key, "title": METRICS[key].title} for key in LOCALIZATION],
        "rows": rows,
        "comparisons": compared,
        "sentences": [*comparisons.on_the_object(rows), *comparisons.against_controls(compared), limit],
        "policy": binarisation(results),
        "images": len(in_order(table["image_id"])),
        "cases": int(table.groupby(["image_id", "target_index"]).ngroups),
        "nested": _nested(every, ordered, controls, means),
        "image_by_image": _image_by_image(table, [key for key in ordered if key not in controls]),
    }


def _image_by_image(table: pd.DataFrame, methods: Sequence[str]) -> list[Row]:
    """The IoU of each method with the object, one row a target class, in the order of `methods`."""
    by_case: dict[tuple[str, int], dict[str, Row]] = {}
    for row in records(table):
        by_case.setdefault((row["image_id"], row["target_index"]), {})[row["method"]] = row
    return [
        {
            "image_id": image,
            "target_name": next(iter(of.values()))["target_name"],
            "ious": [of[key]["iou"] if key in of else None for key in methods],
        }
        for (image, _), of in by_case.items()
    ]


class _Means:
    """The rows of `metric_summary` that are about a truth."""

    def __init__(self, summary: pd.DataFrame) -> None:
        self._rows: dict[tuple[str, str, str], Row] = {}
        for row in records(summary):
            if row["metric"] in LOCALIZATION:
                # Rows from before there were several truths are about the object.
                self._rows[row["metric"], row.get("truth") or OBJECT, row["method"]] = row

    def __call__(self, metric: str, truth: str, method: str) -> Row:
        """`value` (see `_interval`; None where nothing was measured), `chance`, `chance_scattered`, `attainable`."""
        row = self._rows.get((metric, truth, method), {})
        return {
            "value": _interval(row),
            **{name: plain(row.get(name)) for name in ("chance", "chance_scattered", "attainable")},
        }


def _tests(tests: pd.DataFrame) -> Mapping[tuple[str, str, str, str, str], Row]:
    return {
        (row["family"], row["metric"], row.get("truth") or OBJECT, row["method_a"], row["method_b"]): row
        for row in records(tests)
        if row["metric"] in LOCALIZATION
    }


def _interval(row: Mapping[str, Any], value: str = "mean", before: str = "") -> Row | None:
    """`mean`, `low`, `high` and `n` of a row of the warehouse; None where nothing was measured."""
    if row.get(value) is None:
        return None
    found = {"mean": row[value], "low": row.get(f"{before}low"), "high": row.get(f"{before}high")}
    return {**found, "n": row["n"]}


def _answer(row: Mapping[str, Any]) -> Row:
    """What a test decided: `answer`, `p_holm`, `family_size`, `fewest` and `n`."""
    return {name: row.get(name) for name in ("answer", "p_holm", "family_size", "fewest", "n")}


def _measured(
    table: pd.DataFrame,
    key: str,
    is_control: bool,
    means: _Means,
    tests: Mapping[tuple[str, str, str, str, str], Row],
) -> Row:
    values = {}
    for metric in LOCALIZATION:
        test = tests.get(("chance", metric, OBJECT, key, "other_images"))
        values[metric] = {**means(metric, OBJECT, key), "beyond": _answer(test) if test else None}
    return {
        "key": key,
        "is_control": is_control,
        "images": len(in_order(table.loc[table["method"] == key, "image_id"])),
        "values": values,
    }


def _compared(test: Row) -> Row:
    return {
        "method": test["method_a"],
        "control": test["method_b"],
        "difference": _interval(test, "difference"),
        **_answer(test),
    }


def _nested(table: pd.DataFrame, ordered: list[str], controls: set[str], means: _Means) -> Row:
    """Average precision against each truth: the deciding part, the object, all objects.

    Returns:
        `truths` (key, `scattered`: the mean share of the frame; `images` and `cases` in which something of it is seen)
        and `rows` (one a method or control: `key`, `is_control`, and in `cells` one value a truth with its `chance`).
        Nothing where the object is the only truth.
    """
    known = [key for key in TRUTHS if "truth" in table and (table["truth"] == key).any()]
    if len(known) < 2:
        return {"truths": [], "rows": []}
    truths, metric = [], LOCALIZATION[0]
    for key in known:
        # A method's constant map has no value: each case counts once, by its controls.
        seen = table[(table["truth"] == key) & table["chance_ap"].notna()]
        once = seen.drop_duplicates(["image_id", "target_index"])
        scattered = [means(metric, key, control)["chance_scattered"] for control in ordered]
        truths.append(
            {
                "key": key,
                "scattered": next((level for level in reversed(scattered) if level is not None), None),
                "images": len(in_order(once["image_id"])),
                "cases": len(once),
            }
        )
    return {
        "truths": truths,
        "rows": [
            {
                "key": key,
                "is_control": key in controls,
                "cells": [means(metric, truth, key) for truth in known],
            }
            for key in ordered
        ],
    }


def agreement(results: StudyResults) -> Row:
    """Every pair of methods: each metric with what their maps of other images give, and what the test decides.

    Returns:
        `methods`, `pairs`, `areas`, `sentence`, `policy` and `images`. A pair has its IoU (`iou`, `chance`,
        `chance_scattered`, `attainable`, `excess`: IoU less chance, and what `_answer` has), `matched`, `dice` and
        `rank_correlation` with `chance_…` of each, and `sweep`: `value`, `chance` and `answer` at each of the areas.
    """
    table, summary = results.mask_agreement, records(results.agreement_summary)
    if not len(table) or not summary:
        nothing: Row = {"methods": [], "pairs": [], "areas": [], "policy": None, "images": 0}
        return nothing | {"sentence": comparisons.agreement([])}
    by_pair: dict[tuple[str, str], dict[tuple[str, float | None], Row]] = {}
    for row in summary:
        by_pair.setdefault((row["method_a"], row["method_b"]), {})[row["metric"], row["area"]] = row
    found = {name for pair in by_pair for name in pair}
    methods = [key for key in names.METHODS if key in found] + sorted(found - set(names.METHODS))
    areas = sorted({row["area"] for row in summary if row["area"] is not None})
    place = {frozenset(pair): rows for pair, rows in by_pair.items()}
    pairs = [
        _pair(a, b, place[frozenset((a, b))], areas)
        for a, b in combinations(methods, 2)
        if frozenset((a, b)) in place
    ]
    return {
        "methods": methods,
        "pairs": pairs,
        "areas": areas,
        "sentence": comparisons.agreement(pairs),
        "policy": binarisation(results),
        "images": len(in_order(table["image_id"])),
    }


def _pair(a: str, b: str, rows: Mapping[tuple[str, float | None], Row], areas: Sequence[float]) -> Row:
    iou = rows["iou", None]
    matched, dice, ranks = (rows[key, None] for key in ("iou_matched", "dice", "rank_correlation"))
    at = [rows.get(("iou_matched", area), {}) for area in areas]
    return {
        "method_a": a,
        "method_b": b,
        "iou": _interval(iou),
        **{name: iou[name] for name in ("chance", "chance_scattered", "attainable")},
        "excess": _interval(iou, "difference", "difference_"),
        **_answer(iou),
        "matched": _interval(matched),
        "chance_matched": matched["chance"],
        "dice": _interval(dice),
        "chance_dice": dice["chance"],
        "rank_correlation": _interval(ranks),
        "chance_rank_correlation": ranks["chance"],
        "answers": {
            "iou": iou["answer"],
            "iou_matched": matched["answer"],
            "rank_correlation": ranks["answer"],
        },
        "sweep": [
            {"value": row.get("mean"), "chance": row.get("chance"), "answer": row.get("answer")} for row in at
        ],
    }
