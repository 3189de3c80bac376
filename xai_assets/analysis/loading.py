"""From the steps' tables to the warehouse: all the tables of a chapter in one transaction."""

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.summary import layer_summary


def load_concepts(
    bench: Workbench, embeddings: pd.DataFrame, clip: pd.DataFrame, net: pd.DataFrame
) -> pd.DataFrame:
    """Load clip_dissect, netdissect, layer_summary and probe_health; returns table and rows."""
    health = bench.store.get("embeddings", embeddings["artifact"].iloc[0])[1]["health"]
    return _load(
        bench,
        {
            "clip_dissect": clip,
            "netdissect": net,
            "layer_summary": layer_summary(clip, net),
            "probe_health": pd.DataFrame(health, columns=["key", "value", "level"]),
        },
    )


def load_masks(
    bench: Workbench,
    images: pd.DataFrame,
    predictions: pd.DataFrame,
    maps: pd.DataFrame,
    agreement: pd.DataFrame,
    localization: pd.DataFrame,
) -> pd.DataFrame:
    """Load images, predictions, maps, mask_agreement and localization; returns table and rows."""
    return _load(
        bench,
        {
            "images": images,
            "predictions": predictions,
            "maps": maps,
            "mask_agreement": agreement,
            "localization": localization,
        },
    )


def _load(bench: Workbench, frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    rows = bench.warehouse.replace(bench.study.name, frames)
    return pd.DataFrame({"table": list(rows), "rows": list(rows.values())})
