"""What the steps of an attribution are going to take: forward passes, minutes by one timed batch, and memory.

Passes are counted as the steps make them, with nothing that is kept from before. Of the minutes, what a pass takes in a
quick copy of the network is timed here; reading, drawing and statistics are not in them.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.explanations import rehearse
from xai_assets.analysis.map_keys import made_of, parameters_of
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.quick_scores import BATCH, QuickScores
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.formulas import FORMULAS
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.parameters import FURTHER_CAMS, LimeParameters
from xai_assets.attribution.verification import OF_A_GRADIENT
from xai_assets.errors import XaiError
from xai_assets.evaluation.controls import CONTROLS
from xai_assets.evaluation.perturbation_curves import BASELINES
from xai_assets.files import fingerprint
from xai_assets.memory import MIB, PeakMemory
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.pass_memory import bytes_of_a_pass

FAST_PASSES = 128
"""About how many a map of ScoreCAM's fast mode takes."""

TIMED = 8
"""Images of the timed batch: on a CPU one of them costs as much in 8 as in 48."""


@dataclass(frozen=True)
class Work:
    """What a step is going to do.

    Attributes:
        step: the asset.
        passes: of one image through the network.
        batch: images that go through it together.
        at_most: whether it may well be fewer, since the step stops by itself.
        budget: seconds after which it stops.
    """

    step: str
    passes: int
    batch: int = 1
    at_most: bool = False
    budget: float | None = None


@dataclass(frozen=True)
class Pace:
    """What a pass takes on this machine.

    Attributes:
        seconds: of one image in a batch of TIMED.
        mib: memory that one image of a batch takes.
        base_mib: what the process holds with the network.
        most_mib: what a batch may take: larger ones are cut.
    """

    seconds: float
    mib: float
    base_mib: int
    most_mib: float = float("inf")


def works(bench: Workbench, *, images: int, cases: int, channels: Mapping[str, int]) -> list[Work]:
    """The steps that ask the network, in the order of their work.

    Args:
        bench: the study.
        images: that are explained.
        cases: target classes of all of them.
        channels: of the target layer, by method; 0 of LIME.
    """
    asked, usual = bench.attribution, BATCH["cpu"]
    found = [Work("predictions", images)]
    for method in asked.methods.made():
        if method not in FURTHER_CAMS and method in channels:
            found.append(_of_method(bench, method, images, cases, channels[method]))
    further = sum(method in FURTHER_CAMS for method in asked.methods.made())
    if further:
        found.append(Work("further_cam_masks", OF_A_GRADIENT * further * cases))
    methods = asked.methods.chosen()
    if (faithful := asked.faithfulness) is not None:
        a_map = 2 * len(BASELINES) * (faithful.steps - 1) + 2 * len(faithful.road) + 1
        maps = (
            len(methods) + len(CONTROLS) + 1 + (asked.truth is not None or asked.images.diorama is not None)
        )
        passes = cases * (maps * a_map + 1 + len(BASELINES))
        found.append(Work("faithfulness", passes, usual, budget=faithful.budget))
    if (robust := asked.robustness) is not None:
        looked_at = min(robust.cases, cases)
        passes = 0
        for method in asked.methods.made():
            again = robust.samples + robust.stages
            one = _of_method(bench, method, 1, 1, channels.get(method, 0))
            fast = method == "scorecam" and robust.scorecam == "fast" and one.passes > FAST_PASSES
            if fast:
                one, again = (
                    replace(one, passes=FAST_PASSES),
                    again + 1,
                )  # what they are compared with as well
            elif method in ("scorecam", "lime") and robust.stages:
                again -= 1  # of the random last layer: from what went into it for the map
            if method == "lime":
                again += max(0, robust.seeds - 1)
            passes += looked_at * again * one.passes
        found.append(Work("robustness", passes, max([usual, *_batches(bench)]), budget=robust.budget))
    return sorted(found, key=lambda work: work.passes)


