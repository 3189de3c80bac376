"""Sentences that numbers carry: each takes plain values and says what they say, including what they do not show."""

from collections.abc import Sequence
from typing import Any

from xai_assets.joined import split_names
from xai_assets.reporting import names
from xai_assets.reporting.numbers import SMALLEST_P, p_equals


def joined(words: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """ "1 unit", "2 units"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}".replace(",", "\u202f")


def signed(value: float) -> str:
    """ "+0.12", "−0.03", "0.00": with a true minus sign."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


def between(value: dict[str, Any], *, sign: bool = False) -> str:
    """ "0.41 [0.35, 0.47]"; without the brackets where one value gives no interval."""
    write = signed if sign else lambda number: f"{number:.2f}".replace("-", "−")
    if value["low"] is None or value["high"] is None or value["n"] < 2:
        return write(value["mean"])
    return f"{write(value['mean'])} [{write(value['low'])}, {write(value['high'])}]"


def labels(cell: str | None) -> str:
    """The labels of an image, from their column, for people; "" without one."""
    return ", ".join(split_names(cell or ""))


def evidence(*cells: dict[str, Any]) -> str:
    """What decisions rest on, for brackets: "12 images, p = 0.002 at most, corrected by Holm over 9 tests".

    Args:
        cells: `n`, `p_holm` and `family_size` of each; of several, the fewest images, the largest p and family.
    """
    fewest, size = int(min(cell["n"] for cell in cells)), int(max(cell["family_size"] for cell in cells))
    known = [cell["p_holm"] for cell in cells if cell["p_holm"] is not None]
    if not known:
        return count(fewest, "image")
    least = " at most" if len(cells) > 1 else ""
    p = p_equals(max(known)) + ("" if max(known) < SMALLEST_P else least)
    return f"{count(fewest, 'image')}, {p}, Holm over {count(size, 'test')}"


def not_enough(*cells: dict[str, Any]) -> str:
    """With how many images something cannot be told, and how many it takes at least if these are too few.

    "12 images", or "4 images; at least 9 are needed for 5 tests".

    Args:
        cells: `n`, `fewest` and `family_size` of each; of several, the most images and the largest family.
    """
    images, fewest, size = (int(max(cell[name] for cell in cells)) for name in ("n", "fewest", "family_size"))
    if images >= fewest:
        return count(images, "image")
    needed = f"at least {fewest} are needed" + (f" for {count(size, 'test')}" if size else "")
    return f"{count(images, 'image')}; {needed}"


def accuracy(right: dict[str, Any]) -> str:
    """How often the model is right, with the interval that so few images allow.

    Args:
        right: `right` of `n` labelled images, and `share` (mean, low, high).
    """
    share, wrong = right["share"], right["n"] - right["right"]
    found = f"The model answers {right['right']} of {count(right['n'], 'labelled image')} right"
    if share["low"] is not None:
        found += f" ({share['mean']:.0%}; 95% interval {share['low']:.0%} to {share['high']:.0%})"
    return found + (f" and {wrong} wrong." if wrong else ".")


EXPLAINED, PROBED = "explained images", "images of the probe set"
"""The study's images that may be drawn: those whose answers are explained, and those that units are dissected with."""

_USED = {"cam": (EXPLAINED,), "lime": (EXPLAINED,), "failures": (EXPLAINED,), "dissection": (PROBED,)}
"""By the kind of report, which of them it is of; of both where nothing is said."""


def synthetic(kind: str, drawn: Sequence[str]) -> list[str]:
    """What images of the embedded world allow to be concluded, and what not; nothing where the report is of none.

    Args:
        kind: of the report.
        drawn: which of the study's images are drawn: EXPLAINED, PROBED.
    """
    parts = [part for part in drawn if part in _USED.get(kind, (EXPLAINED, PROBED))]
    if not parts:
        return []
    of = "photographs" if EXPLAINED in parts else "what units show of photographs"
    found = joined([{EXPLAINED: "the methods", PROBED: "the concepts"}[part] for part in parts])
    return [
        f"The {joined(parts)} are synthetic: drawn by the embedded world Diorama, where the label of every pixel is "
        f"known.",
        f"So it may be concluded how well {found} find what is there, for the models named here.",
        f"Nothing may be concluded from them about {of}, models trained on photographs, or the best method in general.",
    ]


def faithfulness(tests: Sequence[dict[str, Any]], pairs: Sequence[dict[str, Any]]) -> list[str]:
    """Which methods follow the model more closely than the controls do, and which methods differ.

    Args:
        tests: `method`, `control`, `n`, `p_holm`, `family_size`, `fewest` and `answer` of each pair.
        pairs: rows of `metric_tests` of two methods each.
    """
    if not tests:
        return ["No method was tested against a control."]
    if max(row["n"] for row in tests) < max(row["fewest"] for row in tests):
        return [
            "Whether any method follows the model more closely than the controls cannot be told with "
            f"{not_enough(*tests)}."
        ]
    methods = list(dict.fromkeys(row["method"] for row in tests))
    by_method = {method: [row for row in tests if row["method"] == method] for method in methods}
    winners = [method for method in methods if all(row["answer"] == "yes" for row in by_method[method])]
    said = []
    if winners:
        verb = "follows" if len(winners) == 1 else "follow"
        controls = joined([names.method(key).title for key in dict.fromkeys(row["control"] for row in tests)])
        rests_on = evidence(*(row for method in winners for row in by_method[method]))
        said.append(
            f"{joined([names.method(method).title for method in winners])} {verb} the model more closely than every "
            f"control ({controls}) does ({rests_on})."
        )
    for method in methods:
        title = names.method(method).title
        for answer, start in (
            ("no", f"{title} follows the model less closely than"),
            ("cannot_tell", f"Whether {title} follows the model more closely than"),
        ):
            found = [row for row in by_method[method] if row["answer"] == answer]
            if not found:
                continue
            which = joined([names.method(row["control"]).title for row in found])
            ending = (
                f" ({evidence(*found)})" if answer == "no" else f" cannot be told with {not_enough(*found)}"
            )
            said.append(f"{start} {which}{ending}.")
    return said + _of_pairs(pairs)


def _of_pairs(pairs: Sequence[dict[str, Any]]) -> list[str]:
    """Which of two methods is more faithful, of those where it is decided."""
    said = []
    for row in pairs:
        if row["answer"] in ("yes", "no"):
            first, second = (
                (row["method_a"], row["method_b"])
                if row["answer"] == "yes"
                else (row["method_b"], row["method_a"])
            )
            said.append(
                f"{names.method(first).title} is more faithful than {names.method(second).title} ({evidence(row)})."
            )
    if pairs and not said:
        which = "the two methods" if len(pairs) == 1 else "any two methods"
        said.append(f"Which of {which} is more faithful cannot be told with {not_enough(*pairs)}.")
    return said


def sanity(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Which methods' maps outlive the model, and which go with it; `rows` as the chapter's."""
    methods = [row for row in rows if not row["is_control"]]
    said = []
    for vetoed, what in (
        (True, "the maps outlive the model, so that they must not be read as its explanation"),
        (False, "the maps go with the model when its weights are shuffled"),
    ):
        if found := [row for row in methods if row["vetoed"] is vetoed]:
            titles = joined([names.method(row["key"]).title for row in found])
            said.append(f"{titles}: {what} ({_alive(found)}).")
    if dead := [row for row in methods if row["vetoed"] is None and row["maps"]]:
        titles = joined([names.method(row["key"]).title for row in dead])
        said.append(
            f"Whether the maps of {titles} outlive the model cannot be told: {_alive(dead)} of the shuffled network."
        )
    return said


def robustness(rows: Sequence[dict[str, Any]], lime: Sequence[dict[str, Any]]) -> list[str]:
    """Which methods are vetoed, whose maps move within their own noise, and how many images that rests on.

    Args:
        rows: as the chapter's.
        lime: `metric` and `value` of LIME's stability.
    """
    methods, said = [row for row in rows if not row["is_control"]], [*sanity(rows), *_stable(rows)]
    loud = [
        names.method(row["key"]).title
        for row in methods
        if row["sensitivity"] and row["floor"] and row["floor"]["mean"] > 0
    ]
    if loud:
        said.append(f"{joined(loud)} moves by its own chance as well, which its max-sensitivity contains.")
    fewest = min((row["sensitivity"]["n"] for row in methods if row["sensitivity"]), default=0)
    if fewest < 10:
        said.append(
            f"This rests on {count(fewest, 'image')} per method: too few to say how far such maps can move."
        )
    overlap = next((row["value"] for row in lime if row["metric"] == "lime_seed_iou" and row["value"]), None)
    if overlap:
        said.append(f"LIME's masks under two seeds overlap with an IoU of {overlap['mean']:.2f}.")
    return said


def _stable(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Which methods' maps move less under noise than maps drawn anew, and of which that is not shown."""
    asked = [
        (names.method(row["key"]).title, row["anew"]) for row in rows if row["anew"] and not row["is_control"]
    ]
    by_answer: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for title, found in asked:
        by_answer.setdefault(found["answer"], []).append((title, found))
    said = []
    for answer, what in (
        ("yes", "less under noise than a map drawn anew would"),
        ("no", "more under noise than a map drawn anew would, and are not stable"),
    ):
        if found := by_answer.get(answer):
            told = joined([f"{title} ({one['mean']:.2f} of it)" for title, one in found])
            said.append(f"Maps of {told} move {what} ({evidence(*(one for _, one in found))}).")
    if unsure := by_answer.get("cannot_tell"):
        titles = joined([title for title, _ in unsure])
        said.append(
            f"Whether maps of {titles} move less under noise than a map drawn anew would cannot be told with "
            f"{not_enough(*(one for _, one in unsure))}."
        )
    return said


def _alive(rows: Sequence[dict[str, Any]]) -> str:
    """ "4 images, 3 of 4 maps alive"; of several methods the fewest."""
    least = min(rows, key=lambda row: row["alive"])
    images = min((row["similarity"]["n"] for row in rows if row["similarity"]), default=0)
    of_images = f"{count(images, 'image')}, " if images else ""
    at_least = "at least " if len({(row["alive"], row["maps"]) for row in rows}) > 1 else ""
    return f"{of_images}{at_least}{least['alive']} of {count(least['maps'], 'map')} alive"


def counterfactuals(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Which changes lower or raise the class's probability, and of which it cannot be told with these images.

    Args:
        rows: `title` and `fall` (a decided row of `counterfactual_summary`) of each change.
    """
    by_answer: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_answer.setdefault(row["fall"]["answer"], []).append(row)
    said = []
    for answer, what in (("yes", "less"), ("no", "more")):
        if found := by_answer.get(answer):
            told = joined([f"{row['title']} ({signed(-row['fall']['mean'])})" for row in found])
            rests_on = evidence(*(row["fall"] for row in found))
            said.append(f"The class becomes {what} probable with {told} ({rests_on}).")
    if unsure := by_answer.get("cannot_tell"):
        told = joined([f"{row['title']} ({signed(-row['fall']['mean'])})" for row in unsure])
        said.append(
            f"Whether the probability changes with {told} cannot be told with "
            f"{not_enough(*(row['fall'] for row in unsure))}."
        )
    return said
