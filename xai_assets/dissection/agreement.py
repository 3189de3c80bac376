"""How far do CLIP-Dissect's words and Network Dissection's pixel labels say the same of a unit?"""

import math
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.dissection.labels import normalise_label
from xai_assets.evaluation.comparison import interval_columns
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.intervals_of_clusters import clustered_share

_UNIT = ["model", "layer", "unit"]
DEALINGS = 9_999
"""Random dealings of a layer's words to its units."""

TOGETHER = 1_000
"""Of these, held at once."""

AGREEMENT = (
    "model", "agree", "mean", "low", "high", "interval", "n", "excluded", "units", "chance", "difference", "p",
    "p_holm", "family_size", "answer",
)  # fmt: skip


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


def name_agreement(clip: pd.DataFrame, net: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """How often both methods give a unit the same name, and whether more often than names dealt at random.

    The null deals each layer's words to its units anew: which units a layer's words and labels meet on is by chance,
    and how often each word and label occurs is not. The interval takes the word as the observation.

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers; either may be empty.
        seed: of the dealings.

    Returns:
        The columns AGREEMENT: all models together (model missing) first, then each, which are one family (Holm). Empty
        where no unit has both a word and a label.
    """
    agreed = agreement(clip, net) if len(clip) and len(net) else pd.DataFrame()
    if not len(agreed):
        return pd.DataFrame(columns=list(AGREEMENT))
    models = [str(model) for model in dict.fromkeys(agreed["model"])]
    parts = [(None, agreed), *((model, agreed[agreed["model"] == model]) for model in models)]
    rows: list[dict[str, Any]] = []
    for model, part in parts:
        words = part["concept_clip"].map(normalise_label)
        found = clustered_share(part["agree"].astype(float), words)
        chance = chance_agreement(part)
        row: dict[str, Any] = {"model": model, "agree": int(part["agree"].sum()), "mean": found.mean}
        row |= interval_columns(found)
        row |= {"units": len(part), "chance": chance, "difference": float(part["agree"].mean()) - chance}
        rows.append(row | {"p": _dealt_p(part, seed)})
    for family in (rows[:1], rows[1:]):
        decisions = decide([row["difference"] for row in family], [row["p"] for row in family])
        for row, decided in zip(family, decisions, strict=True):
            row |= {
                "p_holm": decided.p_holm,
                "family_size": decided.family_size,
                "answer": str(decided.answer),
            }
    return pd.DataFrame(rows, columns=list(AGREEMENT))


def _dealt_p(agreed: pd.DataFrame, seed: int) -> float:
    """Two-sided p of the number of agreeing units under random dealings within layers, the observed one counted in."""
    generator = np.random.default_rng(seed)
    dealt = np.zeros(DEALINGS, int)
    for _, layer in agreed.groupby(["model", "layer"], sort=False):
        names = [layer[f"concept_{of}"].map(normalise_label) for of in ("clip", "net")]
        codes, _ = pd.factorize(pd.concat(names, ignore_index=True))
        words, labels = codes[: len(layer)], codes[len(layer) :]
        for start in range(0, DEALINGS, TOGETHER):
            some = min(TOGETHER, DEALINGS - start)
            anew = generator.permuted(np.tile(words, (some, 1)), axis=1)
            dealt[start : start + some] += (anew == labels).sum(axis=1)
    observed = int(agreed["agree"].sum())
    tail = min((dealt >= observed).sum(), (dealt <= observed).sum())
    return float(min(1.0, 2 * (1 + tail) / (1 + DEALINGS)))


def category_agreement(clip: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """Of the units that Network Dissection puts in a category, how often does CLIP-Dissect's word say the same?

    A unit is in the category of the label that it detects; units that detect none are in no category. The word's own
    category is not asked: a word list may have none.

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers; either may be empty.

    Returns:
        model, layer (missing: all layers of the model together), category, detectors (units in it), named (those with a
        word), agree (of those, equal by `normalise_label`), agreement (agree / named, NaN where named is 0), and its
        interval, in which the label is the observation and not the unit (`intervals.clustered_share`). Models
        in the tables' order, all layers together first, then each layer in order; categories in alphabetical order.
        Empty where a method was left out.
    """
    columns = [
        "model", "layer", "category", "detectors", "named", "agree", "agreement", "low", "high", "interval", "n",
        "excluded",
    ]  # fmt: skip
    rows: list[dict[str, object]] = []
    if len(clip) and len(net):
        detectors = net.loc[
            net["detector"].astype(bool) & net["concept"].notna(), [*_UNIT, "category", "concept"]
        ]
        judged = detectors.merge(agreement(clip, net)[[*_UNIT, "agree"]], on=_UNIT, how="left")
        for model in dict.fromkeys(judged["model"]):
            of_model = judged[judged["model"] == model]
            for layer in (None, *dict.fromkeys(of_model["layer"])):
                part = of_model if layer is None else of_model[of_model["layer"] == layer]
                for category in sorted(set(part["category"])):
                    mine = part[part["category"] == category]
                    judged_units = mine[mine["agree"].notna()]
                    named, agree = len(judged_units), int(judged_units["agree"].astype(bool).sum())
                    found = clustered_share(judged_units["agree"].astype(float), judged_units["concept"])
                    share = agree / named if named else math.nan
                    row = {"model": model, "layer": layer, "category": category, "detectors": len(mine)}
                    row |= {"named": named, "agree": agree, "agreement": share}
                    rows.append(row | interval_columns(found))
    return pd.DataFrame(rows, columns=columns)
