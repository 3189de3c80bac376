"""What the explanations are worth: against each other, and against the truth where it is known."""

from typing import TYPE_CHECKING, Any

import dagster as dg

from xai_assets.assets.attribution import METHODS
from xai_assets.assets.step import run_step
from xai_assets.assets.study_asset import study_asset
from xai_assets.checks import evaluation as checks
from xai_assets.execution.op_tags import LIGHT, MODEL
from xai_assets.resources.table import Table
from xai_assets.web.pictures import picture_entry

if TYPE_CHECKING:
    from xai_assets.analysis.workbench import Workbench

GROUP = "evaluation"
MASKS = {f"{method}_masks": dg.AssetIn(f"{method}_masks") for method in METHODS}

CHECKS = {
    "mask_agreement": (checks.PAIRS, checks.AGREEMENT_SOUND, checks.AGREE),
    "localization": (checks.LOCALIZATION_SOUND, checks.LOCALIZES),
    "faithfulness": (checks.MEASURED, checks.METRICS_SOUND, checks.FAITHFUL),
    "robustness": (checks.LOOKED_AT, checks.METRICS_SOUND, checks.FOLLOWS),
    "counterfactuals": (checks.COUNTERFACTUALS_SOUND, checks.ON_WHAT_COUNTS),
}
"""By asset: what has to hold of its table."""


def together(masks: dict[str, Table]) -> Table:
    """The tables of all methods as one; methods that the study leaves out have no rows."""
    import pandas as pd

    present = [frame for frame in masks.values() if len(frame)]
    return pd.concat(present, ignore_index=True) if present else next(iter(masks.values()))


def _chart(
    context: dg.AssetExecutionContext, bench: "Workbench", made: tuple[bytes, str] | None
) -> dict[str, Any]:
    """The chart on the asset's page, or where the UI serves no pictures, where the tables are."""
    kept = f"{bench.settings.shared or bench.settings.artifacts}/tables"
    return {} if made is None else {"chart": picture_entry(context, *made, what="The table", kept=kept)}


@study_asset(GROUP, "numpy", LIGHT, version="2", ins=MASKS, checks=CHECKS["mask_agreement"])
def mask_agreement(context: dg.AssetExecutionContext, **masks: Table) -> dg.MaterializeResult:
    """IoU, Dice and rank correlation of every pair of methods, each with what chance would give."""
    from xai_assets.analysis.charts import agreement_chart
    from xai_assets.analysis.evaluation import mask_agreement as agree

    maps = together(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: agree(bench, maps),
        checks=CHECKS["mask_agreement"],
        made_from=[maps],
        shown=lambda bench, table: _chart(context, bench, agreement_chart(bench, table)),
    )


@study_asset(GROUP, "numpy", LIGHT, version="2", ins=MASKS, checks=CHECKS["localization"])
def localization(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """The masks, and controls that look at no model, against the true masks: of the part, the object, all objects."""
    from xai_assets.analysis.evaluation import localization as localise

    maps = together(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: localise(bench, maps, predictions),
        checks=CHECKS["localization"],
        made_from=[maps],
    )


@study_asset(GROUP, "pytorch", MODEL, version="2", ins=MASKS, checks=CHECKS["faithfulness"])
def faithfulness(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """Whether the score follows each map as pixels are taken away: insertion, deletion, ROAD, beside the controls."""
    from xai_assets.analysis.charts import curves_chart
    from xai_assets.analysis.faithfulness import faithfulness as measure

    maps = together(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: measure(bench, maps, predictions),
        checks=CHECKS["faithfulness"],
        made_from=[maps],
        shown=lambda bench, table: _chart(context, bench, curves_chart(bench, table)),
    )


@study_asset(GROUP, "pytorch", MODEL, ins=MASKS, checks=CHECKS["robustness"])
def robustness(context: dg.AssetExecutionContext, predictions: Table, **masks: Table) -> dg.MaterializeResult:
    """Whether maps stay under noise and other seeds of LIME, and go with the model's weights, on a few cases."""
    from xai_assets.analysis.robustness import randomisation_veto
    from xai_assets.analysis.robustness import robustness as measure

    maps = together(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: measure(bench, maps, predictions),
        checks=CHECKS["robustness"],
        made_from=[maps],
        facts=randomisation_veto,
    )


@study_asset(GROUP, "pytorch", MODEL, version="2", ins=MASKS, checks=CHECKS["counterfactuals"])
def counterfactuals(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """What the model really uses: scenes of the embedded world with one thing changed; no rows for other images."""
    from xai_assets.analysis.counterfactuals import counterfactuals as measure

    maps = together(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: measure(bench, predictions, maps),
        checks=CHECKS["counterfactuals"],
    )
