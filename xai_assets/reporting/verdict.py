"""The verdict of a study in a few sentences: each says what rows of the view `headline` decide, and of how much."""

from collections.abc import Sequence
from typing import Any

from xai_assets.evaluation.decision import Answer, most_tests
from xai_assets.evaluation.metrics import METRICS
from xai_assets.reporting import names, narrative, overview
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
    rows = records(results.headline)
    right = overview.accuracy(results)
    said = [narrative.accuracy(right)] if right is not None else []
    where = [row for row in _of(rows, "localization") if row["metric"] == "average_precision"]
    agree, faithful = _of(rows, "agreement"), _of(rows, "faithfulness")
    if where:
        said += against_controls("pixel average precision", where)
    elif agree:
        said.append("No image has a true mask, so nothing is said of where the maps ought to be.")
    if agree:
        said.append(agreement(agree))
    if faithful:
        metric = METRICS[faithful[0]["metric"]].title
        said += against_controls(f"{metric[0].lower()}{metric[1:]} ({faithful[0]['variant']})", faithful)
    said += [*robustness, *words]
    compared = [row for row in (*where, *faithful) if row["answer"] is not None]
    if compared:
        said.append(power(min(row["n"] for row in compared)))
    return said or ["The study has no results to draw a conclusion from."]


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
    controls = joined([f"the {names.method(key).title.lower()}" for key in methods[0]["against"].split(", ")])
    size, said = methods[0]["family_size"], []
    above = [row for row in methods if row["answer"] == Answer.YES]
    below = [row for row in methods if row["answer"] == Answer.NO]
    open_ = [row for row in methods if row["answer"] == Answer.CANNOT_TELL]
    if above:
        verb = "is" if len(above) == 1 else "are"
        said.append(f"By {metric}, {_named(above)} {verb} above {controls} ({basis(above)}).")
    if below:
        verb = "is" if len(below) == 1 else "are"
        said.append(f"By {metric}, {_named(below)} {verb} below one of {controls} ({basis(below)}).")
    if open_:
        needed = max(row["fewest"] for row in open_)
        n = min(row["n"] for row in open_)
        ending = (
            f": for {count(size, 'comparison')}, at least {needed} images are needed" if n < needed else ""
        )
        said.append(
            f"By {metric}, whether {_named(open_)} {'is' if len(open_) == 1 else 'are'} above {controls} cannot be told "
            f"with {count(n, 'image')}{ending}."
        )
    return said


def agreement(rows: Sequence[Row]) -> str:
    """How far the masks of the methods agree, and which pairs agree further than masks of other images."""
    known = [row for row in rows if row["value"] is not None]
    if not known:
        return (
            "No pair of methods explained the same class of the same image, so their agreement is not known."
        )
    best, worst = max(known, key=lambda row: row["value"]), min(known, key=lambda row: row["value"])
    span = f"an IoU of {best['value']:.2f} ({_pair(best)})"
    if worst is not best:
        span = f"an IoU from {worst['value']:.2f} ({_pair(worst)}) to {best['value']:.2f} ({_pair(best)})"
    above = [row for row in known if row["answer"] == Answer.YES]
    below = [row for row in known if row["answer"] == Answer.NO]
    open_ = [row for row in known if row["answer"] not in (Answer.YES, Answer.NO)]
    parts = []
    if above:
        which = (
            "each pair agrees"
            if len(above) == len(known)
            else f"{len(above)} of {count(len(known), 'pair')} agree"
        )
        parts.append(f"{which} more than masks of different images do ({basis(above)})")
    if below:
        parts.append(f"{joined([_pair(row) for row in below])} agree less than those ({basis(below)})")
    if open_:
        n = min(row["n"] for row in open_)
        which = "for no pair" if len(open_) == len(known) else f"for {count(len(open_), 'pair')}"
        told = "it can be told" if len(open_) == len(known) else "it cannot be told"
        parts.append(
            f"{which} {told} with {count(n, 'image')} whether it agrees more than masks of different images"
        )
    return f"The methods' masks agree with {span}; {'; '.join(parts)}."


def basis(rows: Sequence[Row]) -> str:
    """What a claim rests on: images, the corrected p, and how many questions it was corrected for."""
    images = sorted({row["n"] for row in rows})
    n = count(images[0], "image") if len(images) == 1 else f"{images[0]} to {images[-1]} images"
    size = max(row["family_size"] for row in rows)
    at_most = "at most " if len(rows) > 1 else ""
    return (
        f"{n}, p {at_most}{max(row['p_holm'] for row in rows):.2g}, corrected for {count(size, 'comparison')}"
    )


def power(n: int) -> str:
    """What n images can decide at all."""
    most = most_tests(n)
    if not most:
        return f"With {count(n, 'image')}, no comparison on the same images can be decided; one takes at least 6."
    return (
        f"With {count(n, 'image')}, at most {count(most, 'comparison')} can be decided together, and only if all images "
        "agree: what cannot be told is no sign that there is no difference."
    )


def _named(rows: Sequence[Row]) -> str:
    return joined([names.method(row["subject"]).title for row in rows])


def _pair(row: Row) -> str:
    return f"{names.method(row['subject']).title} and {names.method(row['other']).title}"
