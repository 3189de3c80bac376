"""Labels that are more probably wrong than right, and no mistakes of the model: rows of the tables, and sentences."""

from typing import Any

from xai_assets.evaluation.decision import Answer
from xai_assets.reporting.failures import with_pictures
from xai_assets.reporting.narrative import count
from xai_assets.reporting.numbers import p_equals, records
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

DRAWN = 10
"""Suspected labels that are shown with their image; the table has more, and report.json all."""


def suspected(results: StudyResults, pictures: Pictures) -> Row:
    """The suspected labels.

    Returns:
        `rows`: the most suspicious first; `drawn`: the first of them with `picture`; `sentences`: whether labels are
        wrong at all, and what the list is worth; none without labels.
    """
    rows = [
        {
            "image_id": row["image_id"],
            "label": row["label_name"],
            "suggested": row["suggested_name"],
            "label_probability": row["label_probability"],
            "suggested_probability": row["suggested_probability"],
            "label_wrong": row["label_wrong"],
        }
        for row in sorted(records(results.suspected_labels), key=lambda row: row["suspicion_rank"])
    ]
    return {
        "rows": rows,
        "drawn": with_pictures(results, pictures, rows[:DRAWN]),
        "sentences": [said for row in records(results.label_quality) for said in _sentences(row)],
    }


def _sentences(row: Row) -> list[str]:
    labels = count(row["labels"], "label")
    if row["p_holm"] is None:
        return []
    rests = f"{p_equals(row['p_holm'])}, {labels}"
    if row["answer"] != Answer.YES:
        return [f"That labels are wrong, beyond the model's own mistakes, is not shown ({rests})."]
    ends = f" (95% interval {row['low']:.1%} to {row['high']:.1%})" if row["low"] is not None else ""
    said = [
        f"Labels are wrong, beyond the model's own mistakes ({rests}): about {row['share']:.1%} of them{ends}."
    ]
    if row["suspected"]:
        worth = [f"{row['expected_precision']:.0%} of these are expected to be wrong indeed"]
        if row["expected_recall"] is not None:
            worth.append(f"and they are {row['expected_recall']:.0%} of the wrong ones")
        verb = "is" if row["suspected"] == 1 else "are"
        said.append(
            f"{row['suspected']} {verb} suspected; {', '.join(worth)}. They count in the accuracy, but not "
            "as mistakes or confusions of the model."
        )
    return said
