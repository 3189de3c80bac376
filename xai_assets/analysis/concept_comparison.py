"""Two models, or two runs of one, side by side: sets of concepts, categories by depth, and unit by unit."""

from typing import Any

import pandas as pd

from xai_assets.analysis.unit_tables import is_file, side
from xai_assets.dissection.comparison import (
    category_shares,
    compare_models,
    comparison_table,
    units_per_concept,
)
from xai_assets.dissection.rerun import compare_runs, same_units
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
        (lists of concepts, alphabetical); units_per_concept and categories (by side and layer); runs: what `compare_runs`
        says of two runs of one model, else None. Two sides with the same layers and units are runs of one model unless
        the warehouse names two models.

    Raises:
        XaiError: a side is wrong or not there.
    """
    first, second = (side(warehouse, text, method=method, layer=layer) for text in (a, b))
    both = pd.concat([first.assign(model="a"), second.assign(model="b")], ignore_index=True)
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
        "runs": _runs(first, second) if _one_model(first, second, a, b) else None,
    }


def _one_model(first: pd.DataFrame, second: pd.DataFrame, a: str, b: str) -> bool:
    names = {table["model"].iloc[0] for table, text in ((first, a), (second, b)) if not is_file(text)}
    return len(names) < 2 and same_units(first, second)


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


def _runs(first: pd.DataFrame, second: pd.DataFrame) -> dict[str, Any]:
    found = compare_runs(first, second)
    return plain(
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
