"""The verdict of a study in a few sentences: each says what rows of the view `headline` decide, and of how much."""

from collections.abc import Sequence
from typing import Any

from xai_assets.evaluation.decision import Answer, most_tests
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import comparisons, names
from xai_assets.reporting.answers import model
from xai_assets.reporting.narrative import count, joined
from xai_assets.reporting.numbers import records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]


def verdict(results: StudyResults, *, words: Sequence[str] = (), robustness: Sequence[str] = ()) -> list[str]:
    """Model, localisation, agreement, faithfulness, robustness and words, as far as the study has them.

    Args:
        results: of the study.
        words: the sentences about the words of the last layers.
        robustness: those about methods that fail or pass the test of randomised networks.
    """
    said = [*model(results), *maps(results, robustness=robustness), *words]
    return said or ["The study has no results to draw a conclusion from."]


def maps(results: StudyResults, *, robustness: Sequence[str] = ()) -> list[str]:
    """Whether the maps lie on the object, agree, and follow the model, and what so many images can decide."""
    rows = records(results.headline)
    where = [row for row in _of(rows, "localization") if row["metric"] == "average_precision"]
    agree, faithful = _of(rows, "agreement"), _of(rows, "faithfulness")
    said = against_controls("pixel average precision", where) if where else []
    if agree:
        said.append(agreement(agree))
    if faithful:
        metric = METRICS[faithful[0]["metric"]].title
        said += against_controls(f"{metric[0].lower()}{metric[1:]} ({faithful[0]['variant']})", faithful)
    said += robustness
    compared = [row for row in (*where, *faithful) if row["answer"] is not None]
    if compared:
        said.append(power(min(row["n"] for row in compared)))
    return said


def agreement(rows: Sequence[Row]) -> str:
    """How far masks agree; rows of the view `headline`."""
    return comparisons.span([_as_pair(row) for row in rows if row["value"] is not None])


def _of(rows: Sequence[Row], section: str) -> list[Row]:
    return [row for row in rows if row["section"] == section]


def against_controls(metric: str, rows: Sequence[Row]) -> list[str]:
    """Which methods are above all controls, which are below one, and of which it cannot be told.

    Args:
        metric: its name in a sentence.
        rows: of the view `headline`, methods and controls.
    """
    methods = [row for row in rows if row["answer"] is not None]
    if not methods:
        return [f"By {metric}, no method was compared with a control."]
    controls = joined([comparisons.the(key) for key in methods[0]["against"].split(", ")])
    said = []
    above = [row for row in methods if row["answer"] == Answer.YES]
    below = [row for row in methods if row["answer"] == Answer.NO]
    open_ = [row for row in methods if row["answer"] == Answer.CANNOT_TELL]
    if above:
        verb = "is" if len(above) == 1 else "are"
        said.append(
            f"By {metric}, {_named(above, methods)} {verb} above {controls} ({comparisons.rests_on(above)})."
        )
    if below:
        verb = "is" if len(below) == 1 else "are"
        said.append(
            f"By {metric}, {_named(below, methods)} {verb} below one of {controls} ({comparisons.rests_on(below)})."
        )
    if open_:
        verb = "is" if len(open_) == 1 or _all(open_, methods) else "are"
        said.append(
            f"By {metric}, whether {_named(open_, methods, 'any of the')} {verb} above {controls} "
            f"{comparisons.cannot(open_)}."
        )
    return said


def _as_pair(row: Row) -> Row:
    """A row of the view as `comparisons` takes pairs."""
    iou = {"mean": row["value"], "low": row["low"], "high": row["high"], "n": row["n"]}
    return row | {"method_a": row["subject"], "method_b": row["other"], "iou": iou}


def power(n: int) -> str:
    """What n images can decide at all."""
    most = most_tests(n)
    if not most:
        return f"With {count(n, 'image')}, no comparison on the same images can be decided; one takes at least 6."
    return (
        f"With {count(n, 'image')}, at most {count(most, 'comparison')} can be decided together, and only if all images "
        "agree: what cannot be told is no sign that there is no difference."
    )


def _all(rows: Sequence[Row], methods: Sequence[Row]) -> bool:
    """Whether rows are those of all methods, of which there are more than two."""
    return len(rows) == len(methods) > 2


def _named(rows: Sequence[Row], methods: Sequence[Row], every: str = "all") -> str:
    """The methods of the rows, or "all 4 methods"."""
    if _all(rows, methods):
        return f"{every} {len(rows)} methods"
    return joined([names.method(row["subject"]).title for row in rows])
