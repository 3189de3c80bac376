"""Which fields of the study each asset's table depends on, so that no step works with tables of two different studies.

A table that was made before the study was edited is right to use only where the edit does not concern it: who adds LIME
to a study need not make Grad-CAM's maps again, and who changes the layer has to.
"""

import json
from typing import Any

from xai_assets.attribution.parameters import FURTHER_CAMS
from xai_assets.errors import XaiError
from xai_assets.resources.table import Table
from xai_assets.study import Study

ENTRY = "xai_study"
"""The attribute of a table that keeps the fields it was made from."""

_CASES = (
    "attribution.images", "attribution.model", "attribution.truth", "attribution.explain", "attribution.sample", "seed",
)  # fmt: skip
_MAPS = (*_CASES, "attribution.layer", "attribution.layout", "attribution.binarisation")
_MEASURED = (*_MAPS, "attribution.methods", "attribution.lime_per_image", "seed")
_PROBE = ("dissection.probe", "dissection.models")

READS: dict[str, tuple[str, ...]] = {
    "images": ("attribution.images", "attribution.model"),
    "model_performance": ("attribution.images", "attribution.model", "seed"),
    "predictions": _CASES,
    **{f"{name}_masks": (*_MAPS, f"attribution.methods.{name}") for name in ("gradcam", "ablationcam")},
    "scorecam_masks": (*_MAPS, "attribution.methods.scorecam", "seed"),
    "further_cam_masks": (*_MAPS, *(f"attribution.methods.{name}" for name in FURTHER_CAMS)),
    "external_masks": (*_MAPS, "attribution.methods.external"),
    "lime_masks": (*_MAPS, "attribution.methods.lime", "attribution.lime_per_image", "seed"),
    "mask_agreement": _MEASURED,
    "localization": _MEASURED,
    "evidence_place": _MEASURED,
    "counterfactuals": _MEASURED,
    "faithfulness": (*_MEASURED, "attribution.faithfulness"),
    "difference_faithfulness": (*_MEASURED, "attribution.faithfulness"),
    "robustness": (*_MEASURED, "attribution.robustness"),
    "verification": (*_MEASURED, "attribution.verify"),
    "answers_by_model": ("attribution.images", "attribution.models"),
    "maps_by_model": (*_MEASURED, "attribution.models"),
    "probe_set": _PROBE,
    "unit_activations": (*_PROBE, "dissection.netdissect.quantile"),
    "concept_embeddings": (*_PROBE, "dissection.encoder", "dissection.concepts"),
    "clip_dissect_concepts": (
        *_PROBE, "dissection.encoder", "dissection.concepts", "dissection.clip_dissect", "seed",
    ),
    "netdissect_concepts": (*_PROBE, "dissection.netdissect", "seed"),
}  # fmt: skip
"""By asset, the fields of the study that its table follows from, those of the assets above it among them."""


def made_from(asset: str, study: Study) -> dict[str, Any]:
    """The fields that an asset's table depends on, with their values as JSON has them; empty for other assets."""
    whole = study.model_dump(mode="json")
    return {path: _at(whole, path) for path in READS.get(asset, ())}


def with_origin(table: Table, asset: str, study: Study) -> Table:
    """The table, with what it was made from kept in its file."""
    table = table.copy(deep=False)
    table.attrs = {ENTRY: json.dumps(made_from(asset, study), sort_keys=True)}
    return table


def refuse_other_study(table: Table, asset: str, study: Study) -> None:
    """Raise XaiError where an asset's table was made from other values of the fields that it depends on.

    A table of an older version, which kept nothing, is taken as it is.
    """
    kept = json.loads(table.attrs.get(ENTRY, "{}"))
    now = made_from(asset, study)
    # A field that the version of then did not know is none that was changed.
    others = [path for path in now if path in kept and kept[path] != now[path]]
    if others:
        raise XaiError(
            f"the table of {asset}, study {study.name}",
            f"it was made before the study was changed: {', '.join(others)}",
            f"Make it again with all that follows from it: `xai run {study.name} --only '{asset}+'`.",
        )


def _at(whole: Any, path: str) -> Any:
    for step in path.split("."):
        whole = whole.get(step) if isinstance(whole, dict) else None
    return whole
