"""How many units of a layer have a concept that neither other images nor untrained networks explain: one row a layer."""

from typing import Any

import pandas as pd

from xai_assets.dissection.shuffled_null import FEWEST_NETWORKS, LEVEL
from xai_assets.dissection.significance import FALSE_DISCOVERY_RATE
from xai_assets.dissection.unit_concepts import CLIP_DISSECT, NETDISSECT, NETWORK_FACTS
from xai_assets.evaluation.decision import Answer

BEYOND = (
    "model", "layer", "method", "living", "named", "beyond_images", "beyond", "networks", "found_network",
    "found_shuffled", "p_network", "fewest_networks", "answer",
)  # fmt: skip


def units_beyond_chance(clip: pd.DataFrame, net: pd.DataFrame) -> pd.DataFrame:
    """Counts by layer and method, and whether the layer has any.

    Args:
        clip, net: tables of `clip_table` and `netdissect_table`, of any models and layers; either may be empty.

    Returns:
        The columns BEYOND: active units, those that stand for a concept (detectors for labels), of these those with q
        below FALSE_DISCOVERY_RATE for permuted images, and those that shuffled networks do not explain either; the
        number of these networks, of units that count against them, the most that count in one of them, the network's
        rank, and how many networks could decide it. Yes: there are units beyond chance. Else it cannot be told:
        that a layer has none is no finding.
    """
    rows: list[dict[str, Any]] = []
    for method, table in ((CLIP_DISSECT, clip), (NETDISSECT, net)):
        if not len(table):
            continue
        table = table.reindex(
            columns=[*dict.fromkeys((*table.columns, *NETWORK_FACTS, "beyond_chance", "q"))]
        )
        for (model, layer), own in table.groupby(["model", "layer"], sort=False):
            living = own[~own["dead"].astype(bool)]
            named = living[living["concept"].notna()]
            if "detector" in named:
                named = named[named["detector"].fillna(False).astype(bool)]
            first = own["networks"].iloc[0]
            beyond, networks = (
                int(own["beyond_chance"].fillna(False).sum()),
                0 if pd.isna(first) else int(first),
            )
            told = networks == 0 or own["p_network"].iloc[0] < LEVEL
            rows.append(
                {
                    "model": str(model),
                    "layer": str(layer),
                    "method": method,
                    "living": len(living),
                    "named": len(named),
                    "beyond_images": int((named["q"] < FALSE_DISCOVERY_RATE).sum()),
                    "beyond": beyond,
                    "networks": networks,
                    **{name: own[name].iloc[0] for name in ("found_network", "found_shuffled")},
                    "p_network": own["p_network"].iloc[0],
                    "fewest_networks": FEWEST_NETWORKS,
                    "answer": str(Answer.YES if beyond and told else Answer.CANNOT_TELL),
                }
            )
    table = pd.DataFrame(rows, columns=list(BEYOND))
    counts = ("living", "named", "beyond_images", "beyond", "networks", "found_network", "found_shuffled")
    return table.astype(dict.fromkeys((*counts, "fewest_networks"), "Int64") | {"p_network": "float64"})
