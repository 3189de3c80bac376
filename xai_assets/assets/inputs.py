"""What a study starts from: its images and the probe set, and what the explained model says about the images."""

from typing import TYPE_CHECKING

import dagster as dg

from xai_assets.assets.step import run_step
from xai_assets.assets.study_asset import study_asset
from xai_assets.checks import inputs as checks
from xai_assets.checks import performance
from xai_assets.checks.dissection import ENOUGH
from xai_assets.execution.op_tags import LIGHT, MODEL
from xai_assets.execution.retries import ONCE_MORE
from xai_assets.resources.table import Table

if TYPE_CHECKING:
    from xai_assets.analysis.workbench import Workbench

GROUP = "inputs"
SPEED = "images_per_second"
OF_PREDICTIONS = (
    checks.PREDICTED,
    checks.USUAL,
    checks.OF_DOMAIN,
    checks.GROUND_TRUTH,
)

OF_PERFORMANCE = (
    performance.SOUND,
    performance.KNOWN_LABELS,
    performance.RIGHT,
    performance.ACCURATE,
    performance.EVERY_CLASS,
    performance.CALIBRATED,
    performance.PLAUSIBLE,
)


@study_asset(GROUP, "python", LIGHT, version="2", checks=[checks.READABLE])
def images(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The images to explain, one row each. Those that cannot be read are quarantined with a reason."""
    from xai_assets.analysis.images import images as read

    return run_step(context, "attribution", read, checks=[checks.READABLE], speed=SPEED)


@study_asset(GROUP, "pytorch", MODEL, version="5", retry_policy=ONCE_MORE, checks=OF_PREDICTIONS)
def predictions(
    context: dg.AssetExecutionContext, images: Table, model_performance: Table
) -> dg.MaterializeResult:
    """What the model says about each image, and the classes that all methods explain: resolved once, here."""
    from xai_assets.analysis.estimates import of_predictions
    from xai_assets.analysis.performance import explained_images
    from xai_assets.analysis.predictions import predictions as predict
    from xai_assets.analysis.predictions import step_facts
    from xai_assets.analysis.workbench import COST

    def cost(bench: "Workbench", explained: Table) -> dict[str, str]:
        lines = of_predictions(bench, explained, images)
        return {COST: "\n".join(lines)} if lines else {}

    def left(bench: "Workbench", explained: Table) -> Table:
        chosen = explained_images(bench, images, model_performance)["image_id"]
        return step_facts(bench, explained, images.loc[~images["image_id"].isin(chosen), "image_id"])

    return run_step(
        context,
        "attribution",
        lambda bench: predict(bench, explained_images(bench, images, model_performance), images),
        checks=OF_PREDICTIONS,
        made_from=[images],
        facts=left,
        speed=SPEED,
        shown=cost,
    )


@study_asset(GROUP, "pytorch", MODEL, retry_policy=ONCE_MORE, checks=OF_PERFORMANCE)
def model_performance(context: dg.AssetExecutionContext, images: Table) -> dg.MaterializeResult:
    """What the model says about all images, explained or not, and how well it does on those with a label."""
    from xai_assets.analysis.performance import beside_the_limit
    from xai_assets.analysis.performance import model_performance as ask

    return run_step(
        context,
        "attribution",
        lambda bench: ask(bench, images),
        checks=OF_PERFORMANCE,
        made_from=[images],
        facts=beside_the_limit,
        speed=SPEED,
    )


@study_asset(GROUP, "python", LIGHT, checks=[ENOUGH])
def probe_set(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The pictures that the units are shown, in Broden's folder layout where they have labels: one row."""
    from xai_assets.analysis.probe import probe_set as prepare

    return run_step(context, "dissection", prepare, checks=[ENOUGH])
