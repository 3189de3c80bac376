"""Two models side by side: which concepts both have units for, and which only one."""

from itertools import combinations
from typing import Any

import pandas as pd

from xai_assets.dissection.comparison import (
    ConceptSets,
    compare_models,
    comparison_table,
    counted_units,
    named_units,
    one_spelling,
    only_counted,
    units_per_concept,
)
from xai_assets.reporting import concept_sentences
from xai_assets.reporting.depth import depth
from xai_assets.reporting.numbers import in_order, records
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]
LISTED = 12
PAIRS = 3
BARS_FROM = 2
"""A bar is drawn for a concept with at least so many units in either model."""


def contrast(results: StudyResults) -> Row:
    """The chapter's data: `source` (which table the concepts come from) and `pairs` of models.

    Pixel labels are used where there are any, else CLIP-Dissect's words; a sentence then says what the words share.
    Up to three pairs of models are compared.
    """
    other: pd.DataFrame | None = None
    if len(results.netdissect):
        other = results.clip_dissect if len(results.clip_dissect) else None
        table, source = results.netdissect, "detectors of pixel labels (NetDissect)"
    elif len(results.clip_dissect):
        table, source = results.clip_dissect, "words of CLIP-Dissect"
    else:
        return {"source": "", "pairs": [], "models": []}
    (table,) = one_spelling(table)
    named, counted = named_units(table), counted_units(table)
    models = in_order(table["model"])
    pairs = [
        _pair(table, a, b)
        | {"left_out": [_left_out(named, counted, model) for model in (a, b)], "depth": depth(results, a, b)}
        for a, b in list(combinations(models, 2))[:PAIRS]
    ]
    for pair in pairs:
        pair["sentences"] += [*_by_words(other, pair), concept_sentences.left_out(pair["left_out"])]
    return {"source": source, "pairs": pairs, "models": models, "bars_from": BARS_FROM}


def _left_out(named: pd.DataFrame, counted: pd.DataFrame, model: str) -> Row:
    """A model's units that stand for a concept, and those of them that are compared: all that are beyond chance."""
    units, used = ((part["model"] == model).sum() for part in (named, counted))
    return {"model": model, "named": int(units), "counted": int(used)}


def _pair(table: pd.DataFrame, a: str, b: str) -> Row:
    table = only_counted(table)
    compared = comparison_table(table, a, b)
    counts = units_per_concept(table)
    layers = [
        row
        | _listed(
            counts[counts["layer"] == row["layer"]], compare_models(table, a, b, layer=row["layer"]), a, b
        )
        for row in records(compared[compared["layer"] != "all"])
    ]
    last = layers[-1]["layer"] if layers else None
    return {
        "a": a,
        "b": b,
        "layers": layers,
        "bars": _bars(counts[counts["layer"] == last], a, b),
        "bars_layer": last,
        "sentences": [concept_sentences.models(row, a, b) for row in layers[-1:]],
    }


def _by_words(words: pd.DataFrame | None, pair: Row) -> list[str]:
    """What CLIP-Dissect's words say of a pair that is compared by pixel labels: the two can say the opposite."""
    if words is None or not {pair["a"], pair["b"]} <= set(words["model"]) or pair["bars_layer"] is None:
        return []
    (table,) = one_spelling(only_counted(words))
    layer = pair["bars_layer"]
    return [
        concept_sentences.words(row)
        for row in records(comparison_table(table, pair["a"], pair["b"]))
        if row["layer"] == layer
    ]


def _listed(counts: pd.DataFrame, sets: ConceptSets, a: str, b: str) -> Row:
    """The most frequent concepts of the first model only, of both, and of the second only."""
    units_a, units_b = _units(counts, a), _units(counts, b)
    return {
        "top_a": _most({c: units_a[c] for c in sets.only_a}),
        "top_b": _most({c: units_b[c] for c in sets.only_b}),
        "top_shared": _most({c: units_a[c] + units_b[c] for c in sets.shared}),
    }


def _bars(counts: pd.DataFrame, a: str, b: str) -> list[Row]:
    """Units a concept in both models, for concepts with enough of them in either: most first, ties by name."""
    units_a, units_b = _units(counts, a), _units(counts, b)
    most = {c: max(units_a.get(c, 0), units_b.get(c, 0)) for c in set(units_a) | set(units_b)}
    shown = sorted((c for c in most if most[c] >= BARS_FROM), key=lambda c: (-most[c], c))
    return [{"concept": c, "a": units_a.get(c, 0), "b": units_b.get(c, 0)} for c in shown[: 2 * LISTED]]


def _units(counts: pd.DataFrame, model: str) -> dict[str, int]:
    """Units a concept, whatever its category."""
    of_model = counts[counts["model"] == model]
    return {str(c): int(n) for c, n in of_model.groupby("concept")["units"].sum().items()}


def _most(units: dict[str, int]) -> list[Row]:
    ordered = sorted(units.items(), key=lambda item: (-item[1], item[0]))
    return [{"concept": concept, "units": number} for concept, number in ordered[:LISTED]]
