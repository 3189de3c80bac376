"""What a layer has learned, in one row: counts, truth, and how far the two methods agree."""

import pandas as pd

from xai_assets.dissection.agreement import agreement


def layer_summary(clip: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """One row a model and layer, in the order of the tables.

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers; either may be empty.

    Returns:
        model, layer, units, dead, detectors, unique_detectors, clip_unique, truth_presence, base_rate and
        chance_presence (means over units whose word the labels can check), agreement (share of the units in
        `agreement` that agree). None where a method was left out or nothing can be said.
    """
    agreed = agreement(clip, net) if len(clip) and len(net) else None
    rows = []
    keys = pd.concat(
        [table[["model", "layer"]] for table in (clip, net) if len(table)] or [clip]
    ).drop_duplicates()
    for model, layer in keys[["model", "layer"]].itertuples(index=False):
        mine, pixels = _of(clip, model, layer), _of(net, model, layer)
        any_table = mine if len(mine) else pixels
        row = {
            "model": model,
            "layer": layer,
            "units": len(any_table),
            "dead": int(any_table["dead"].sum()),
            "detectors": None,
            "unique_detectors": None,
            "clip_unique": int(mine["concept"].nunique()),
            "truth_presence": None,
            "base_rate": None,
            "chance_presence": None,
            "agreement": None,
        }
        if len(pixels):
            detectors = pixels[pixels["detector"].astype(bool)]
            row |= {
                "detectors": len(detectors),
                "unique_detectors": len(detectors[["concept", "category"]].drop_duplicates()),
            }
        if len(mine) and mine["truth_presence"].notna().any():
            row |= {
                name: float(mine[name].mean()) for name in ("truth_presence", "base_rate", "chance_presence")
            }
        if agreed is not None and len(_of(agreed, model, layer)):
            row["agreement"] = float(_of(agreed, model, layer)["agree"].mean())
        rows.append(row)
    columns = [
        "model",
        "layer",
        "units",
        "dead",
        "detectors",
        "unique_detectors",
        "clip_unique",
        "truth_presence",
        "base_rate",
        "chance_presence",
        "agreement",
    ]
    table = pd.DataFrame(rows, columns=columns)
    real = ("truth_presence", "base_rate", "chance_presence", "agreement")
    return table.astype(
        dict.fromkeys(("detectors", "unique_detectors"), "Int64") | dict.fromkeys(real, "float64")
    )


def _of(table: pd.DataFrame, model: str, layer: str) -> pd.DataFrame:
    if table.empty:  # an empty table may have no columns at all
        return pd.DataFrame(columns=["concept", "category", "dead", "detector", "truth_presence"])
    return table[(table["model"] == model) & (table["layer"] == layer)]
