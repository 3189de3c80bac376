"""Sentences about how well the explained model does: each says what rows of the tables say, and of how many images."""

from collections.abc import Sequence
from typing import Any

from xai_assets.evaluation.decision import Answer
from xai_assets.reporting import narrative
from xai_assets.reporting.narrative import count, joined
from xai_assets.reporting.numbers import p_equals

Row = dict[str, Any]

NO_LABELS = (
    "No image has a label that the model has, so that no answer is known to be right or wrong. Label images with "
    "`images: {labels: ...}` in the study, and this report shows the model's mistakes."
)

NAMED = 5
"""Classes that a sentence names; the table has all."""


def in_short(performance: Row, confusion: Row) -> list[str]:
    """Accuracy, the most confused pair, classes that are mostly missed, and calibration.

    Args:
        performance: see `performance.performance`.
        confusion: see `performance.confusion`.
    """
    return [
        *_accuracy(performance),
        *_confused(confusion["pairs"]),
        *_missed(performance["classes"]),
        *_calibrated(performance),
    ]


def _share(value: Row, noun: str) -> str:
    ends = f" (95% interval {value['low']:.0%} to {value['high']:.0%})" if value["low"] is not None else ""
    return f"{value['mean']:.0%} of {noun}{ends}"


def _accuracy(performance: Row) -> list[str]:
    row = next(row for row in performance["whole"] if row["key"] == "accuracy")
    found = row["value"]
    said = f"The answer is right for {_share(found, count(found['n'], 'labelled image'))}"
    if row["reference"] is not None:
        said += f"; always answering the most frequent label would be for {row['reference']:.0%}"
    return [f"{said}."]


def _confused(pairs: Sequence[Row]) -> list[str]:
    if not pairs:
        return ["No image of one class is taken for another class."]
    first = pairs[0]
    alike = [row for row in pairs if row["images"] == first["images"]]
    if first["images"] == 1:
        return ["No two classes are confused more than once."]
    if len(alike) > 1:
        named = [f"“{row['label']}” taken for “{row['predicted']}”" for row in alike[:NAMED]]
        more = f" and {len(alike) - NAMED} more" if len(alike) > NAMED else ""
        return [f"Most often confused are {joined(named)}{more}, each {first['images']} times."]
    of = f"the {count(first['share']['n'], 'image')} with that label"
    return [
        f"Most often “{first['label']}” is taken for “{first['predicted']}”: {count(first['images'], 'time')}, which is "
        f"{_share(first['share'], of)}."
    ]


def _missed(classes: Sequence[Row]) -> list[str]:
    asked = [row for row in classes if row["recall"] is not None]
    missed = [row for row in asked if row["answer"] == Answer.NO]
    said = []
    if missed:
        named = [f"“{row['name']}”" for row in missed[:NAMED]]
        more = f" and {len(missed) - NAMED} more" if len(missed) > NAMED else ""
        rests = narrative.evidence(*(row | {"n": row["recall"]["n"]} for row in missed))
        said.append(f"Of {joined(named)}{more} most images get another answer ({rests}).")
    elif asked:
        said.append(
            f"Of none of {count(len(asked), 'class', 'classes')} it is shown that most images get another answer."
        )
    return said


def _calibrated(performance: Row) -> list[str]:
    row, over = performance["calibration"], _of(performance, "overconfidence")
    if row is None or over is None:
        return []
    beside = (
        f"the calibration error is {row['value']:.2f}, where a calibrated model with these probabilities has "
        f"{row['reference']:.2f} on average ({p_equals(row['p_holm'])}, {count(row['n'], 'image')})"
    )
    if row["answer"] != Answer.YES:
        return [f"That the probabilities are other than the share of right answers cannot be told: {beside}."]
    mean = over["value"]["mean"]
    way = "higher" if mean > 0 else "lower"
    return [
        f"The probabilities are on average {abs(mean):.2f} {way} than the share of right answers: {beside}."
    ]


def _of(performance: Row, key: str) -> Row | None:
    return next((row for row in performance["whole"] if row["key"] == key), None)
