"""How well the explained model does on the labelled images: rows of the tables, in the order in which they are read."""

from typing import Any

from xai_assets.evaluation.intervals import PROPORTION
from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

WHOLE = {
    "accuracy": "Accuracy",
    "confidence": "Mean probability of the answers",
    "overconfidence": "Overconfidence (probability less accuracy)",
}
"""The metrics of all images that have an interval, and their titles."""

CLASSES_SHOWN = 40
PAIRS_SHOWN = 15
MATRIX_CLASSES = 24
"""The largest confusion matrix that can be read on a page."""

_DECIDED = ("p_holm", "family_size", "fewest", "answer")


def performance(results: StudyResults) -> Row | None:
    """What the answers come to; None where no image has a label that the model has.

    Returns:
        `images` (classified) and `labelled`; `whole`: rows of `key`, `title`, `value` and `reference`; `classes`: rows
        of `index`, `name`, `recall` and `precision` (values with their interval; None where no image says anything) and
        what is decided of the recall, those with labelled images first, the lowest recall first; `calibration`: `value`,
        `reference`, p and answer; `curve`: bins with a value.
    """
    rows = records(results.model_performance)
    of = {row["metric"]: row for row in rows if row["class_index"] is None}
    if "accuracy" not in of or not of["accuracy"]["n"]:
        return None
    return {
        "images": of["accuracy"]["n"] + of["accuracy"]["excluded"],
        "labelled": of["accuracy"]["n"],
        "whole": [
            {"key": key, "title": title, "value": value(of[key]), "reference": of[key]["reference"]}
            for key, title in WHOLE.items()
            if key in of
        ],
        "calibration": _calibration(of.get("ece")),
        "curve": [
            {
                "bin": row["bin"], "bin_low": row["bin_low"], "bin_high": row["bin_high"],
                "probability": row["probability"], "value": value(row, "correct"),
            }
            for row in records(results.reliability_curve)
        ],
        "classes": _classes(rows),
    }  # fmt: skip


def value(row: Row, column: str = "value") -> Row | None:
    """A number of a row with its interval, as the reports have it; None where there is none."""
    if row[column] is None:
        return None
    return {
        "mean": row[column],
        "low": row["low"],
        "high": row["high"],
        "n": row["n"],
        "exact": row["interval"] == PROPORTION,
    }


def _calibration(row: Row | None) -> Row | None:
    if row is None:
        return None
    names = ("value", "reference", "n", "p_holm", "answer")
    return {name: row[name] for name in names}


def _classes(rows: list[Row]) -> list[Row]:
    precision = {row["class_index"]: value(row) for row in rows if row["metric"] == "precision"}
    found = [
        {
            "index": row["class_index"],
            "name": row["class_name"],
            "recall": value(row),
            "precision": precision.get(row["class_index"]),
            **{name: row[name] for name in _DECIDED},
        }
        for row in rows
        if row["metric"] == "recall"
    ]
    return sorted(
        found,
        key=lambda row: (row["recall"] is None, row["recall"]["mean"] if row["recall"] else 0, row["index"]),
    )


def confusion(results: StudyResults) -> Row:
    """The confusion matrix and its pairs.

    Returns:
        `pairs`: confused pairs, the one with the most images first; `cells`: rows of `label`, `predicted` (places in
        `names`), `images` and `share`; `names`: the classes that are drawn, which is at most MATRIX_CLASSES; `of`: how
        many classes occur.
    """
    rows = records(results.confusions)
    pairs = sorted((row for row in rows if row["error_rank"] is not None), key=lambda row: row["error_rank"])
    names: dict[int, str] = {}
    for row in rows:
        names |= {row["label_index"]: row["label_name"], row["predicted_index"]: row["predicted_name"]}
    drawn = sorted(names) if len(names) <= MATRIX_CLASSES else _of_most_confused(pairs)
    place = {index: at for at, index in enumerate(drawn)}
    return {
        "of": len(names),
        "names": [names[index] for index in drawn],
        "cells": [
            {
                "label": place[row["label_index"]], "predicted": place[row["predicted_index"]],
                "images": row["images"], "share": row["share"],
            }
            for row in rows
            if row["label_index"] in place and row["predicted_index"] in place
        ],
        "pairs": [
            {
                "label": row["label_name"], "predicted": row["predicted_name"], "images": row["images"],
                "share": value(row, "share"),
            }
            for row in pairs
        ],
    }  # fmt: skip


def _of_most_confused(pairs: list[Row]) -> list[int]:
    """The classes of the first pairs, as many as can be drawn, in their order."""
    chosen: dict[int, None] = {}
    for row in pairs:
        if len(chosen.keys() | {row["label_index"], row["predicted_index"]}) > MATRIX_CLASSES:
            break
        chosen |= dict.fromkeys((row["label_index"], row["predicted_index"]))
    return sorted(chosen)
