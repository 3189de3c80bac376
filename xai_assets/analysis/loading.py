"""From the steps' tables to the warehouse: all the tables of a chapter in one transaction."""

import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.agreement import category_agreement
from xai_assets.dissection.summary import layer_summary
from xai_assets.dissection.unit_concepts import COMPUTED, computed_concepts
from xai_assets.resources.warehouse import Scope


def load_concepts(
    bench: Workbench, embeddings: pd.DataFrame, clip: pd.DataFrame, net: pd.DataFrame
) -> pd.DataFrame:
    """Load unit_concepts (the computed methods' rows), layer_summary, category_agreement and probe_health.

    Returns:
        Table and rows.
    """
    health = bench.store.get("embeddings", embeddings["artifact"].iloc[0])[1]["health"]
    return _load(
        bench,
        {
            "unit_concepts": computed_concepts(
                clip, net, score_name=bench.dissection.clip_dissect.similarity
            ),
            "layer_summary": layer_summary(clip, net),
            "category_agreement": category_agreement(clip, net),
            "probe_health": pd.DataFrame(health, columns=["key", "value", "level"]),
        },
        within={"unit_concepts": {"method": COMPUTED}},
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


def _load(
    bench: Workbench, frames: dict[str, pd.DataFrame], within: dict[str, Scope] | None = None
) -> pd.DataFrame:
    rows = bench.warehouse.replace(bench.study.name, frames, within=within)
    return pd.DataFrame({"table": list(rows), "rows": list(rows.values())})
