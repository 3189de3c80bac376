"""Attribution maps and their masks: one method over all target classes of a study, computed where they are new."""

import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis import last_inputs
from xai_assets.analysis.differences import Case, by_image, case_of, contrast_of, differs
from xai_assets.analysis.images import canonical
from xai_assets.analysis.map_blocks import rows_in_blocks
from xai_assets.analysis.map_keys import (
    cost_of,
    is_cost,
    layer_for,
    made_of,
    map_key,
    meta_of,
    not_finite,
    parameters_of,
    row_of,
)
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.score_batches import ScoreBatches
from xai_assets.analysis.target_layer import layer_fact
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.binarisation import binarise
from xai_assets.attribution.explain import Explainer, Rehearsal
from xai_assets.attribution.formulas import FORMULAS
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.parameters import (
    FURTHER_CAMS,
    AutoSamples,
    LimeParameters,
    Parameters,
    ScoreCAMParameters,
)
from xai_assets.attribution.passes import of_map
from xai_assets.attribution.wording import in_words
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint
from xai_assets.memory import PeakMemory
from xai_assets.resources.store import ArtifactError
from xai_assets.resources.tables import TABLES
from xai_assets.suggest import did_you_mean
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.geometry import Frame

_MAY_BE_EMPTY = {
    "expected_iou": "float64",
    "claimed_iou": "float64",
    "passes": "Int64",
    "samples": "Int64",
    "stable": "float64",
}
"""Types of columns that may be empty."""


def maps(
    bench: Workbench,
    predictions: pd.DataFrame,
    images: pd.DataFrame,
    method: str,
    *,
    with_differences: bool = False,
) -> pd.DataFrame:
    """One row an image and target class, as the warehouse's table `maps`; empty when the study leaves it out.

    With differences, one row a failure as well, as the table `difference_maps`: rows about one class have no contrast
    (`differences.of_classes` takes them), those about why the predicted class rather than the expected one do.

    The raw map is kept under a key of everything that made it (artifact kind `attributions`); the mask, which also
    depends on the binarisation policy, beside a copy of the map (kind `maps`: `values` h w float32, `mask` h w uint8).
    An image whose map cannot be made is left out, named in the tally, and does not stop the others.
    """
    columns = _columns(with_differences)
    if getattr(bench.attribution.methods, method) is None:
        return pd.DataFrame(columns=columns)
    if method == "lime":
        for name, why in unknown_lime_images(bench, set(images["image_id"])):
            bench.tally.remark("names", name, why)
    kept = last_inputs.kept_of(bench, predictions, method)
    explainers = _Explainers(bench, method, keep=bool(kept))
    if method != "lime":
        bench.tally.facts.append(layer_fact(bench, explainers.classifier))
    pictures = dict(zip(images["image_id"], images["picture"], strict=True))
    # All of an image in a row: what LIME and ScoreCAM ask the model about it answers every question of it.
    cases = [case for _, of in by_image(predictions) for case in of]
    asked = with_differences and differs(method)
    cases = [case for case in cases if asked or case["contrast_index"] is None]
    ready = explainers.of(parameters_of(bench, method, "")) if method in FORMULAS and cases else None
    if ready is not None:
        rows = list(rows_in_blocks(bench, ready, cases, pictures))
    else:
        rows = list(_rows(bench, explainers, cases, pictures, method, kept))
    if not rows and bench.tally.problems:
        raise XaiError(
            f"{method} of study {bench.study.name}",
            f"no map could be made: {bench.tally.problems[0]}",
            "Mend the first, and the others are likely mended too.",
        )
    found = pd.DataFrame(rows, columns=columns).astype(_MAY_BE_EMPTY)
    if (said := said_of_samples(found)) is not None:
        bench.tally.facts.append(said)
    return found.astype({"contrast_index": "Int64"}) if with_differences else found


def _rows(
    bench: Workbench,
    explainers: "_Explainers",
    cases: Sequence[dict[str, Any]],
    pictures: dict[str, str],
    method: str,
    kept: Collection[Case],
) -> Iterator[dict[str, Any]]:
    """One case after the other, each kept by itself."""
    for done, case in enumerate(cases, 1):
        try:
            keep = case["contrast_index"] is None and case_of(case) in kept
            yield _row(bench, explainers, case, pictures[case["image_id"]], method, keep=keep)
        except ArtifactError:
            raise  # no fault of the image: the step that makes the artifact makes it again
        except XaiError as error:
            named = in_words(case["target_name"], case["contrast_name"])
            bench.tally.leave_out("image classes", f"{case['image_id']} ({named})", str(error))
        bench.progress(done, len(cases))


