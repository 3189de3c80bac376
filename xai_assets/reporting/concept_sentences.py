"""Sentences about units and their concepts: each takes plain values and says what they say, and what they do not show."""

from collections.abc import Sequence
from typing import Any

from xai_assets.evaluation.decision import Answer
from xai_assets.reporting import names
from xai_assets.reporting.narrative import count, joined
from xai_assets.reporting.numbers import p_equals

Row = dict[str, Any]


def layer(row: Row) -> str:
    """What the units of one layer were found to be."""
    parts = [f"Of {count(row['units'], 'unit')} in {row['layer']}"]
    if row["detectors"] is not None:
        verb = "detects" if row["detectors"] == 1 else "detect"
        different = row["unique_detectors"] or 0
        kinds = f" ({count(different, 'different label')})" if row["detectors"] else ""
        parts.append(f"{row['detectors']} {verb} a pixel label{kinds}")
    if row["dead"] or len(parts) == 1:
        verb = "fires" if row["dead"] == 1 else "fire"
        parts.append(
            f"{row['dead']} never {verb} on the probe set" if row["dead"] else "all fire on the probe set"
        )
    return parts[0] + ", " + joined(parts[1:]) + "."


def beyond(row: Row) -> str:
    """How many units of a layer have a name that chance does not explain.

    Args:
        row: `layer`, and `labels_beyond` and `words_beyond`: rows of `units_beyond_chance`, or None.
    """
    parts = [
        _beyond(found, what)
        for found, what in (
            (row["labels_beyond"], "are detectors of a pixel label"),
            (row["words_beyond"], "have a word from CLIP-Dissect"),
        )
        if found is not None
    ]
    return f"At a false-discovery rate of 5%, in {row['layer']}: " + "; ".join(parts) + "."


def _beyond(found: Row, what: str) -> str:
    of = f"of {count(found['living'], 'active unit')} {what}"
    networks = found["networks"]
    if not networks:
        return f"{found['beyond']} {of} that images in another order do not explain (no untrained network was looked at)"
    shuffled = f"{count(networks, 'network')} with shuffled weights"
    if found["answer"] == Answer.YES:
        return (
            f"{found['beyond']} {of} that neither images in another order nor {shuffled} explain "
            f"({p_equals(found['p_network'])} for the layer)"
        )
    only = f"{found['beyond_images']} {of} that images in another order do not explain"
    if networks < found["fewest_networks"]:
        least = found["fewest_networks"]
        return f"{only}; whether training explains them cannot be told with {shuffled}; at least {least}"
    return f"{only}, but that {shuffled} do not explain them cannot be told (p = {found['p_network']:.2f} for the layer)"


def presence(label: str, row: Row | None) -> str:
    """Whether CLIP-Dissect's words are truly in the images that drive the units.

    Args:
        label: what is spoken of.
        row: of `presence_summary`; None where the probe set has no labels.
    """
    if row is None:
        return f"{label}: whether CLIP-Dissect's words are truly present is not known, since the probe set has no labels."
    found = (
        f"{label}: CLIP-Dissect's word is truly present in {_share(row)} of a unit's most activating images"
    )
    return f"{found} ({count(row['units'], 'unit')}, {count(row['n'], 'word')}){_against(row)}."


def presences(rows: Sequence[Row]) -> list[str]:
    """Of several models (`label`, `row`): those above chance in one sentence, the others each in its own."""
    above = [row for row in rows if row["row"] is not None and row["row"]["answer"] == Answer.YES]
    if len(above) < 2:
        return [presence(row["label"], row["row"]) for row in rows]
    shares = [
        f"{_share(row['row'])} ({row['label']}; chance {row['row']['chance']:.0%}; {count(row['row']['units'], 'unit')}, "
        f"{count(row['row']['n'], 'word')}; {_p(row['row'])})"
        for row in above
    ]
    together = f"CLIP-Dissect's word is truly present in {joined(shares)} of a unit's most activating images"
    networks = min(row["row"]["networks"] for row in above)
    if networks:
        together += f", more than in any of {networks} networks with shuffled weights"
    return [together + ".", *(presence(row["label"], row["row"]) for row in rows if row not in above)]


