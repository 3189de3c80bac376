"""What the last layers of two models are about: the share of their units in each category, and whether it differs."""

from itertools import combinations
from typing import Any

import pandas as pd

from xai_assets.dissection.comparison import counted_units, one_spelling
from xai_assets.dissection.unit_concepts import CLIP_DISSECT, NETDISSECT
from xai_assets.evaluation.comparison import interval_columns
from xai_assets.evaluation.decision import decide
from xai_assets.evaluation.intervals import Interval, difference_of
from xai_assets.evaluation.intervals_of_clusters import clustered_share
from xai_assets.evaluation.paired_tests import sign_flip_p

CATEGORIES = (
    "method", "model_a", "model_b", "layer_a", "layer_b", "category", "units_a", "units_b", "all_a", "all_b",
    "share_a", "low_a", "high_a", "share_b", "low_b", "high_b", "difference", "low", "high", "interval", "n",
    "excluded", "p", "p_holm", "family_size", "fewest", "answer",
)  # fmt: skip


def category_comparison(clip: pd.DataFrame, net: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Every pair of models, by method and category, in their last layers.

    Only units beyond chance stand for anything (`counted_units`); the others count in the whole and in no category, so
    that a model is not flattered by the few units that it has names for.

    The test: a category's difference is the sum over its words of the difference in the share of units with that word.
    The word is the observation, since units of one word are not independent: if the models were alike, each word's two
    shares could change places, and the signs of all differences are flipped in all ways (`paired_tests.sign_flip_p`).
    The categories of a pair and method are one family (Holm), and n counts the words that either model has.

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers; either may be empty.
        seed: of drawn sign patterns.

    Returns:
        The columns CATEGORIES; shares of all units of a layer with intervals over units clustered by word, and their
        difference (Newcombe's hybrid).
    """
    rows: list[dict[str, Any]] = []
    for method, given in ((CLIP_DISSECT, clip), (NETDISSECT, net)):
        if not len(given):
            continue
        (table,) = one_spelling(given)
        for a, b in combinations(dict.fromkeys(table["model"]), 2):
            rows += _pair(method, table, str(a), str(b), seed)
    return pd.DataFrame(rows, columns=list(CATEGORIES))


def _pair(method: str, table: pd.DataFrame, a: str, b: str, seed: int) -> list[dict[str, Any]]:
    (layer_a, first), (layer_b, second) = _last(table, a), _last(table, b)
    categories = sorted((set(first["category"]) | set(second["category"])) - {""})
    found = []
    for category in categories:
        shares = [_share(units, category) for units in (first, second)]
        words = [_by_word(units, category) for units in (first, second)]
        differences = words[0].sub(words[1], fill_value=0.0).sort_index()
        found.append((category, shares, differences, sign_flip_p(differences.to_numpy(float), seed=seed)))
    decisions = decide([float(words.sum()) for _, _, words, _ in found], [p for _, _, _, p in found])
    rows = []
    for (category, (one, other), words, _), decided in zip(found, decisions, strict=True):
        difference = interval_columns(difference_of(one, other, bounds=(-1, 1)))
        rows.append(
            {
                "method": method,
                "model_a": a,
                "model_b": b,
                "layer_a": layer_a,
                "layer_b": layer_b,
                "category": category,
                "units_a": int((first["category"] == category).sum()),
                "units_b": int((second["category"] == category).sum()),
                "all_a": len(first),
                "all_b": len(second),
                **{f"{key}_a": value for key, value in _ends(one).items()},
                **{f"{key}_b": value for key, value in _ends(other).items()},
                "difference": None if one.mean is None or other.mean is None else one.mean - other.mean,
                **difference,
                "n": len(words),
                "p": decided.p,
                "p_holm": decided.p_holm,
                "family_size": decided.family_size,
                "fewest": decided.fewest,
                "answer": str(decided.answer),
            }
        )
    return rows


def _last(table: pd.DataFrame, model: str) -> tuple[str, pd.DataFrame]:
    """The model's last layer: of each unit the category and the word, "" where it stands for nothing."""
    of_model = table[table["model"] == model]
    layer = list(dict.fromkeys(of_model["layer"]))[-1]
    units = of_model[of_model["layer"] == layer].reset_index(drop=True)
    counts = units.index.isin(counted_units(units).index)
    category = units["category"].fillna("").astype(str).where(counts, "")
    nothing = pd.Series([f"\0{number}" for number in units.index])  # a cluster of its own
    word = units["concept"].astype(object).where(counts, nothing)
    return str(layer), pd.DataFrame({"category": category, "word": word})


def _share(units: pd.DataFrame, category: str) -> Interval:
    return clustered_share((units["category"] == category).astype(float), units["word"])


def _by_word(units: pd.DataFrame, category: str) -> pd.Series:
    """The share of the layer's units that stand for each word of the category."""
    return units.loc[units["category"] == category, "word"].value_counts() / len(units)


def _ends(found: Interval) -> dict[str, float | None]:
    return {"share": found.mean, "low": found.low, "high": found.high}