def said_of_samples(table: pd.DataFrame) -> str | None:
    """How many samples LIME's maps took where that was left to their masks; None where it was not."""
    auto = table.dropna(subset=["stable"])
    if not len(auto):
        return None
    least, most = int(auto["samples"].min()), int(auto["samples"].max())
    asked = [LimeParameters.model_validate_json(text).num_samples for text in auto["parameters"]]
    sure = [
        isinstance(one, AutoSamples) and stable >= one.confidence
        for one, stable in zip(asked, auto["stable"], strict=True)
    ]
    return (
        f"samples of LIME: {least:,} to {most:,}, {auto['samples'].sum():,} together; "
        f"the mask is stable on {sum(sure)} of {len(auto)} maps, the others took as many as they may"
    )


def _columns(with_differences: bool) -> list[str]:
    return list(TABLES["difference_maps" if with_differences else "maps"].columns)


def further_cam_maps(
    bench: Workbench, predictions: pd.DataFrame, images: pd.DataFrame, *, with_differences: bool = False
) -> pd.DataFrame:
    """As `maps`, of every rarer class activation map that the study asks for; empty when it asks for none."""
    chosen = [method for method in FURTHER_CAMS if getattr(bench.attribution.methods, method) is not None]
    found = [maps(bench, predictions, images, method, with_differences=with_differences) for method in chosen]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_columns(with_differences))


def read_map(bench: Workbench, row: dict[str, Any]) -> tuple[AttributionMap, np.ndarray]:
    """The map and the mask (h w, bool) of one row of the tables `maps` or `difference_maps`."""
    arrays, meta = bench.store.get("maps", row["artifact"])
    found = AttributionMap(
        values=arrays["values"],
        method=row["method"],
        image_id=row["image_id"],
        target=int(row["target_index"]),
        target_name=row["target_name"],
        layer=meta["layer"],
        frame=Frame.from_dict(meta["frame"]),
        parameters=meta["parameters"],
        seed=int(row["seed"]),
        flags=tuple(meta["flags"]),
        details=meta.get("details") or {},
        contrast=contrast_of(row),
        contrast_name=None if contrast_of(row) is None else row["contrast_name"],
    )
    return found, arrays["mask"].astype(bool)


def _fitting(bench: Workbench, parameters: Parameters) -> Parameters:
    """The parameters with a batch size that there is memory for; keys keep the study's own."""
    usual = getattr(parameters, "batch_size", None)
    return parameters if usual is None else parameters.model_copy(update={"batch_size": bench.batch(usual)})


def rehearse(
    bench: Workbench, classifier: Classifier, method: str, pixels: np.ndarray, target: int
) -> Rehearsal:
    """Raise what a method's step would raise on an image (h w 3 uint8), at a small part of its cost.

    Each set of parameters that the study has for the method is tried; what is returned is of the first.
    """
    names = ("", *(bench.attribution.lime_per_image if method == "lime" else ()))
    tried: list[Parameters] = []
    said: list[Rehearsal] = []
    for name in names:
        parameters = parameters_of(bench, method, name)
        if parameters in tried:
            continue
        tried.append(parameters)
        explainer = Explainer(
            method,
            classifier,
            layer=layer_for(bench, classifier, method),
            layout=bench.attribution.layout,
            parameters=parameters,
            seed=bench.study.seed,
        )
        said.append(explainer.rehearse(pixels, target))
    return said[0]


def unknown_lime_images(bench: Workbench, image_ids: Collection[str]) -> list[tuple[str, str]]:
    """Names under `lime_per_image` that are no image of the study, with the reason."""
    return [
        (name, f"lime_per_image names it, and it is no image of the study.{did_you_mean(name, image_ids)}")
        for name in bench.attribution.lime_per_image
        if name not in image_ids
    ]


