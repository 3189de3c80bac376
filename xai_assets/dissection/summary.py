"""What a layer has learned, in one row: counts, truth, and how far the two methods agree."""

import math

import pandas as pd

from xai_assets.dissection.labels import normalise_label

_UNIT = ["model", "layer", "unit"]
_Z95 = 1.959963984540054  # normal quantile of 0.975


def agreement(clip: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """Do both methods give a unit the same word?

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers.

    Returns:
        model, layer, unit, concept_clip, concept_net, agree (bool), for the units that both name: those with a
        CLIP-Dissect concept that are detectors of a pixel label. Labels are compared by `normalise_label`.
    """
    detectors = net.loc[net["detector"].astype(bool) & net["concept"].notna(), [*_UNIT, "concept"]]
    named = clip.loc[clip["concept"].notna(), [*_UNIT, "concept"]]
    both = named.merge(detectors, on=_UNIT, suffixes=("_clip", "_net"))
    same = [
        normalise_label(a) == normalise_label(b)
        for a, b in zip(both["concept_clip"], both["concept_net"], strict=True)
    ]
    return both.assign(agree=pd.Series(same, index=both.index, dtype=bool))


def category_agreement(clip: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """Of the units that Network Dissection puts in a category, how often does CLIP-Dissect's word say the same?

    A unit is in the category of the label that it detects; units that detect none are in no category. The word's own
    category is not asked: a word list may have none.

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers; either may be empty.

    Returns:
        model, layer (missing: all layers of the model together), category, detectors (units in it), named (those with a
        word), agree (of those, equal by `normalise_label`), agreement (agree / named, NaN where named is 0), low and
        high (its 95 % interval, Wilson 1927). Models in the tables' order, all layers together first, then each layer
        in order; categories in alphabetical order. Empty where a method was left out.
    """
    columns = ["model", "layer", "category", "detectors", "named", "agree", "agreement", "low", "high"]
    rows: list[dict[str, object]] = []
    if len(clip) and len(net):
        detectors = net.loc[net["detector"].astype(bool) & net["concept"].notna(), [*_UNIT, "category"]]
        judged = detectors.merge(agreement(clip, net)[[*_UNIT, "agree"]], on=_UNIT, how="left")
        for model in dict.fromkeys(judged["model"]):
            of_model = judged[judged["model"] == model]
            for layer in (None, *dict.fromkeys(of_model["layer"])):
                part = of_model if layer is None else of_model[of_model["layer"] == layer]
                for category in sorted(set(part["category"])):
                    found = part.loc[part["category"] == category, "agree"]
                    judgements = found.dropna().astype(bool)
                    named, agree = len(judgements), int(judgements.sum())
                    low, high = wilson(agree, named)
                    share = agree / named if named else math.nan
                    row = (model, layer, category, len(found), named, agree, share, low, high)
                    rows.append(dict(zip(columns, row, strict=True)))
    return pd.DataFrame(rows, columns=columns)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """The 95 % interval of a share, (low, high) in 0..1 (Wilson 1927); NaN where there are no trials."""
    if not trials:
        return math.nan, math.nan
    share, z2 = hits / trials, _Z95**2
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z95 / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def layer_summary(clip: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """One row a model and layer, in the order of the tables.

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers; either may be empty.

    Returns:
        model, layer, units, dead, detectors, unique_detectors, clip_unique, truth_presence and chance_presence
        (means over units whose word the labels can check), agreement (share of the units in `agreement` that
        agree). None where a method was left out or nothing can be said.
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
            row |= {name: float(mine[name].mean()) for name in ("truth_presence", "chance_presence")}
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
        "chance_presence",
        "agreement",
    ]
    table = pd.DataFrame(rows, columns=columns)
    real = ("truth_presence", "chance_presence", "agreement")
    return table.astype(
        dict.fromkeys(("detectors", "unique_detectors"), "Int64") | dict.fromkeys(real, "float64")
    )


def _of(table: pd.DataFrame, model: str, layer: str) -> pd.DataFrame:
    if table.empty:  # an empty table may have no columns at all
        return pd.DataFrame(columns=["concept", "category", "dead", "detector", "truth_presence"])
    return table[(table["model"] == model) & (table["layer"] == layer)]
