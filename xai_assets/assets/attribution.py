"""Where the model looked: one asset a method, all of them on the same class of the same image in the same frame.

The rarer class activation maps share one asset: they cost little, and few studies ask for them.
"""

from typing import TYPE_CHECKING

import dagster as dg

from xai_assets.assets.step import run_step
from xai_assets.automation.partitions import studies
from xai_assets.execution.op_tags import MODEL
from xai_assets.resources.table import Table

if TYPE_CHECKING:
    from xai_assets.analysis.workbench import Workbench

GROUP = "attribution"

METHODS = {
    "gradcam": "Grad-CAM (Selvaraju et al. 2017): the layer's channels, weighted by the gradient of the class score.",
    "ablationcam": "AblationCAM (Ramaswamy et al. 2020): channels weighted by the score's drop without each of them.",
    "scorecam": "ScoreCAM (Wang et al. 2020): channels weighted by the score of the image seen through each of them.",
    "further_cam": "HiResCAM, Grad-CAM++, XGradCAM, LayerCAM and EigenCAM, those of them that the study asks for.",
    "lime": "LIME (Ribeiro et al. 2016): a linear model of the score over superpixels that are hidden at random.",
}


def _masks(method: str, description: str) -> dg.AssetsDefinition:
    @dg.asset(
        name=f"{method}_masks",
        partitions_def=studies,
        group_name=GROUP,
        kinds={"pytorch"},
        op_tags=MODEL,
        code_version="1",
        description=f"{description} One row an image and explained class; maps are float32 in the model's frame.",
    )
    def masks(
        context: dg.AssetExecutionContext, images: Table, predictions: Table
    ) -> dg.MaterializeResult[Table]:
        from xai_assets.analysis.explanations import further_cam_maps, maps

        def work(bench: "Workbench") -> Table:
            if method == "further_cam":
                return further_cam_maps(bench, predictions, images)
            return maps(bench, predictions, images, method)

        return run_step(context, "attribution", work)

    return masks


mask_assets = [_masks(method, description) for method, description in METHODS.items()]
