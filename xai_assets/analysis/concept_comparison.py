"""Two models, or two runs of one, side by side: sets of concepts, categories by depth, and unit by unit."""

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd

from xai_assets.analysis.unit_tables import is_file, side, study_units
from xai_assets.dissection.comparison import (
    category_shares,
    compare_models,
    comparison_table,
    one_spelling,
    units_per_concept,
)
from xai_assets.dissection.rerun import common_units, compare_runs
from xai_assets.dissection.unit_concepts import METHODS
from xai_assets.reporting.numbers import plain, records
from xai_assets.resources.warehouse import Warehouse

MIN_UNITS = 2
"""Concepts of fewer units are left out of `units_per_concept`."""


def compare_concepts(
    warehouse: Warehouse, a: str, b: str, *, method: str | None = None, layer: str | None = None
) -> dict[str, Any]:
    """Compare two sides, each STUDY:MODEL or a file, as plain values for JSON.

    Args:
        warehouse: where to read STUDY:MODEL.
        a, b: the sides, see `unit_tables.side`; the same one twice is a run compared with itself.
        method: of the sides in the warehouse; None: the first that each has.
        layer: of files that name none.

    Returns:
        a, b (name, method, source, units); layers (rows of `comparison_table`, "all" first); shared, only_a, only_b
        (lists of concepts, alphabetical, one spelling each); units_per_concept and categories (by side and layer);
        runs: what `compare_runs` says of the layers and units that both have, None where they share none or the
        warehouse names two models; left_out: what is not compared unit by unit, a sentence each; methods: others that
        both sides have.

    Raises:
        XaiError: a side is wrong or not there.
    """
    first, second = (side(warehouse, text, method=method, layer=layer) for text in (a, b))
    spelt = one_spelling(first, second)
    both = pd.concat([spelt[0].assign(model="a"), spelt[1].assign(model="b")], ignore_index=True)
    runs, left_out = _runs(first, second, a, b)
    sets = compare_models(both, "a", "b")
    return {
        "a": _named(a, first),
        "b": _named(b, second),
        "layers": records(comparison_table(both, "a", "b")),
        "shared": list(sets.shared),
        "only_a": list(sets.only_a),
        "only_b": list(sets.only_b),
        "units_per_concept": _by_side(units_per_concept(both, min_count=MIN_UNITS)),
        "categories": _by_side(category_shares(both)),
        "runs": runs,
        "left_out": left_out,
        "methods": other_methods(warehouse, (a, b), {first["method"].iloc[0], second["method"].iloc[0]}),
    }


def other_methods(warehouse: Warehouse, sides: Sequence[str], used: Collection[str]) -> list[str]:
    """Methods that every side in the warehouse has besides those that were compared; none where a side is a file."""
    present: list[set[str]] = []
    for text in sides:
        study, _, model = text.partition(":")
        if is_file(text):
            return []
        table = study_units(warehouse, study)
        present.append(set(table.loc[table["model"] == model, "method"]))
    return [name for name in METHODS if name not in used and all(name in methods for methods in present)]


def _by_side(table: pd.DataFrame) -> list[dict[str, Any]]:
    return records(table.rename(columns={"model": "side"}))


def _named(text: str, table: pd.DataFrame) -> dict[str, Any]:
    return plain(
        {
            "name": text,
            "method": table["method"].iloc[0],
            "sources": list(dict.fromkeys(table["source"])),
            "units": len(table),
        }
    )


def _runs(
    first: pd.DataFrame, second: pd.DataFrame, a: str, b: str
) -> tuple[dict[str, Any] | None, list[str]]:
    """What two runs of one model say unit by unit, and what is not compared so, and why."""
    names = {table["model"].iloc[0] for table, text in ((first, a), (second, b)) if not is_file(text)}
    if len(names) > 1:
        return None, []
    common = common_units(first, second)
    if common is None:
        return None, ["A and B share no layer with the same units: they are not compared unit by unit"]
    found = compare_runs(common.a, common.b)
    said = plain(
        {
            "units": found.units,
            "same": found.same,
            "share": found.share,
            "changed": records(found.changed),
            "counted": found.counted,
            "allowed": found.allowed,
            "beyond_noise": found.beyond_noise,
            "verdict": found.verdict,
        }
    )
    return said, list(common.left_out)
