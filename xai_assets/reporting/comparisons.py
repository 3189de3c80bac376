"""Sentences about what methods were compared with: controls, other methods, and their own maps of other images.

Each takes rows as `measures` makes them: an `answer` is yes, no or cannot_tell, and stands with the images (`n`), the
corrected p (`p_holm`), the number of questions that were asked together (`family_size`) and the fewest images that could
answer one of so many (`fewest`). What cannot be told is neither a failure nor a success.
"""

from collections.abc import Sequence
from typing import Any

from xai_assets.evaluation.controls import ONES
from xai_assets.reporting import names
from xai_assets.reporting.narrative import between, count, joined

Row = dict[str, Any]


def rests_on(rows: Sequence[Row], what: str = "comparison") -> str:
    """ "12 images, p ≤ 0.008 after Holm's correction for 16 comparisons": what answers rest on."""
    n = sorted({row["n"] for row in rows})
    images = count(n[0], "image") if len(n) == 1 else f"{n[0]} to {n[-1]} images"
    known = [row["p_holm"] for row in rows if row["p_holm"] is not None]
    sign = "=" if len(set(known)) == 1 else "≤"
    size = max(row["family_size"] or 0 for row in rows)
    correction = f" after Holm's correction for {size} {what}s" if size > 1 else ""
    return f"{images}, p {sign} {_p(max(known))}{correction}" if known else images


def cannot(rows: Sequence[Row]) -> str:
    """ "cannot be told with 3 images; at least 5 are needed", or "with 12 images" where so many could have told."""
    n = min(row["n"] for row in rows)
    fewest = max(row["fewest"] or 0 for row in rows)
    told = f"cannot be told with {count(n, 'image')}"
    return f"{told}; at least {fewest} are needed" if n < fewest else told


def on_the_object(rows: Sequence[Row]) -> list[str]:
    """Whether each method's maps lie on the object more than its maps of other images would.

    Args:
        rows: those of the chapter; the controls among them are left out.
    """
    asked = [
        (row["key"], {**row["values"]["average_precision"]["beyond"], **row["values"]["average_precision"]})
        for row in rows
        if not row["is_control"] and row["values"]["average_precision"]["beyond"] is not None
    ]
    by_answer: dict[str, list[tuple[str, Row]]] = {"yes": [], "no": [], "cannot_tell": []}
    for key, found in asked:
        by_answer[found["answer"] or "cannot_tell"].append((key, found))
    said = []
    if above := by_answer["yes"]:
        levels = sorted(found["chance"] for _, found in above)
        chance = f"{levels[0]:.2f}" + (
            f" to {levels[-1]:.2f}" if f"{levels[0]:.2f}" != f"{levels[-1]:.2f}" else ""
        )
        verb = "finds" if len(above) == 1 else "find"
        said.append(
            f"{_titles(key for key, _ in above)} {verb} the object of the image: by pixel average precision more than by "
            f"chance, {chance}, which is what maps of the other images give "
            f"({rests_on([found for _, found in above], 'method')})."
        )
    if below := by_answer["no"]:
        said.append(
            f"{_titles(key for key, _ in below)} lie on the object less than maps of other images do "
            f"({rests_on([found for _, found in below], 'method')})."
        )
    if left := by_answer["cannot_tell"]:
        verb = "finds" if len(left) == 1 else "find"
        said.append(
            f"Whether {_titles(key for key, _ in left)} {verb} the object more than by chance "
            f"{cannot([found for _, found in left])}."
        )
    return said


def against_controls(rows: Sequence[Row]) -> list[str]:
    """Which methods beat the decisive controls, which do not, and of which it cannot be told.

    Args:
        rows: `method`, `control`, `difference` (mean, low, high, n; or None) and what was answered.

    Returns:
        One sentence on the methods that beat every control they were put against, then one a method that does not.
    """
    if not rows:
        return [
            "No method was put against a control, so nothing can be said of whether a map shows more than a guess."
        ]
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row["method"], []).append(row)
    controls = [the(key) for key in dict.fromkeys(row["control"] for row in rows)]
    if all(row["answer"] == "cannot_tell" for row in rows) and all(row["n"] < row["fewest"] for row in rows):
        return [
            f"Whether {_titles(by_method)} {'beats' if len(by_method) == 1 else 'beat'} {' or '.join(controls)} "
            f"{cannot(rows)}."
        ]
    winners = {key: own for key, own in by_method.items() if all(row["answer"] == "yes" for row in own)}
    said = []
    if winners:
        both = "both " if len(controls) == 2 else ""
        rests = rests_on([row for own in winners.values() for row in own])
        verb = "beats" if len(winners) == 1 else "beat"
        said.append(
            f"By pixel average precision, {_titles(winners)} {verb} {both}{joined(controls)} ({rests})."
        )
    for key, own in by_method.items():
        if key in winners:
            continue
        title, left = names.method(key).title, [row for row in own if _open(row)]
        if clauses := [_clause(row) for row in own if not _open(row)]:
            said.append(f"{title} {joined(clauses)}.")
        if left:
            shown = joined([between(row["difference"], sign=True) for row in left])
            controls = [the(row["control"]) for row in left]
            word = "difference" if len(left) == 1 else "differences"
            said.append(f"Whether {title} beats {' or '.join(controls)} {cannot(left)} ({word} {shown}).")
    return said


