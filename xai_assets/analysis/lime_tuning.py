"""The search for LIME's parameters on a study's images, and the log of everything it tried."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xai_assets.analysis.lime_cases import Key, lime_cases
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.reference_masks import Lies
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution import lime_tuning
from xai_assets.attribution.lime_image import Lime
from xai_assets.attribution.lime_tuning import Judgement, Tuning, tune
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.errors import XaiError
from xai_assets.evaluation.lime_judging import Explained, Subject, judge

SEEDS = 2
"""LIME runs a judgement, with seeds of the search's own: nothing is chosen for its luck with the study's seed."""

CIRCULAR = (
    "The parameters were chosen by the same masks that they are graded on: that grade is too high. The held-out grade "
    "is the honest one: on each image, the candidate that is best on the others."
)
NO_REFERENCE = (
    "There is no reference mask: the choice rests on the surrogate's fit and on stability over seeds. Neither says that "
    "the mask is where the evidence is."
)


@dataclass(frozen=True)
class StudyTuning:
    """A search on a study.

    Attributes:
        tuning: what was tried and chosen.
        reference: where the reference masks are from; None without any.
        absent: why a case has no reference mask, by "image (class)", where masks were asked for.
        settings: everything that the search followed from, as JSON has it.
    """

    tuning: Tuning
    reference: str | None
    absent: dict[str, str]
    settings: dict[str, Any]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be said beside the numbers."""
        found = []
        judged = {choice.judged_by for choice in self.tuning.choices}
        if "reference" in judged:
            found.append(CIRCULAR)
            if not self.tuning.held_out:
                fewest = lime_tuning.FEWEST_HELD_OUT
                found.append(f"There is no held-out grade: it needs {fewest} images with masks, and time.")
        if "surrogate" in judged:
            found.append(NO_REFERENCE)
        if self.tuning.out_of_time:
            found.append(
                "The budget ended the search: how far it came is up to the machine. --trials repeats."
            )
        return tuple(found)

    @property
    def changed(self) -> dict[str, LimeParameters]:
        """The parameters of the images for which something better was found."""
        return {choice.image_id: choice.parameters for choice in self.tuning.choices if choice.changed}

    def summary(self) -> dict[str, float | int | None]:
        """Means over images; of IoUs over those with reference masks."""
        choices, held = self.tuning.choices, self.tuning.held_out
        return {
            "images": len(choices),
            "changed": len(self.changed),
            "trials": len(self.tuning.trials),
            "iou_before": _mean(choice.base_iou for choice in choices),
            "iou_chosen_circular": _mean(choice.iou for choice in choices),
            "iou_held_out": _mean(found.iou for found in held),
            "iou_held_out_before": _mean(found.base_iou for found in held),
            "iou_held_out_chance": _mean(found.chance_iou for found in held),
        }

    def log(self) -> str:
        """JSON lines: the settings, every trial, every choice, the held-out grades, the summary."""
        records: list[dict[str, Any]] = [
            {
                "record": "search",
                **self.settings,
                "reference": self.reference,
                "rule": lime_tuning.__doc__,
                "out_of_time": self.tuning.out_of_time,
                "warnings": list(self.warnings),
            }
        ]
        records += [
            {"record": "no reference mask", "case": case, "why": why} for case, why in self.absent.items()
        ]
        for trial in self.tuning.trials:
            row = {"image_id": trial.image_id, "stage": trial.stage, "candidate": trial.candidate}
            numbers = {**asdict(trial.judgement), "seconds": round(trial.seconds, 4)}
            records.append({"record": "trial", **row, **numbers, "parameters": _plain(trial.parameters)})
        for choice in self.tuning.choices:
            fields = {key: value for key, value in vars(choice).items() if key != "parameters"}
            records.append({"record": "choice", **fields, "parameters": _plain(choice.parameters)})
        records += [{"record": "held out", **asdict(found)} for found in self.tuning.held_out]
        records.append({"record": "summary", **self.summary()})
        return "".join(json.dumps(record, allow_nan=False) + "\n" for record in records)


def tune_study(
    bench: Workbench,
    *,
    only: Iterable[str] = (),
    masks: Path | None = None,
    lies: Lies = "original",
    candidates: int,
    budget: float | None = None,
    seed: int = 0,
) -> StudyTuning:
    """Search LIME's parameters for the study's images; the study's file is not touched.

    Args:
        bench: the study.
        only: names of images; all unless some are given.
        masks: a folder of reference masks; without it the true masks of the embedded world, where the study's images
            are its scenes.
        lies: what the masks of the folder are drawn on.
        candidates: drawn for each image.
        budget: seconds for the search, once images and classes are resolved.
        seed: of candidates and of LIME's samples.

    Raises:
        XaiError: a study without LIME, an unknown image, no such folder, or the policy same_area without a mask for
            every class.
    """
    cases = lime_cases(bench, only)
    absent: dict[Key, str] = {}
    references, reference = cases.truths, "the true masks of the embedded world" if cases.truths else None
    if masks is not None:
        references, absent = cases.masks(masks, lies=lies)
        reference = f"{masks} ({lies} frame)"
    subjects: dict[str, Subject] = {}
    for image, rows in cases.predictions.groupby("image_id", sort=False):
        known = [references.get((image, name)) for name in rows["target_name"]]
        subjects[image] = Subject(
            image_id=image,
            view=cases.views[image],
            targets=tuple(int(target) for target in rows["target_index"]),
            references=tuple(mask if mask is not None and mask.any() else None for mask in known),
        )
    policy = bench.attribution.binarisation
    if policy.policy == "same_area" and not all(s.all_referenced for s in subjects.values()):
        raise XaiError(
            f"study {bench.study.name}",
            "the policy same_area needs a reference mask of every class",
            "Give --masks, or use another policy under attribution.binarisation.",
        )
    classifier = explained_classifier(bench)

    lime_seeds = [int(state) for state in np.random.SeedSequence(seed).generate_state(SEEDS)]
    # One a seed: each remembers the last view's answers, so that an image's second class costs no forward pass.
    limes = {lime_seed: Lime(classifier, seed=lime_seed) for lime_seed in lime_seeds}

    def explain(view: np.ndarray, target: int, parameters: LimeParameters, seed: int) -> Explained:
        return limes[seed](view, target, parameters=parameters)

    def judged(image: str, parameters: LimeParameters) -> Judgement:
        return judge(explain, subjects[image], parameters, seeds=lime_seeds, policy=policy)

    own, default = bench.attribution.lime_per_image, bench.attribution.methods.lime
    assert default is not None  # `lime_cases` sees to it
    found = tune(
        judged,
        {image: own.get(image, default).fixed() for image in subjects},
        referenced={image for image, subject in subjects.items() if subject.has_reference},
        candidates=candidates,
        budget=budget,
        seed=seed,
        progress=bench.progress,
    )
    settings = {
        "study": bench.study.name,
        "model": classifier.name,
        "model_sha256": classifier.sha256,
        "policy": policy.model_dump(mode="json"),
        "seed": seed,
        "lime_seeds": lime_seeds,
        "candidates": candidates,
        "budget_seconds": budget,
    }
    return StudyTuning(
        found, reference, {f"{image} ({name})": why for (image, name), why in absent.items()}, settings
    )


def _plain(parameters: LimeParameters) -> dict[str, Any]:
    return parameters.model_dump(mode="json")


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
