"""What a study's numbers leave out, and why: pictures, maps, cases of a metric, and what its steps had to say."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from xai_assets.evaluation.localization import of_object
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import names, overview
from xai_assets.reporting.faithfulness import ordered
from xai_assets.reporting.measures import LOCALIZATION
from xai_assets.reporting.numbers import in_order, plain
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

NOTHING_SHOWN = "the map has one value only, or the metric is not defined for it"
REASONS = {
    "randomisation_similarity": "the map of the trained or of the shuffled network has one value only",
    "max_sensitivity": "the map has one value only",
    "redrawn": "the map has one value only, or no other image has a map",
}
"""Why a metric has no value of a case; `NOTHING_SHOWN` where nothing more is known."""


def exclusions(results: StudyResults) -> Row:
    """The chapter's data.

    Returns:
        `quarantined` (see `overview.quarantined_by_reason`), `maps` (cases that a method has no map of), `metrics`
        (what was not measured of whom: `what`, `whom`, `measured`, `left_out`, `unit`, `why`), and `steps` (what the
        study's steps said went wrong: `asset`, `said`), of `results.study["problems"]`.
    """
    return {
        "quarantined": overview.quarantined_by_reason(results),
        "maps": _maps(results),
        "metrics": [*_truth(results), *_localization(results), *_agreement(results), *_summary(results)]
        + _units(results),
        "steps": [
            {"asset": str(row["asset"]), "said": str(row["said"])}
            for row in results.study.get("problems") or ()
        ],
    }


def _maps(results: StudyResults) -> list[Row]:
    """The target classes that a method has no map of, by method; a method without any map is not the study's."""
    if not len(results.maps):
        return []
    cases = len(results.predictions)
    made = results.maps.groupby("method").size()
    return [
        {"key": key, "made": int(made[key]), "missing": cases - int(made[key])}
        for key in in_order(results.maps["method"])
        if made[key] < cases
    ]


def _left_out(what: str, whom: list[str], measured: int, left_out: int, unit: str, why: str) -> Row:
    return {
        "what": what,
        "whom": whom,
        "measured": measured,
        "left_out": left_out,
        "unit": unit,
        "why": why,
    }


def _truth(results: StudyResults) -> list[Row]:
    """Target classes that no true mask is known of."""
    if not len(results.predictions):
        return []
    cases = set(_cases(results.predictions))
    known = set(_cases(results.localization)) if len(results.localization) else set()
    missing = len(cases - known)
    why = "no true mask of the class is known"
    return (
        [_left_out("Against the truth", [], len(cases & known), missing, "target classes", why)]
        if missing
        else []
    )


def _cases(table: pd.DataFrame) -> list[tuple[str, int]]:
    return [
        (str(image), int(target))
        for image, target in zip(table["image_id"], table["target_index"], strict=True)
    ]


def _localization(results: StudyResults) -> list[Row]:
    table = of_object(results.localization)
    if not len(table):
        return []
    found = []
    for metric in LOCALIZATION:
        for key, _ in ordered(table):
            of = table.loc[table["method"] == key, metric]
            found.append(
                (METRICS[metric].title, None, key, int(of.notna().sum()), int(of.isna().sum()), metric)
            )
    return _together(found, "target classes")


def _agreement(results: StudyResults) -> list[Row]:
    table = results.mask_agreement
    if not len(table):
        return []
    missing = int(table["iou"].isna().sum())
    why = "both masks are empty"
    measured = len(table) - missing
    return (
        [_left_out("Agreement of masks, IoU", [], measured, missing, "pairs of masks", why)]
        if missing
        else []
    )


def _summary(results: StudyResults) -> list[Row]:
    table = results.metric_summary
    if not len(table):
        return []
    own = table[~table["metric"].isin(LOCALIZATION)]
    found = [
        (
            METRICS[row["metric"]].title,
            plain(row["variant"]),
            row["method"],
            int(row["n"]),
            int(row["excluded"]),
            row["metric"],
        )
        for row in own.to_dict("records")
    ]
    return _together(found, "images")


def _together(found: Sequence[tuple[str, str | None, str, int, int, str]], unit: str) -> list[Row]:
    """One row for all methods that lack as much of a metric and variant."""
    groups: dict[tuple[str, str | None, int, int, str], list[str]] = {}
    for title, variant, method, measured, left_out, metric in found:
        if left_out:
            groups.setdefault((title, variant, measured, left_out, metric), []).append(method)
    return [
        _left_out(
            f"{title}, {variant}" if variant else title,
            [names.method(method).title for method in methods],
            measured,
            left_out,
            unit,
            REASONS.get(metric, NOTHING_SHOWN),
        )
        for (title, variant, measured, left_out, metric), methods in groups.items()
    ]


def _units(results: StudyResults) -> list[Row]:
    """Units that never fire stand for nothing, by model."""
    table = results.layer_summary
    rows = []
    for model in in_order(table["model"]) if len(table) else []:
        of = table[table["model"] == model]
        dead, units = int(of["dead"].sum()), int(of["units"].sum())
        if dead:
            why = "the unit never fires on the probe set"
            rows.append(_left_out("Concepts of units", [model], units - dead, dead, "units", why))
    return rows
