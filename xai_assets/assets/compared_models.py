"""Several models of one study: what each answers and where each looks, on the same images. One model has no rows."""

import dagster as dg

from xai_assets.assets.evaluation import MASKS, together
from xai_assets.assets.step import run_step
from xai_assets.assets.study_asset import study_asset
from xai_assets.checks.models import OF_ANSWERS, OF_MAPS
from xai_assets.execution.op_tags import MODEL
from xai_assets.execution.retries import ONCE_MORE
from xai_assets.resources.table import Table

GROUP = "models"


@study_asset(GROUP, "pytorch", MODEL, retry_policy=ONCE_MORE, checks=OF_ANSWERS)
def answers_by_model(
    context: dg.AssetExecutionContext, images: Table, model_performance: Table
) -> dg.MaterializeResult:
    """What each of a study's several models says of every image; no rows where it has one."""
    from xai_assets.analysis.between_models import answer_tests
    from xai_assets.analysis.compared_models import answers_by_model as ask

    return run_step(
        context,
        "attribution",
        lambda bench: ask(bench, images, model_performance),
        checks=OF_ANSWERS,
        made_from=[images],
        facts=answer_tests,
    )


@study_asset(GROUP, "pytorch", MODEL, retry_policy=ONCE_MORE, ins=MASKS, checks=OF_MAPS)
def maps_by_model(
    context: dg.AssetExecutionContext,
    images: Table,
    predictions: Table,
    answers_by_model: Table,
    **masks: Table,
) -> dg.MaterializeResult:
    """Each model's maps of the same images, of the same classes and of its own answers, and where they have evidence."""
    from xai_assets.analysis.compared_maps import maps_by_model as explain

    return run_step(
        context,
        "attribution",
        lambda bench: explain(bench, images, predictions, answers_by_model),
        checks=OF_MAPS,
        made_from=[together(masks)],
    )
