"""Two models side by side: which concepts both have units for, and which only one."""

from itertools import combinations
from typing import Any

import pandas as pd

from xai_assets.reporting import narrative
from xai_assets.reporting.depth import depth
from xai_assets.reporting.numbers import in_order
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]
LISTED = 12
PAIRS = 3


def contrast(results: StudyResults) -> Row:
    """The chapter's data: `source` (which table the concepts come from) and `pairs` of models.

    Pixel labels are used where there are any, else CLIP-Dissect's words. Up to three pairs of models are compared.
    """
    if len(results.netdissect):
        table = results.netdissect
        table = table[table["detector"].fillna(False).astype(bool) & table["concept"].notna()]
        source = "detectors of pixel labels (NetDissect)"
    elif len(results.clip_dissect):
        table = results.clip_dissect
        table = table[~table["dead"].astype(bool) & table["concept"].notna()]
        source = "words of CLIP-Dissect"
    else:
        return {"source": "", "pairs": [], "models": []}
    models = in_order(
        results.netdissect["model"] if len(results.netdissect) else results.clip_dissect["model"]
    )
    pairs = [
        _pair(table, a, b) | {"depth": depth(results, a, b)} for a, b in list(combinations(models, 2))[:PAIRS]
    ]
    return {"source": source, "pairs": pairs, "models": models}


def _pair(table: pd.DataFrame, a: str, b: str) -> Row:
    of_a, of_b = table[table["model"] == a], table[table["model"] == b]
    common = [layer for layer in in_order(of_a["layer"]) if layer in set(of_b["layer"].astype(str))]
    layers = [_layer(of_a[of_a["layer"] == layer], of_b[of_b["layer"] == layer], layer) for layer in common]
    bars: list[Row] = []
    if common:
        last = common[-1]
        units_a, units_b = (_units(side[side["layer"] == last]) for side in (of_a, of_b))
        concepts = sorted(
            set(units_a) | set(units_b), key=lambda c: (-max(units_a.get(c, 0), units_b.get(c, 0)), c)
        )
        bars = [
            {"concept": c, "a": units_a.get(c, 0), "b": units_b.get(c, 0)} for c in concepts[: 2 * LISTED]
        ]
    return {
        "a": a,
        "b": b,
        "layers": layers,
        "bars": bars,
        "bars_layer": common[-1] if common else None,
        "sentences": [narrative.models(row, a, b) for row in layers[-1:]],
    }


def _units(table: pd.DataFrame) -> dict[str, int]:
    return {
        str(concept): int(number) for concept, number in table["concept"].astype(str).value_counts().items()
    }


def _layer(a: pd.DataFrame, b: pd.DataFrame, layer: str) -> Row:
    units_a, units_b = _units(a), _units(b)
    shared, either = set(units_a) & set(units_b), set(units_a) | set(units_b)
    return {
        "layer": layer,
        "unique_a": len(units_a),
        "unique_b": len(units_b),
        "shared": len(shared),
        "only_a": len(units_a.keys() - shared),
        "only_b": len(units_b.keys() - shared),
        "jaccard": len(shared) / len(either) if either else None,
        "top_a": _most({c: n for c, n in units_a.items() if c not in shared}),
        "top_b": _most({c: n for c, n in units_b.items() if c not in shared}),
        "top_shared": _most({c: units_a[c] + units_b[c] for c in shared}),
    }


def _most(units: dict[str, int]) -> list[Row]:
    ordered = sorted(units.items(), key=lambda item: (-item[1], item[0]))
    return [{"concept": concept, "units": number} for concept, number in ordered[:LISTED]]
