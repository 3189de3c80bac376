"""Methods and controls against the truth, and against each other: intervals over images, paired differences."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from xai_assets.evaluation.localization import TRUTHS, of_object
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import names, narrative
from xai_assets.reporting.numbers import by_image, in_order, interval, mean, present
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

LOCALIZATION = ("average_precision", "iou", "iou_matched", "pointing", "energy")
"""The metrics of the table `localization`, as the metrics' registry declares them. The first is the headline."""


def localization(results: StudyResults, only: Sequence[str] = ()) -> Row:
    """The methods (those of `only`, where given) and all controls against the true masks.

    Returns:
        `metrics` (key, title), `rows` (one a method or control: `key`, `is_control`, `images`, and by metric `value`
        and `chance`), `comparisons` (paired differences of average precision with the decisive controls), `sentences`,
        `chance` (mean chance level of average precision) and `nested` (see `_nested`).
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
            "chance": None,
            "policy": None,
            "images": 0,
            "cases": 0,
            "nested": {"truths": [], "rows": []},
        }
    present = in_order(table["method"])
    controls = set(table.loc[table["is_control"].astype(bool), "method"].astype(str))
    known = [*names.METHODS, *names.CONTROLS]
    ordered = sorted(
        present, key=lambda key: (key in controls, known.index(key) if key in known else len(known), key)
    )
    rows = [_measured(table[table["method"] == key], key, key in controls) for key in ordered]
    comparisons = _comparisons(table, ordered, controls)
    sentences = narrative.against_controls(comparisons)
    limit = narrative.resolution(comparisons) if comparisons else None
    return {
        "metrics": [{"key": key, "title": METRICS[key].title} for key in LOCALIZATION],
        "rows": rows,
        "comparisons": comparisons,
        "sentences": sentences + ([limit] if limit else []),
        "chance": mean(table["chance_ap"]),
        "policy": ", ".join(in_order(table["policy"].dropna())),
        "images": len(in_order(table["image_id"])),
        "cases": int(table.groupby(["image_id", "target_index"]).ngroups),
        "nested": _nested(every, ordered, controls),
    }


def _nested(table: pd.DataFrame, ordered: list[str], controls: set[str]) -> Row:
    """Average precision against each truth: the deciding part, the object, all objects.

    Returns:
        `truths` (key, `chance`: the mean share of the frame; `images` and `cases` in which something of it is seen) and
        `rows` (one a method or control: `key`, `is_control`, and in `cells` one interval a truth). Nothing where the
        object is the only truth.
    """
    known = [key for key in TRUTHS if "truth" in table and (table["truth"] == key).any()]
    if len(known) < 2:
        return {"truths": [], "rows": []}
    of = {key: table[(table["truth"] == key) & table["chance_ap"].notna()] for key in known}
    truths = []
    for key, rows in of.items():
        # A method's constant map has no value, and its chance level neither: each case counts once, by its controls.
        once = rows.drop_duplicates(["image_id", "target_index"])
        images = len(in_order(once["image_id"]))
        truths.append(
            {"key": key, "chance": mean(by_image(once, "chance_ap")), "images": images, "cases": len(once)}
        )
    return {
        "truths": truths,
        "rows": [
            {
                "key": key,
                "is_control": key in controls,
                "cells": [
                    interval(by_image(rows[rows["method"] == key], "average_precision"))
                    for rows in of.values()
                ],
            }
            for key in ordered
        ],
    }


def _measured(table: pd.DataFrame, key: str, is_control: bool) -> Row:
    values = {}
    for metric in LOCALIZATION:
        chance = METRICS[metric].chance_key
        values[metric] = {
            "value": interval(by_image(table, metric)),
            "chance": mean(table[chance]) if chance else None,
        }
    return {
        "key": key,
        "is_control": is_control,
        "images": len(in_order(table["image_id"])),
        "values": values,
    }


def _comparisons(table: pd.DataFrame, ordered: list[str], controls: set[str]) -> list[Row]:
    rows = []
    precision = {key: by_image(table[table["method"] == key], "average_precision") for key in ordered}
    for key in ordered:
        if key in controls:
            continue
        for control in names.DECISIVE:
            if control not in precision:
                continue
            difference = interval((precision[key] - precision[control]).dropna())
            rows.append(
                {
                    "method": key,
                    "control": control,
                    "difference": difference,
                    "outcome": narrative.outcome(difference),
                }
            )
    return rows


def agreement(results: StudyResults) -> Row:
    """Every pair of methods: IoU with its chance level, the excess over chance, Dice and rank correlation.

    Returns:
        `methods`, `pairs`, `areas` (each with its chance level), `sentence`, `policy` and `images`; a pair's `sweep` has
        the mean IoU at each of the areas.
    """
    table = results.mask_agreement
    if not len(table):
        nothing: Row = {"methods": [], "pairs": [], "areas": [], "policy": None, "images": 0}
        return nothing | {"sentence": narrative.agreement([])}
    areas = _areas(results.agreement_sweep)
    found = set(table["method_a"].astype(str)) | set(table["method_b"].astype(str))
    methods = [key for key in names.METHODS if key in found] + sorted(found - set(names.METHODS))
    pairs = []
    for a, b in combinations(methods, 2):
        rows = table[
            ((table["method_a"] == a) & (table["method_b"] == b))
            | ((table["method_a"] == b) & (table["method_b"] == a))
        ]
        if not len(rows):
            continue
        iou, chance = by_image(rows, "iou"), by_image(rows, "chance_iou")
        pairs.append(
            {
                "method_a": a,
                "method_b": b,
                "iou": interval(iou),
                "chance": mean(chance),
                "attainable": mean(rows["attainable_iou"]),
                "matched": interval(by_image(rows, "iou_matched")),
                "chance_matched": mean(rows["chance_iou_matched"]),
                "sweep": [_at_area(results.agreement_sweep, a, b, area["area"]) for area in areas],
                "excess": interval((iou - chance).dropna()),
                "dice": interval(by_image(rows, "dice")),
                "rank_correlation": interval(by_image(rows, "rank_correlation")),
            }
        )
    return {
        "methods": methods,
        "pairs": pairs,
        "areas": areas,
        "sentence": narrative.agreement(pairs),
        "policy": ", ".join(in_order(table["policy"].dropna())),
        "images": len(in_order(table["image_id"])),
    }


def _areas(sweep: pd.DataFrame) -> list[Row]:
    """The areas of the sweep, ascending, each with its chance level."""
    if not len(sweep):
        return []
    of = sweep[["area", "chance_iou"]].drop_duplicates().sort_values("area")
    return [{"area": float(row["area"]), "chance": float(row["chance_iou"])} for row in of.to_dict("records")]


def _at_area(sweep: pd.DataFrame, a: str, b: str, area: float) -> float | None:
    either = ((sweep["method_a"] == a) & (sweep["method_b"] == b)) | (
        (sweep["method_a"] == b) & (sweep["method_b"] == a)
    )
    return mean(by_image(sweep[either & (sweep["area"] == area)], "iou"))


def cost(results: StudyResults) -> list[Row]:
    """What the maps of each method took when they were computed, perhaps in an earlier run, and on what.

    `seconds` is the mean of a map, `images_per_second` its inverse, `peak_memory_mib` the most of any map; None where it
    was not measured.
    """
    if not len(results.maps):
        return []
    found = in_order(results.maps["method"])
    known = [key for key in names.METHODS if key in found]
    rows: list[Row] = []
    for key in known + [key for key in found if key not in known]:
        table = results.maps[results.maps["method"] == key]
        seconds, held = mean(table["seconds"]), present(table["peak_memory_mib"])
        rows.append(
            {
                "key": key,
                "maps": len(table),
                "seconds": seconds,
                "images_per_second": 1 / seconds if seconds else None,
                "peak_memory_mib": int(held.max()) if len(held) else None,
                "device": ", ".join(in_order(table["device"])),
                "layer": ", ".join(in_order(table["layer"].dropna())),
                "constant": int(table["constant"].astype(bool).sum()),
                "density": mean(table["density"]),
            }
        )
    return rows
