"""`xai run --quick` and `--full`: the study as it is run, with less or with all of what it asks for.

The study's file stays as it is. What is changed is what the run says of itself: parameters stand beside every map, and
what a budget left out is said in the report, in the table `left_out` and by the checks.
"""

from dataclasses import replace
from typing import Literal, get_args

from xai_assets.attribution.parameters import AutoSamples, LimeParameters
from xai_assets.evaluation.parameters import Faithfulness, Robustness
from xai_assets.study import Attribution, Study
from xai_assets.study_file import StudyFile

Effort = Literal["quick", "full"]
EFFORTS: tuple[Effort, ...] = get_args(Effort)

TAG = "xai/effort"
"""Of a run: with it every step knows how the study is run."""

QUICK_BUDGET = 20.0
"""Seconds for each of faithfulness and robustness, where the study gives no shorter budget."""

SAID = {
    "quick": "A quick run: LIME takes as many samples as its mask needs, ScoreCAM is in fast mode, and faithfulness and "
    f"robustness stop after {QUICK_BUDGET:g} s each.",
    "full": "A full run: no budget of the study ends a measure.",
}
"""What a report says of it."""


def at_effort(file: StudyFile, effort: str | None) -> StudyFile:
    """The study as it is run with `--quick` or `--full`; None: as it says itself."""
    attribution = file.study.attribution
    if effort is None or attribution is None:
        return file
    changed = _quick(attribution) if effort == "quick" else _full(attribution)
    study: Study = file.study.model_copy(update={"attribution": changed})
    return replace(file, study=study, effort=effort)


def _quick(asked: Attribution) -> Attribution:
    methods = asked.methods
    if methods.scorecam is not None and methods.scorecam.weighting == "softmax":
        fast = methods.scorecam.model_copy(update={"mode": "fast"})
        methods = methods.model_copy(update={"scorecam": fast})
    if methods.lime is not None:
        methods = methods.model_copy(update={"lime": _auto(methods.lime)})
    return asked.model_copy(
        update={
            "methods": methods,
            "lime_per_image": {name: _auto(given) for name, given in asked.lime_per_image.items()},
            **{
                name: part.model_copy(update={"budget": min(part.budget or QUICK_BUDGET, QUICK_BUDGET)})
                for name, part in _measures(asked).items()
            },
        }
    )


def _full(asked: Attribution) -> Attribution:
    return asked.model_copy(
        update={name: part.model_copy(update={"budget": None}) for name, part in _measures(asked).items()}
    )


def _measures(asked: Attribution) -> dict[str, Faithfulness | Robustness]:
    both = {"faithfulness": asked.faithfulness, "robustness": asked.robustness}
    return {name: part for name, part in both.items() if part is not None}


def _auto(given: LimeParameters) -> LimeParameters:
    """With as many samples as the mask needs, and at most as many as the study gives."""
    if isinstance(given.num_samples, AutoSamples):
        return given
    return given.model_copy(update={"num_samples": AutoSamples(at_most=given.num_samples)})