def _share(row: Row) -> str:
    shown = f"{row['mean']:.0%}"
    return shown if row["low"] is None else f"{shown} [{row['low']:.0%}, {row['high']:.0%}]"


def _p(row: Row) -> str:
    return f"{p_equals(row['p_holm'])}, Holm over {count(row['family_size'], 'layer')}"


def _against(row: Row) -> str:
    """What the row's presence comes to beside chance and beside shuffled networks."""
    if row["chance"] is None or row["p_holm"] is None:
        return ""
    chance = f"the {row['chance']:.0%} that words chosen for images in another order reach ({_p(row)})"
    if row["answer"] == Answer.NO:
        return f", less than {chance}"
    shuffled = f"{count(row['networks'], 'network')} with shuffled weights"
    if row["answer"] == Answer.YES:
        beside = f" and more than in any of {shuffled}" if row["networks"] else ""
        return f", more than {chance}{beside}"
    if row["p_network"] is not None and row["difference"] > 0 and row["p_holm"] < 0.05:
        return (
            f", more than {chance}; but that training explains it cannot be told: on the same images, {shuffled} reach "
            f"{row['shuffled']:.0%} on average and this one {row['seen']:.0%} (p = {row['p_network']:.2f})"
        )
    return f"; that this is more than {chance} cannot be told"


def models(row: Row, name_a: str, name_b: str) -> str:
    """What one model has units for and the other has not, in one layer."""
    total = row["only_a"] + row["shared"] + row["only_b"]
    if not total:
        return f"In {row['layer']}, neither model has a unit that stands for a concept."
    sentence = f"In {row['layer']}, the models share {row['shared']} of {count(total, 'concept')}"
    sides = [
        f"{name} alone has {side[0]['concept']} ({count(side[0]['units'], 'unit')})"
        for name, side in ((name_a, row["top_a"]), (name_b, row["top_b"]))
        if side
    ]
    return sentence + (f"; {joined(sides)}." if sides else ".")


def left_out(rows: Sequence[Row]) -> str:
    """Which units are compared; rows have `model`, `named` and `counted`."""
    parts = [f"{row['counted']} of {count(row['named'], 'unit')} of {row['model']}" for row in rows]
    return (
        f"Compared are the units whose concept chance does not explain: {joined(parts)} that stand for one."
    )


def words(row: Row) -> str:
    """What two models share by CLIP-Dissect's words, in one layer; `row` is of `comparison_table`."""
    total = row["only_a"] + row["shared"] + row["only_b"]
    shared = f"{row['shared']} of {count(total, 'concept')} (Jaccard {row['jaccard']:.2f})"
    return f"By CLIP-Dissect's words they share {shared} there: pixel labels and words need not agree."


def depths(block: Row, name_a: str, name_b: str) -> str:
    """Which categories one model's last layer has more units for, and of which that cannot be told.

    Args:
        block: `method`, `all_a`, `all_b`, and `rows`: `category`, `difference`, and the decision's columns.
        name_a, name_b: the models.
    """
    more: dict[str, list[str]] = {answer: [] for answer in Answer}
    for row in block["rows"]:
        title = names.category(row["category"]).title
        said = (
            f"{title} ({row['a']['units']} of {block['all_a']} against {row['b']['units']} of {block['all_b']} units, "
            f"{count(row['difference']['n'], 'word')}, {p_equals(row['p_holm'])})"
            if row["answer"] != Answer.CANNOT_TELL
            else title
        )
        more[row["answer"]].append(said)
    clauses = [
        f"{name} has the larger share of units for {joined(more[key])}"
        for name, key in ((name_a, Answer.YES), (name_b, Answer.NO))
        if more[key]
    ]
    if more[Answer.CANNOT_TELL]:
        clauses.append(f"for {joined(more[Answer.CANNOT_TELL])} it cannot be told which has more")
    family = max(row["family_size"] or 0 for row in block["rows"])
    return (
        f"By {block['method']} (Holm over {count(family, 'category', 'categories')}), "
        + "; ".join(clauses)
        + "."
    )