def _open(row: Row) -> bool:
    return row["difference"] is not None and row["answer"] not in ("yes", "no")


def _clause(row: Row) -> str:
    control = the(row["control"])
    if row["difference"] is None:
        return f"could not be compared with {control}"
    shown = f"difference {between(row['difference'], sign=True)}"
    if row["answer"] == "yes":
        return f"beats {control} ({shown}; {rests_on([row])})"
    return f"does worse than {control} ({shown}; {rests_on([row])})"


def resolution(rows: Sequence[Row]) -> str:
    """How large a difference so many images can show, from the widths of the intervals."""
    known = [row["difference"] for row in rows if row["difference"] and row["difference"]["low"] is not None]
    if not known:
        return "So few images were compared that no difference has an interval: nothing follows about one."
    halves = sorted((value["high"] - value["low"]) / 2 for value in known)
    reach = f"±{halves[0]:.2f}" + (
        f" to ±{halves[-1]:.2f}" if f"{halves[0]:.2f}" != f"{halves[-1]:.2f}" else ""
    )
    return (
        f"With {count(min(value['n'] for value in known), 'image')}, the intervals of these differences reach {reach} "
        "about them. A true difference of that size is missed at least as often as it is found."
    )


def span(rows: Sequence[Row]) -> str:
    """The range of the methods' agreement in one sentence, for the front page; rows as `agreement` takes them."""
    known = [row for row in rows if row["iou"] is not None]
    if len(known) < 2:
        return agreement(rows)
    best, worst = max(known, key=_mean), min(known, key=_mean)
    return (
        f"The methods' masks agree with an IoU from {_mean(worst):.2f} ({_pair(worst)}) to "
        f"{_mean(best):.2f} ({_pair(best)}). {_decided(known, named=False)}"
    )


def agreement(rows: Sequence[Row]) -> str:
    """How far the methods' masks agree, and whether further than their masks of other images.

    Args:
        rows: pairs with `method_a`, `method_b`, `iou` (interval), `chance` and what was answered.
    """
    known = [row for row in rows if row["iou"] is not None]
    if not known:
        return (
            "No pair of methods explained the same class of the same image, so their agreement is not known."
        )
    best, worst = max(known, key=_mean), min(known, key=_mean)
    sentence = f"{_pair(best)} agree most: IoU {between(best['iou'])}{_by_chance(best)}."
    if worst is not best:
        sentence += f" {_pair(worst)} agree least: IoU {between(worst['iou'])}{_by_chance(worst)}."
    return f"{sentence} {_decided(known, named=True)}"


def _decided(rows: Sequence[Row], *, named: bool) -> str:
    """What was answered of all pairs; `named`: those that are not beyond chance by name."""
    above = [row for row in rows if row["answer"] == "yes"]
    below = [row for row in rows if row["answer"] == "no"]
    left = [row for row in rows if row["answer"] not in ("yes", "no")]
    said = []
    if above:
        which = "Every pair" if len(above) == len(rows) else f"{len(above)} of {count(len(rows), 'pair')}"
        verb = "agrees" if len(above) in (1, len(rows)) else "agree"
        said.append(
            f"{which} {verb} further than by chance, which is what masks of different images give "
            f"({rests_on(above, 'pair')})."
        )
    if below:
        said.append(f"Below chance: {_pairs(below, named)} ({rests_on(below, 'pair')}).")
    if left:
        verb = "agrees" if len(left) == 1 else "agree"
        which = "any two methods" if len(left) == len(rows) > 1 else _pairs(left, named)
        said.append(f"Whether {which} {verb} further than by chance {cannot(left)}.")
    return " ".join(said)


def _pairs(rows: Sequence[Row], named: bool) -> str:
    return "; ".join(_pair(row) for row in rows) if named else count(len(rows), "pair")


def _pair(row: Row) -> str:
    return f"{names.method(row['method_a']).title} and {names.method(row['method_b']).title}"


def _by_chance(row: Row) -> str:
    return "" if row["chance"] is None else f", where masks of different images have {row['chance']:.2f}"


def _mean(row: Row) -> float:
    return float(row["iou"]["mean"])


def the(control: str) -> str:
    """ "the edge map", and "all ones"."""
    title = names.method(control).title.lower()
    return title if control == ONES else f"the {title}"


def _titles(keys: Any) -> str:
    return joined([names.method(key).title for key in keys])


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.0001 else "0.0001"
