"""What the explanations are worth: against each other, and against the truth where it is known."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from xai_assets.assets.attribution import METHODS
from xai_assets.assets.picture import picture
from xai_assets.assets.step import run_step
from xai_assets.assets.study_asset import study_asset
from xai_assets.checks import evaluation as checks
from xai_assets.checks import evidence
from xai_assets.checks.verification import THEIRS
from xai_assets.execution.op_tags import LAST, LIGHT, MODEL
from xai_assets.resources.table import Table

if TYPE_CHECKING:
    from xai_assets.analysis.workbench import Workbench

GROUP = "evaluation"
MASKS = {f"{method}_masks": dg.AssetIn(f"{method}_masks") for method in METHODS}

CHECKS = {
    "mask_agreement": (checks.PAIRS, checks.AGREEMENT_SOUND, checks.AGREE),
    "localization": (checks.LOCALIZATION_SOUND, checks.LOCALIZES),
    "evidence_place": (evidence.SOUND, evidence.ON_OBJECT, evidence.RIGHT_AND_WRONG),
    "faithfulness": (checks.MEASURED, checks.METRICS_SOUND, checks.FAITHFUL),
    "difference_faithfulness": (
        checks.DIFFERENCES_MEASURED,
        checks.DIFFERENCES_SOUND,
        checks.DIFFERENCES_FAITHFUL,
    ),
    "robustness": (checks.LOOKED_AT, checks.METRICS_SOUND, checks.FOLLOWS),
    "counterfactuals": (checks.COUNTERFACTUALS_SOUND, checks.ON_WHAT_COUNTS),
    "verification": (THEIRS,),
}
"""By asset: what has to hold of its table."""


def together(masks: dict[str, Table]) -> Table:
    """The maps of one class of all methods as one table; methods that the study leaves out have no rows."""
    from xai_assets.analysis.differences import of_classes

    return of_classes(with_differences(masks))


def with_differences(masks: dict[str, Table]) -> Table:
    """The same with the maps of the difference of two classes, which have a contrast."""
    import pandas as pd

    present = [frame for frame in masks.values() if len(frame)]
    return pd.concat(present, ignore_index=True) if present else next(iter(masks.values()))


def _measured(
    context: dg.AssetExecutionContext,
    masks: dict[str, Table],
    measure: Callable[["Workbench", Table], Table],
    *,
    chart: Callable[["Workbench", Table], tuple[bytes, str] | None] | None = None,
    facts: Callable[["Workbench", Table], Table] | None = None,
) -> dg.MaterializeResult:
    """The step of an asset that measures the maps of all methods, with its checks and its chart if it has one."""
    maps = together(masks)

    def shown(bench: "Workbench", table: Table) -> dict[str, Any]:
        if chart is None:
            return {}
        draw = partial(chart, bench, table)
        return picture(context, bench, [table], draw, name="chart", what="The table", folder="tables")

    return run_step(
        context,
        "attribution",
        lambda bench: measure(bench, maps),
        checks=CHECKS[context.asset_key.to_user_string()],
        made_from=[maps],
        shown=shown,
        facts=facts,
    )


@study_asset(GROUP, "numpy", LIGHT, version="2", ins=MASKS, checks=CHECKS["mask_agreement"])
def mask_agreement(context: dg.AssetExecutionContext, **masks: Table) -> dg.MaterializeResult:
    """IoU, Dice and rank correlation of every pair of methods, each with what chance would give."""
    from xai_assets.analysis.charts import agreement_chart
    from xai_assets.analysis.evaluation import agreement_summary
    from xai_assets.analysis.evaluation import mask_agreement as agree

    maps = together(masks)
    return _measured(
        context,
        masks,
        agree,
        chart=lambda bench, table: agreement_chart(bench, table, agreement_summary(bench, maps, table)),
        facts=lambda bench, table: agreement_summary(bench, maps, table),
    )


@study_asset(GROUP, "numpy", LIGHT, version="2", ins=MASKS, checks=CHECKS["localization"])
def localization(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """The masks, and controls that look at no model, against the true masks: of the part, the object, all objects."""
    from xai_assets.analysis.evaluation import localization as localise
    from xai_assets.evaluation.comparison import metric_tests
    from xai_assets.evaluation.localization import localization_values

    return _measured(
        context,
        masks,
        lambda bench, maps: localise(bench, maps, predictions),
        facts=lambda bench, table: metric_tests(localization_values(table), seed=bench.study.seed),
    )


@study_asset(GROUP, "numpy", LIGHT, ins=MASKS, checks=CHECKS["evidence_place"])
def evidence_place(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """Whether the evidence for each answer lies on the object, around it or elsewhere, beside what other images give."""
    from xai_assets.analysis.evidence_place import evidence_place as place
    from xai_assets.analysis.evidence_place import evidence_tests

    maps = together(masks)
    return _measured(
        context,
        masks,
        lambda bench, maps: place(bench, maps, predictions),
        facts=lambda bench, table: evidence_tests(bench, maps, predictions),
    )


@study_asset(GROUP, "pytorch", MODEL | LAST, version="2", ins=MASKS, checks=CHECKS["faithfulness"])
def faithfulness(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """Whether the score follows each map as pixels are taken away: insertion, deletion, ROAD, beside the controls."""
    from xai_assets.analysis.charts import curves_chart
    from xai_assets.analysis.faithfulness import faithfulness as measure
    from xai_assets.analysis.faithfulness import faithfulness_tests

    return _measured(
        context,
        masks,
        lambda bench, maps: measure(bench, maps, predictions),
        chart=curves_chart,
        facts=faithfulness_tests,
    )


@study_asset(GROUP, "pytorch", MODEL | LAST, ins=MASKS, checks=CHECKS["difference_faithfulness"])
def difference_faithfulness(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """Whether the predicted class loses its lead over the expected one as pixels are taken away; of failures alone."""
    from xai_assets.analysis.differences import of_differences
    from xai_assets.analysis.faithfulness import difference_faithfulness as measure
    from xai_assets.analysis.faithfulness import faithfulness_tests

    maps = with_differences(masks)
    return run_step(
        context,
        "attribution",
        lambda bench: measure(bench, maps, predictions),
        checks=CHECKS["difference_faithfulness"],
        made_from=[of_differences(maps)],
        facts=faithfulness_tests,
        nothing="No image is answered wrongly of which both the predicted and the expected class are explained.",
    )


@study_asset(GROUP, "pytorch", MODEL | LAST, version="3", ins=MASKS, checks=CHECKS["robustness"])
def robustness(context: dg.AssetExecutionContext, predictions: Table, **masks: Table) -> dg.MaterializeResult:
    """Whether maps stay under noise and other seeds of LIME, and go with the model's weights, on a few cases."""
    from xai_assets.analysis.robustness import randomisation_veto
    from xai_assets.analysis.robustness import robustness as measure

    return _measured(
        context, masks, lambda bench, maps: measure(bench, maps, predictions), facts=randomisation_veto
    )


@study_asset(GROUP, "pytorch", MODEL | LAST, version="2", ins=MASKS, checks=CHECKS["counterfactuals"])
def counterfactuals(
    context: dg.AssetExecutionContext, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """What the model really uses: scenes of the embedded world with one thing changed; no rows for other images."""
    from xai_assets.analysis.counterfactuals import counterfactuals as measure
    from xai_assets.evaluation.counterfactual_summary import counterfactual_summary as summary

    return _measured(
        context,
        masks,
        lambda bench, maps: measure(bench, predictions, maps),
        facts=lambda bench, table: summary(table, seed=bench.study.seed),
    )


@study_asset(GROUP, "pytorch", MODEL | LAST, ins=MASKS, checks=CHECKS["verification"])
def verification(
    context: dg.AssetExecutionContext, images: Table, predictions: Table, **masks: Table
) -> dg.MaterializeResult:
    """A sample of the maps made again by the libraries grad-cam and lime; no rows where the study does not ask."""
    from xai_assets.analysis.verification import verification as compare

    return _measured(context, masks, lambda bench, maps: compare(bench, maps, predictions, images))
