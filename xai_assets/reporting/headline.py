"""The headline table of a study's front page: rows of the view `headline`, with their readings in words."""

from typing import Any

from xai_assets.evaluation import headline as chosen
from xai_assets.evaluation.decision import Answer
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import names
from xai_assets.reporting.doubts import doubts
from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

ABOVE, SAME, BELOW, PLAIN = "above", "same", "below", "plain"
"""How a reading is marked: above what it is compared with, cannot be told, below it, not compared."""

_MARKS = {Answer.YES: ABOVE, Answer.NO: BELOW, Answer.CANNOT_TELL: SAME}
_SHOWN = {
    "localization": chosen.LOCALIZATION[0],
    "faithfulness": chosen.FAITHFULNESS[0],
    "agreement": chosen.AGREEMENT,
    "words": "truth_presence",
}
"""The metric of each section that the page has room for."""

OTHER_IMAGES = "other_images"

WITH_CARE = " (with care: see the verdict)"
"""Behind the reading of words whose probe set, encoder or model gives reason for doubt."""


def headline(results: StudyResults) -> list[Row]:
    """The rows of the page.

    Returns:
        `metric` (a title), `subject`, `value` (mean, low, high and n), `chance`, `direction`, `status` (a mark) and
        `reading`; rows of controls have the reading "control". Faithfulness shows methods only.
    """
    rows = []
    for row in records(results.headline):
        section = row["section"]
        if row["metric"] != _SHOWN.get(section) or row["value"] is None:
            continue
        if section == "faithfulness" and row["is_control"]:
            continue
        status, reading = _reading(row)
        if section == "words" and doubts(results, row["subject"]):
            reading += WITH_CARE
        rows.append(
            {
                "metric": _title(row),
                "subject": _subject(row),
                "value": {"mean": row["value"], "low": row["low"], "high": row["high"], "n": row["n"]},
                "chance": row["chance"],
                "direction": "higher is closer" if section == "agreement" else "higher is better",
                "status": status,
                "reading": reading,
            }
        )
    return rows


def _title(row: Row) -> str:
    if row["section"] == "words":
        return "Concepts: word truly present"
    title = METRICS[row["metric"]].title
    if row["section"] == "agreement":
        return f"Agreement of masks: {title}"
    section = row["section"].replace("localization", "localisation").capitalize()
    named = f"{section}: {title[0].lower()}{title[1:]}"
    return f"{named}, {row['variant']}" if section == "Faithfulness" else named


def _subject(row: Row) -> str:
    if row["other"] is None:
        return str(row["subject"])
    if row["section"] == "words":
        return f"{row['subject']} · {row['other']}"
    known = [*names.METHODS, *names.CONTROLS]
    pair = sorted(
        (row["subject"], row["other"]), key=lambda key: known.index(key) if key in known else len(known)
    )
    return " / ".join(names.method(key).title for key in pair)


def _reading(row: Row) -> tuple[str, str]:
    if row["is_control"]:
        return PLAIN, "control"
    if row["answer"] is None:
        return PLAIN, "no chance level" if row["section"] == "words" else "no control"
    answer = Answer(row["answer"])
    if row["against"] in (OTHER_IMAGES, "chance"):
        words = {Answer.YES: "above chance", Answer.NO: "below chance"}
    else:
        controls = len(str(row["against"]).split(", "))
        all_ = {1: "the control", 2: "both controls"}.get(controls, f"all {controls} controls")
        words = {Answer.YES: f"above {all_}", Answer.NO: "below a control"}
    return _MARKS[answer], words.get(answer, cannot_tell(row))


def cannot_tell(row: Row) -> str:
    """Why nothing is decided: too few images for the family, or no difference that they show."""
    if row["section"] == "words":
        return "cannot be told from chance"
    if row["n"] < row["fewest"]:
        return f"cannot be told with {row['n']} images (at least {row['fewest']})"
    return f"cannot be told with {row['n']} images"
