"""What the last layers of two models are about: the share of their units in each category, with intervals."""

from dataclasses import asdict
from typing import Any

import pandas as pd

from xai_assets.evaluation.intervals import difference_of, share_interval
from xai_assets.reporting import names, narrative
from xai_assets.reporting.numbers import in_order
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]

METHODS = (("clip_dissect", "CLIP-Dissect’s words"), ("netdissect", "pixel labels"))


def depth(results: StudyResults, a: str, b: str) -> list[Row]:
    """One block a method: `method`, `layer_a`, `layer_b`, `rows` and `sentence`; methods without rows are left out.

    A row is a category with its share of all units of either model's last layer (`a`, `b`: intervals over units) and
    their difference. Units that stand for nothing count in the whole and in no category, so that a model is not
    flattered by the few units that it has names for.
    """
    found = []
    for name, title in METHODS:
        table: pd.DataFrame = getattr(results, name)
        if not len(table) or not {a, b} <= set(table["model"]):
            continue
        (layer_a, units_a), (layer_b, units_b) = _last(table, a), _last(table, b)
        present = set(units_a) | set(units_b)
        rows = [
            _row(key, units_a == key, units_b == key) for key in names.CATEGORIES if key and key in present
        ]
        block = {"method": title, "layer_a": layer_a, "layer_b": layer_b, "rows": rows}
        found.append(block | {"sentence": narrative.depths(block, a, b)})
    return found


def _last(table: pd.DataFrame, model: str) -> tuple[str, pd.Series]:
    """The model's last layer, and the category of each of its units: "" where a unit stands for nothing."""
    of_model = table[table["model"] == model]
    layer = in_order(of_model["layer"])[-1]
    units = of_model[of_model["layer"] == layer]
    named = units["concept"].notna()
    if "detector" in units:
        named &= units["detector"].fillna(False).astype(bool)
    return layer, units["category"].where(named, "").fillna("").astype(str)


def _row(category: str, a: pd.Series, b: pd.Series) -> Row:
    first, second = share_interval(a.astype(float)), share_interval(b.astype(float))
    return {
        "category": category,
        "a": _interval(first),
        "b": _interval(second),
        "difference": _interval(difference_of(first, second, bounds=(-1, 1))),
    }


def _interval(found: Any) -> Row:
    return {key: value for key, value in asdict(found).items() if key in ("mean", "low", "high", "n")}
