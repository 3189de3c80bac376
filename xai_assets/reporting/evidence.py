"""Where the evidence for the answers lies: on the object, in its context or elsewhere, as `evidence_tests` has it."""

from collections.abc import Sequence
from typing import Any

from xai_assets.evaluation.decision import Answer
from xai_assets.reporting import comparisons, names
from xai_assets.reporting.narrative import joined
from xai_assets.reporting.numbers import in_order, records
from xai_assets.reporting.performance import value
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

REGIONS = ("object", "context", "elsewhere")
_DECIDED = ("p_holm", "family_size", "fewest", "answer")


def evidence(results: StudyResults) -> Row:
    """The chapter's data; `methods` is empty where no object is known.

    Returns:
        `methods`; `places`: a row a method with `regions`, each its share, chance and answer; `answers`: a row a method
        and region that compares right with wrong answers; `sentences`; `right` and `wrong`: images of each.
    """
    rows = records(results.evidence_tests)
    methods = in_order(row["method"] for row in rows)
    by_key = {(row["question"], row["method"], row["region"]): row for row in rows}
    of_images = results.evidence_place
    once = of_images.drop_duplicates("image_id") if len(of_images) else of_images
    correct = [row["correct"] for row in records(once)]
    return {
        "methods": methods,
        "right": sum(one is True for one in correct),
        "wrong": sum(one is False for one in correct),
        "places": [
            {
                "method": method,
                "regions": [_asked(by_key.get(("chance", method, region))) for region in REGIONS],
                "on_object": _asked(by_key.get(("on_object", method, "object"))),
            }
            for method in methods
        ],
        "answers": [
            {"method": row["method"], "region": row["region"], **_asked(row)}
            for row in rows
            if row["question"] == "answers"
        ],
        "sentences": [
            *_on_object([row for row in rows if row["question"] == "on_object"]),
            *_right_and_wrong([row for row in rows if row["question"] == "answers"]),
        ],
    }


def _asked(row: Row | None) -> Row:
    """The share, what it is compared with, the difference with its interval, and what was decided."""
    if row is None:
        return dict.fromkeys(("value", "reference", "difference", "n", *_DECIDED))
    return {
        "value": row["value"],
        "reference": row["reference"],
        "difference": value(row, "difference"),
        "n": row["n"],
        **{name: row[name] for name in _DECIDED},
    }


def _on_object(rows: Sequence[Row]) -> list[str]:
    said = []
    for answer, words in (
        (
            Answer.YES,
            "lie on the object, more than those of other images would by a tenth of what is left to 1",
        ),
        (
            Answer.NO,
            "do not lie on the object: they have less than a tenth of what is left to 1 above chance there",
        ),
    ):
        if of := [row for row in rows if row["answer"] == answer]:
            said.append(f"The maps of {_named(of)} {words} ({comparisons.rests_on(of)}).")
    if of := [row for row in rows if row["answer"] == Answer.CANNOT_TELL]:
        said.append(f"Whether the maps of {_named(of)} lie on the object {comparisons.cannot(of)}.")
    return said


def _right_and_wrong(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    told = [row for row in rows if row["answer"] in (Answer.YES, Answer.NO)]
    told = [row for row in told if row["region"] == "object"] or told  # the table has the other regions
    if not told:
        return ["That the evidence of wrong answers lies elsewhere than that of right ones cannot be told."]
    return [
        f"Where the answer is wrong, the maps of {names.method(row['method']).title} have "
        f"{'less' if row['answer'] == Answer.YES else 'more'} of their evidence {_place(row['region'])} than where it is "
        f"right ({row['reference']:+.2f} and {row['value']:+.2f} against chance; {comparisons.rests_on([row])})."
        for row in told
    ]


def _place(region: str) -> str:
    return {"object": "on the object", "context": "in its context", "elsewhere": "elsewhere"}[region]


def _named(rows: Sequence[Row]) -> str:
    return joined([names.method(row["method"]).title for row in rows])
