"""What the explanations are worth: against each other, and against the truth where it is known."""

import dagster as dg

from xai_assets.assets.attribution import METHODS
from xai_assets.assets.step import run_step
from xai_assets.automation.partitions import studies
from xai_assets.execution.op_tags import LIGHT, MODEL
from xai_assets.resources.table import Table

GROUP = "evaluation"
MASKS = {f"{method}_masks": dg.AssetIn(f"{method}_masks") for method in METHODS}


def together(masks: dict[str, Table]) -> Table:
    """The tables of all methods as one; methods that the study leaves out have no rows."""
    import pandas as pd

    present = [frame for frame in masks.values() if len(frame)]
    return pd.concat(present, ignore_index=True) if present else next(iter(masks.values()))


@dg.asset(
    partitions_def=studies, group_name=GROUP, kinds={"numpy"}, op_tags=LIGHT, code_version="1", ins=MASKS
)
def mask_agreement(context: dg.AssetExecutionContext, **masks: Table) -> dg.MaterializeResult[Table]:
    """IoU, Dice and rank correlation of every pair of methods, each with what chance would give."""
    from xai_assets.analysis.evaluation import mask_agreement as agree

    return run_step(context, "attribution", lambda bench: agree(bench, together(masks)))


@dg.asset(
    partitions_def=studies, group_name=GROUP, kinds={"numpy"}, op_tags=LIGHT, code_version="1", ins=MASKS
)
def localization(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult[Table]:
    """The masks, and controls that look at no model, against the true masks; no rows where there is no truth."""
    from xai_assets.analysis.evaluation import localization as localise

    return run_step(context, "attribution", lambda bench: localise(bench, together(masks), predictions))


@dg.asset(
    partitions_def=studies, group_name=GROUP, kinds={"pytorch"}, op_tags=MODEL, code_version="1", ins=MASKS
)
def faithfulness(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult[Table]:
    """Whether the score follows each map as pixels are taken away: insertion, deletion, ROAD, beside the controls."""
    from xai_assets.analysis.faithfulness import faithfulness as measure

    return run_step(context, "attribution", lambda bench: measure(bench, together(masks), predictions))


@dg.asset(
    partitions_def=studies, group_name=GROUP, kinds={"pytorch"}, op_tags=MODEL, code_version="1", ins=MASKS
)
def robustness(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult[Table]:
    """Whether maps stay under noise and other seeds of LIME, and go with the model's weights, on a few cases."""
    from xai_assets.analysis.robustness import robustness as measure

    return run_step(context, "attribution", lambda bench: measure(bench, together(masks), predictions))


@dg.asset(
    partitions_def=studies, group_name=GROUP, kinds={"pytorch"}, op_tags=MODEL, code_version="1", ins=MASKS
)
def counterfactuals(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult[Table]:
    """What the model really uses: scenes of the embedded world with one thing changed; no rows for other images."""
    from xai_assets.analysis.counterfactuals import counterfactuals as measure

    return run_step(context, "attribution", lambda bench: measure(bench, predictions, together(masks)))