class _Explainers:
    """The method with each set of parameters that the study has for it, prepared once and used for all images."""

    def __init__(self, bench: Workbench, method: str, *, keep: bool = False) -> None:
        self.classifier: Classifier = explained_classifier(bench)
        self._bench, self._method, self._keep = bench, method, keep
        self._ready: dict[str, Explainer] = {}

    def of(self, parameters: Parameters) -> Explainer:
        """The explainer with these parameters."""
        key = canonical(parameters.model_dump(mode="json"))
        if key not in self._ready:
            self._ready[key] = Explainer(
                self._method,
                self.classifier,
                layer=layer_for(self._bench, self.classifier, self._method),
                layout=self._bench.attribution.layout,
                parameters=_fitting(self._bench, parameters),
                seed=self._bench.study.seed,
                keep=self._keep,
            )
        return self._ready[key]


def _row(
    bench: Workbench,
    explainers: _Explainers,
    case: dict[str, Any],
    picture: str,
    method: str,
    *,
    keep: bool = False,
) -> dict[str, Any]:
    policy = bench.attribution.binarisation
    parameters = parameters_of(bench, method, case["image_id"])
    made = made_of(bench, explainers.classifier, case, picture, method)
    raw_key = fingerprint(made)
    cost = bench.store.cost("attributions", raw_key) if bench.store.has("attributions", raw_key) else None
    if cost is not None and is_cost(cost):
        bench.tally.reused += 1
        keep = False  # the passes that it would be taken from are not made
    else:
        cost = _compute(bench, explainers.of(parameters), case, picture, raw_key)
        bench.tally.computed += 1
    arrays, meta = bench.store.get("attributions", raw_key)
    warning = meta["details"].get("warning")
    if warning is not None:
        bench.tally.note(f"{method}: {warning}")
    if (passes := of_map(meta["details"])) is not None:
        bench.tally.facts.append(passes)
    mask, threshold = binarise(arrays["values"], policy)
    key = map_key(bench, made)
    if not bench.store.has("maps", key):
        kept = {**arrays, "mask": mask.astype(np.uint8)}
        bench.store.put(
            "maps", key, kept, {**meta, "policy": policy.model_dump(mode="json"), "threshold": threshold}
        )
    if keep:
        _keep_inputs(bench, explainers.of(parameters), {"artifact": key}, meta["details"])
    said = {**meta, "threshold": threshold, "density": float(mask.mean())}
    return row_of(bench, case, made, key, said, cost)


def _keep_inputs(
    bench: Workbench, explainer: Explainer, row: dict[str, Any], details: dict[str, Any]
) -> None:
    """Keep what went into the last layer for the map that was just computed, where it is known."""
    given = explainer.parameters
    if explainer.inputs is None or not isinstance(given, ScoreCAMParameters | LimeParameters):
        return
    if isinstance(given, ScoreCAMParameters) and given.mode == "fast":
        return  # another network would have chosen other channels
    alone = isinstance(given, ScoreCAMParameters) and (
        details["constant"] > 0 or given.weighting == "increase"
    )
    last_inputs.keep(
        bench, row, explainer.inputs, alone=alone, batch_size=given.batch_size, cut=explainer.cut
    )


def _compute(
    bench: Workbench, explainer: Explainer, case: dict[str, Any], picture: str, key: str
) -> dict[str, Any]:
    """Compute the map and keep it; returns what it took, which is kept beside it."""
    pixels = bench.store.get("pictures", picture)[0]["pixels"]
    started = time.perf_counter()
    # Of another try with other batches nothing is read.
    batches = ScoreBatches(bench.store, fingerprint({"map": key, "share": bench.batch_share}))
    target, contrast = int(case["target_index"]), contrast_of(case)
    with PeakMemory() as peak:
        found = explainer(pixels, target, contrast=contrast, image_id=case["image_id"], memory=batches)
    if not np.isfinite(found.values).all():
        raise not_finite(explainer.method, case["image_id"])
    device = str(explainer.classifier.device)
    cost = cost_of(device, time.perf_counter() - started, peak.mib(device))
    bench.store.put_cost("attributions", key, cost)  # first: an artifact that is there has its cost
    bench.store.put("attributions", key, {"values": found.values, **found.extras}, meta_of(found))
    batches.discard()
    return cost
