"""Are CLIP-Dissect's words truly present in what drives the units? One row a layer, with the decision."""

from typing import Any

import numpy as np
import pandas as pd

from xai_assets.dissection.shuffled_null import LEVEL
from xai_assets.dissection.unit_concepts import CLIP_TABLE
from xai_assets.evaluation.comparison import interval_columns
from xai_assets.evaluation.decision import Answer, decide
from xai_assets.evaluation.intervals_of_clusters import clustered_mean

PRESENCE = (
    "model", "layer", "units", "mean", "low", "high", "interval", "n", "excluded", "base_rate", "chance",
    "difference", "p", "p_holm", "family_size", "networks", "seen", "shuffled", "p_network", "answer",
)  # fmt: skip


def presence_summary(clip: pd.DataFrame) -> pd.DataFrame:
    """How often words are truly present in a layer, against chance and against shuffled networks.

    The mean is over units; units of one word are not independent (their presences correlate by 0.7 to 0.9 in trained
    networks), so that the interval takes the word as the observation. The test is that of `presence_null`, corrected over
    the layers of a model (Holm). Yes: above chance, and above every shuffled network where there are any (p_network below
    LEVEL). No: below chance. Else it cannot be told.

    Args:
        clip: `clip_table`s of any models and layers, in order; may be empty.

    Returns:
        The columns PRESENCE: units whose words the labels can check, the mean over them with its interval, n (different
        words), excluded (active units whose words they cannot); base_rate (mean share of ALL images that show a
        unit's word), chance (mean for permuted images), difference (mean over the tested units, less chance) and its
        test; and on the images that `networks` shuffled networks were shown: seen in this network, shuffled on average
        in those, and its rank. A layer without such units has no row.
    """
    rows: list[dict[str, Any]] = []
    clip = clip.reindex(columns=list(CLIP_TABLE))
    for model, of_model in clip.groupby("model", sort=False) if len(clip) else ():
        layers = [
            (str(layer), own)
            for layer, own in of_model.groupby("layer", sort=False)
            if own["truth_presence"].notna().any()
        ]
        facts = [own.iloc[0] for _, own in layers]
        differences = [
            _less(fact["presence_tested"], _first(own, "chance_presence"))
            for fact, (_, own) in zip(facts, layers, strict=True)
        ]
        decisions = decide(differences, [_real(fact["p_presence"]) for fact in facts])
        for (layer, own), fact, difference, decided in zip(
            layers, facts, differences, decisions, strict=True
        ):
            named = own[own["concept"].notna() & ~own["dead"].astype(bool)]
            found = clustered_mean(named["truth_presence"], named["concept"], bounds=(0, 1))
            networks, p_network = int(_real(fact["networks"]) or 0), _real(fact["p_presence_network"])
            beats = networks == 0 or (p_network is not None and p_network < LEVEL)
            answer = decided.answer
            if answer is Answer.YES and not beats:
                answer = Answer.CANNOT_TELL
            rows.append(
                {
                    "model": str(model),
                    "layer": layer,
                    "units": int(named["truth_presence"].notna().sum()),
                    "mean": found.mean,
                    **interval_columns(found),
                    "base_rate": float(named["base_rate"].mean()),
                    "chance": _first(own, "chance_presence"),
                    "difference": difference,
                    "p": decided.p,
                    "p_holm": decided.p_holm,
                    "family_size": decided.family_size,
                    "networks": networks,
                    "seen": _real(fact["presence_seen"]),
                    "shuffled": _real(fact["presence_shuffled"]),
                    "p_network": p_network,
                    "answer": str(answer),
                }
            )
    return pd.DataFrame(rows, columns=list(PRESENCE))


def _first(table: pd.DataFrame, column: str) -> float | None:
    known = table[column].dropna()
    return float(known.iloc[0]) if len(known) else None


def _less(a: Any, b: float | None) -> float | None:
    return None if b is None or _real(a) is None else float(a) - b


def _real(value: Any) -> float | None:
    return None if value is None or pd.isna(value) or not np.isfinite(value) else float(value)
