"""What a map is made of, which names it in the store, and its row of the table `maps`."""

from collections.abc import Mapping
from typing import Any

import torch

from xai_assets.analysis.differences import contrast_of
from xai_assets.analysis.images import canonical
from xai_assets.analysis.target_layer import target_layer
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.explain import code_version
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.parameters import AutoSamples, LimeParameters, Parameters
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint
from xai_assets.vision.classifiers import Classifier

COST = {"seconds", "device", "peak_memory_mib"}
"""What it took to compute a map: kept beside it, since another run of the same work has other numbers."""


def parameters_of(bench: Workbench, method: str, image_id: str) -> Parameters:
    """A method's parameters for an image: LIME's may be set for each.

    Where LIME's samples are to be as many as the mask needs, it is the study's mask, unless they name another.
    """
    given = getattr(bench.attribution.methods, method)
    if method == "lime" and image_id in bench.attribution.lime_per_image:
        given = bench.attribution.lime_per_image[image_id]
    auto = getattr(given, "num_samples", None)
    if isinstance(auto, AutoSamples) and auto.mask is None:
        own = auto.model_copy(update={"mask": bench.attribution.binarisation})
        return given.model_copy(update={"num_samples": own})
    return given


def parameters_as_made(bench: Workbench, row: Mapping[str, Any]) -> Parameters:
    """The parameters of a row of the table `maps` to make it again, or another that is compared with it.

    Of LIME with as many samples as the map took.
    """
    given = parameters_of(bench, row["method"], row["image_id"])
    return given.fixed(int(row["samples"])) if isinstance(given, LimeParameters) else given


def layer_for(bench: Workbench, classifier: Classifier, method: str) -> str | None:
    """The target layer; None for LIME, which has none."""
    return None if method == "lime" else target_layer(bench, classifier)


def made_of(
    bench: Workbench, classifier: Classifier, case: dict[str, Any], picture: str, method: str
) -> dict[str, Any]:
    """All that makes a method's raw map of a case: the key of the map is its hash.

    A case is a row of `predictions`, or of `differences.differences`.
    """
    return of_case(alike(bench, classifier, method, case["image_id"]), case, picture)


def alike(bench: Workbench, classifier: Classifier, method: str, image_id: str) -> dict[str, Any]:
    """Of `made_of`, what is the same for all cases of an image, and but for LIME of all images."""
    layer = layer_for(bench, classifier, method)
    found: dict[str, Any] = {
        "code": code_version(method),
        "weights": classifier.fingerprint,
        "layer": layer,
        "method": method,
        "preprocessing": classifier.preprocessing.fingerprint(),
        "parameters": parameters_of(bench, method, image_id).model_dump(mode="json"),
        "seed": bench.study.seed,
    }
    if layer is not None and bench.attribution.layout is not None:
        found["layout"] = bench.attribution.layout.model_dump(mode="json")
    return found


def of_case(same: Mapping[str, Any], case: dict[str, Any], picture: str) -> dict[str, Any]:
    """`made_of` from what is alike."""
    found = {**same, "picture": picture, "target": int(case["target_index"])}
    if (contrast := contrast_of(case)) is not None:
        found["contrast"] = contrast
    return found


def map_key(bench: Workbench, made: dict[str, Any]) -> str:
    """The key of the artifact of kind `maps`: the raw map with the mask that the study's policy makes of it."""
    return key_with_mask(bench, fingerprint(made))


def key_with_mask(bench: Workbench, raw_key: str) -> str:
    """The same from the key of the raw map."""
    return fingerprint({"map": raw_key, "policy": bench.attribution.binarisation.model_dump(mode="json")})


def is_cost(cost: Mapping[str, Any] | None) -> bool:
    """Whether that is what it took to compute a map."""
    return cost is not None and cost.keys() >= COST and isinstance(cost["seconds"], float)


def row_of(
    bench: Workbench,
    case: dict[str, Any],
    made: Mapping[str, Any],
    key: str,
    meta: Mapping[str, Any],
    cost: Mapping[str, Any],
) -> dict[str, Any]:
    """The row of the table of maps.

    Args:
        bench: of the study.
        case: what was asked.
        made: as of `made_of`.
        key: of the map with its mask.
        meta: of the map: `raw_min`, `raw_max`, `flags`, `details`, and of its mask `threshold` and `density`.
        cost: what it took, see COST.
    """
    policy, details = bench.attribution.binarisation, meta.get("details") or {}
    return {
        "image_id": case["image_id"],
        "target_index": case["target_index"],
        "target_name": case["target_name"],
        "contrast_index": case["contrast_index"],
        "contrast_name": case["contrast_name"],
        "method": made["method"],
        "layer": made["layer"],
        "policy": policy.policy,
        "policy_value": policy.value,
        "threshold": meta["threshold"],
        "density": meta["density"],
        "raw_min": meta["raw_min"],
        "raw_max": meta["raw_max"],
        "constant": "constant" in meta["flags"],
        "seed": bench.study.seed,
        "seconds": cost["seconds"],
        "device": cost["device"],
        "peak_memory_mib": cost["peak_memory_mib"],
        "samples": details.get("samples", made["parameters"].get("num_samples")),
        "stable": details.get("stable"),
        "artifact": key,
        "parameters": canonical(made["parameters"]),
        "expected_iou": details.get("expected_iou"),
        "claimed_iou": details.get("claimed_iou"),
        "passes": details.get("scored"),
    }


def meta_of(found: AttributionMap) -> dict[str, Any]:
    """The metadata of a raw map."""
    return {
        "layer": found.layer,
        "frame": found.frame.to_dict(),
        "parameters": found.parameters,
        "flags": list(found.flags),
        "raw_min": float(found.values.min()),
        "raw_max": float(found.values.max()),
        "details": found.details,
    }


def cost_of(device: str, seconds: float, memory_mib: int) -> dict[str, Any]:
    """What a map took, as it is kept beside it."""
    return {
        "seconds": seconds,
        "device": device,
        "peak_memory_mib": memory_mib,
        "cpu_threads": torch.get_num_threads(),
    }


def not_finite(method: str, image_id: str) -> XaiError:
    """The error of a map with values that are not finite."""
    return XaiError(
        f"{method} of {image_id}",
        "has values that are not finite",
        "Look at the checkpoint and at the target layer's activations.",
    )