def pace(classifier: Classifier, view: np.ndarray) -> Pace:
    """Time a batch of a view (h w 3 uint8), and count what its activations take."""
    tensor = classifier.preprocessing.from_view(view[None])  # 1 3 h w
    batch = np.ascontiguousarray(tensor.permute(0, 2, 3, 1).numpy()).repeat(TIMED, axis=0)
    score = QuickScores(classifier).of(0)
    with PeakMemory() as peak, untouched(classifier.network) as network:
        score(batch)  # what is prepared at the first pass is not timed
        started = time.perf_counter()
        score(batch)
        seconds = (time.perf_counter() - started) / TIMED
        mib = bytes_of_a_pass(network, tensor.to(classifier.device)) / MIB
    return Pace(seconds, mib, max(0, peak.resident - round(TIMED * mib)), classifier.memory_mib)


def of_predictions(bench: Workbench, predictions: pd.DataFrame, images: pd.DataFrame) -> list[str]:
    """The lines of what is to come, when a run has resolved what it explains; none where every map is there already.

    Args:
        bench: the study.
        predictions: the table.
        images: the table.
    """
    classifier = explained_classifier(bench)
    pictures = dict(zip(images["image_id"], images["picture"], strict=True))
    cases = predictions.to_dict("records")
    methods = bench.attribution.methods.made()
    # Grad-CAM and its relatives are kept many in a file, and take next to nothing.
    missing = {
        method: method not in FORMULAS and _missing(bench, classifier, cases, pictures, method)
        for method in methods
    }
    if not any(missing.values()):
        return []
    first = cases[0]
    pixels = bench.store.get("pictures", pictures[first["image_id"]])[0]["pixels"]
    channels = {}
    for method in methods:
        with suppress(XaiError):  # the method's own step says it
            channels[method] = rehearse(
                bench, classifier, method, pixels, int(first["target_index"])
            ).channels
    of = works(bench, images=predictions["image_id"].nunique(), cases=len(cases), channels=channels)
    there = {f"{method}_masks" for method in methods if not missing[method]}
    view = bench.store.get("views", first["view"])[0]["view"]
    return lines(
        (work for work in of if work.step not in there and work.step != "predictions"), pace(classifier, view)
    )


def _missing(
    bench: Workbench,
    classifier: Classifier,
    cases: list[dict[str, Any]],
    pictures: dict[str, str],
    method: str,
) -> bool:
    """Whether a map of the method is not there yet."""
    keys = (
        fingerprint(made_of(bench, classifier, case, pictures[case["image_id"]], method)) for case in cases
    )
    return not all(bench.store.has("attributions", key) for key in keys)


def lines(of: Iterable[Work], pace: Pace) -> list[str]:
    """A line a step, the longest last, and one for all of them."""
    said, total = [], 0.0
    for work in of:
        seconds = work.passes * pace.seconds
        ends = min(seconds, work.budget) if work.budget is not None else seconds
        total += ends
        passes = f"{'at most ' if work.at_most else ''}{work.passes:,} forward passes"
        stops = (
            f", stopped after {work.budget:g} s" if work.budget is not None and seconds > work.budget else ""
        )
        memory = round(pace.base_mib + min(work.batch * pace.mib, pace.most_mib), -1)
        said.append(f"{work.step}: {passes}, about {in_words(seconds)}{stops}, {memory:,.0f} MiB")
    said.append(
        f"together about {in_words(total)} where nothing is kept from before, by a batch that was timed here"
    )
    return said


def in_words(seconds: float) -> str:
    """Seconds or minutes, for people."""
    if seconds < 1:
        return "1 s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _of_method(bench: Workbench, method: str, images: int, cases: int, channels: int) -> Work:
    """The work of a method's maps; ScoreCAM and LIME ask once for all classes of an image."""
    parameters = parameters_of(bench, method, "")
    step, batch = f"{method}_masks", getattr(parameters, "batch_size", 1)
    if isinstance(parameters, LimeParameters):
        auto = not isinstance(parameters.num_samples, int)
        return Work(step, images * parameters.most_samples, batch, at_most=auto)
    if method == "scorecam":
        fast = getattr(parameters, "mode", "exact") == "fast"
        return Work(step, images * (min(FAST_PASSES, channels + 1) if fast else channels + 1), batch)
    if method == "ablationcam":
        return Work(step, cases * max(OF_A_GRADIENT, channels), batch, at_most=True)
    return Work(step, cases * OF_A_GRADIENT)


def _batches(bench: Workbench) -> list[int]:
    given = [parameters_of(bench, method, "") for method in bench.attribution.methods.made()]
    return [one.batch_size for one in given if hasattr(one, "batch_size")]
