"""What the explained model answers: right, wrong or unsure, of each image and in all."""

from collections.abc import Sequence
from typing import Any

from xai_assets.reporting import narrative, overview
from xai_assets.reporting.doubts import doubts_of_answers
from xai_assets.reporting.narrative import count, joined
from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

NAMED = 4
"""At most so many wrong answers are named in the verdict; the table has all."""


def answers(results: StudyResults) -> list[Row]:
    """One row an image that the model answers, explained or not, in the study's order.

    Of `answers` where the tables have it, else of `predictions`: `image_id`, `predicted_name`, `predicted_probability`,
    `label`, `correct` and `model`.
    """
    if len(results.answers):
        return records(results.answers.rename(columns={"probability": "predicted_probability"}))
    return records(results.predictions.drop_duplicates("image_id")) if len(results.predictions) else []


def model(results: StudyResults) -> list[str]:
    """How many answers are right, which are wrong, how many are unsure, and what of the images bids care."""
    rows = answers(results)
    right = overview.accuracy(results)
    said = [narrative.accuracy(right)] if right is not None else []
    wrong = [row for row in rows if row["correct"] is False]
    if wrong:
        wrong.sort(key=lambda row: -row["predicted_probability"])
        named = [_named(row) for row in wrong[:NAMED]]
        more = [f"{len(wrong) - NAMED} more"] if len(wrong) > NAMED else []
        said.append(f"Wrong, the surest first: {joined([*named, *more])}.")
    if rows and right is None:
        said.append(
            f"Whether its answers are right is not known: no label of {_all(rows)} is a class of the model."
            if any(row["label"] is not None for row in rows)
            else f"Whether its answers are right is not known: {_all(rows)} without a label."
        )
    return [*said, *_unsure(results, rows), *doubts_of_answers(results.prediction_summary)]


def _all(rows: Sequence[Row]) -> str:
    return count(len(rows), "image") if len(rows) == 1 else f"{len(rows)} images"


def _named(row: Row) -> str:
    label = narrative.labels(row["label"])
    return (
        f"{row['image_id']} ({row['predicted_name']}, {row['predicted_probability']:.0%}, labelled {label})"
    )


def _unsure(results: StudyResults, rows: Sequence[Row]) -> list[str]:
    """How many answers have no majority of the probability, and which has the least."""
    found = []
    for row in records(results.prediction_summary):
        if not row.get("images") or row.get("unsure") is None:
            continue
        of = [one for one in rows if one["model"] == row["model"]]
        if not of:
            continue
        least = min(of, key=lambda one: one["predicted_probability"])
        verb = "are" if row["unsure"] > 1 else "is"
        found.append(
            f"{row['unsure'] or 'None'} of {count(row['images'], 'answer')} {verb} unsure (a probability of at most "
            f"{row['sure_above']:.0%}); the least sure is {least['predicted_name']} "
            f"({least['predicted_probability']:.0%}, {least['image_id']})."
        )
    return found
