"""Where the model looked: one asset a method, all of them on the same class of the same image in the same frame.

The rarer class activation maps share one asset: they cost little, and few studies ask for them.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from xai_assets.assets.picture import picture
from xai_assets.assets.step import run_step
from xai_assets.assets.study_asset import study_asset
from xai_assets.checks.attribution import CHECKS
from xai_assets.execution.op_tags import LATE, MODEL
from xai_assets.execution.retries import ONCE_MORE
from xai_assets.resources.table import Table

if TYPE_CHECKING:
    from xai_assets.analysis.workbench import Workbench

GROUP, EXTERNAL = "attribution", "external"

METHODS = {
    "gradcam": "Grad-CAM (Selvaraju et al. 2017): the layer's channels, weighted by the gradient of the class score.",
    "ablationcam": "AblationCAM (Ramaswamy et al. 2020): channels weighted by the score's drop without each of them.",
    "scorecam": "ScoreCAM (Wang et al. 2020): channels weighted by the score of the image seen through each of them.",
    "further_cam": "HiResCAM, Grad-CAM++, XGradCAM, LayerCAM and EigenCAM, those of them that the study asks for.",
    "external": "Maps that other tools made, from files that the study names: matched, checked, in the model's frame.",
    "lime": "LIME (Ribeiro et al. 2016): a linear model of the score over superpixels that are hidden at random.",
}


def _masks(method: str, description: str) -> dg.AssetsDefinition:
    @study_asset(
        GROUP,
        "pytorch",
        MODEL | (LATE if method in ("scorecam", "lime") else {}),
        retry_policy=ONCE_MORE,
        version="5",
        name=f"{method}_masks",
        description=f"{description} One row an image and target class, and one on why a wrong answer rather than an "
        "expected class; maps are float32 in the model's frame.",
        checks=CHECKS,
    )
    def masks(context: dg.AssetExecutionContext, images: Table, predictions: Table) -> dg.MaterializeResult:
        from xai_assets.analysis.explanations import further_cam_maps, maps
        from xai_assets.analysis.external_maps import external_maps
        from xai_assets.analysis.map_facts import external_facts, map_facts
        from xai_assets.analysis.thumbnails import map_strip

        def work(bench: "Workbench") -> Table:
            if method == EXTERNAL:
                return external_maps(bench, predictions, images)
            if method == "further_cam":
                return further_cam_maps(bench, predictions, images, with_differences=True)
            return maps(bench, predictions, images, method, with_differences=True)

        stored = external_facts if method == EXTERNAL else map_facts

        def shown(bench: "Workbench", table: Table) -> dict[str, Any]:
            draw = partial(map_strip, bench, predictions, table)
            strip = picture(
                context, bench, [predictions, table], draw, name="thumbnails", what="The maps", folder="maps"
            )
            return strip | _speed(table) | _claims(table)

        return run_step(
            context,
            "attribution",
            work,
            shown=shown,
            checks=CHECKS,
            made_from=[predictions],
            facts=lambda bench, table: stored(bench, table, predictions),
            speed="maps_per_second",
        )

    return masks


def _speed(table: Table) -> dict[str, Any]:
    """Of the maps as they were computed, perhaps in an earlier run."""
    seconds = float(table["seconds"].sum())
    device = ", ".join(sorted(set(table["device"].dropna())))
    if not device:
        return {}  # another tool made them
    return {"device": device, "images_per_second": round(len(table) / seconds, 3) if seconds else None}


def _claims(table: Table) -> dict[str, Any]:
    """Of ScoreCAM's fast mode: what its maps claim, and what they took."""
    fast = table[table["claimed_iou"].notna()] if "claimed_iou" in table else table.iloc[:0]
    if not len(fast):
        return {}
    return {
        "fast_maps": len(fast),
        "claimed_iou_lowest": round(float(fast["claimed_iou"].min()), 4),
        "expected_iou_mean": round(float(fast["expected_iou"].mean()), 4),
        "scored_mean": round(float(fast["passes"].mean()), 1),
    }


mask_assets = [_masks(method, description) for method, description in METHODS.items()]
