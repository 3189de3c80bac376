"""How far do CLIP-Dissect's words and Network Dissection's pixel labels say the same of a unit?"""

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


def chance_agreement(agreed: pd.DataFrame) -> float:
    """The share of units that would agree if each layer's words were dealt to its units at random, 0 to 1.

    The mean over all permutations, in closed form: a layer of n units in which w_c have the word c and l_c its label
    has sum_c w_c l_c / n agreeing units on average.

    Args:
        agreed: as `agreement` returns it.

    Returns:
        The share over all layers together; NaN without units.
    """
    hits = 0.0
    for _, layer in agreed.groupby(["model", "layer"], sort=False):
        words, labels = (layer[f"concept_{of}"].map(normalise_label).value_counts() for of in ("clip", "net"))
        hits += float((words * labels).sum()) / len(
            layer
        )  # concepts of one side only give NaN, which sum leaves out
    return hits / len(agreed) if len(agreed) else math.nan


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
