"""Searching LIME's parameters for each image: seeded random candidates, judged on few samples first.

Candidates (`lime_space`) come in brackets. On each image all of a bracket are judged on a quarter of the samples; the
best third goes on to all of them (successive halving, Jamieson & Talwalkar 2016, with one halving). The parameters
that the study has are judged first, and kept unless a candidate scores more than TOLERANCE higher. What is best is then
judged on half and on twice the samples, and the fewest samples that score within TOLERANCE of the most are taken.

Parameters that were chosen by a reference mask and are graded on that same mask are graded too well. So the
candidates are the same for all images, and a held-out grade is made: on each image, the candidate that is best on all
the others.
"""

import itertools
import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xai_assets.attribution.lime_space import draw
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.progress import Progress, silent

BRACKET = 9
"""Candidates that are compared with each other at a time; a third of them goes on."""

TOLERANCE = 0.01
"""Scores this close are taken for equal: a study is not changed, and no samples are spent, for less."""

BRACKETS_SHARE = 0.7
"""Of a budget: no bracket is begun later, so that there is time for the samples and the held-out grade."""

FEWEST_SAMPLES = 50
FEWEST_HELD_OUT = 3
"""Images with reference masks below which there is no held-out grade: two others at least must agree on a choice."""

JudgedBy = Literal["reference", "surrogate"]
Stage = Literal["quarter", "full", "samples", "held out"]


@dataclass(frozen=True)
class Judgement:
    """What was measured; None where it could not be, with the reason in `problem`.

    Attributes:
        score: what candidates are compared by, higher is better: the mean IoU with the references, or without any
            the mean of adjusted R2 and stability.
        iou: mean IoU with the reference masks over classes and seeds, 0 to 1.
        chance_iou: what masks of these densities would reach.
        r2: mean R2 of the surrogates.
        adjusted_r2: the same less what the number of used superpixels gives by chance.
        stability: mean of (IoU - chance) / (1 - chance) between the masks of two seeds, at most 1.
        superpixels: how many there are, mean over seeds.
        problem: why there is no score.
    """

    score: float | None
    iou: float | None = None
    chance_iou: float | None = None
    r2: float | None = None
    adjusted_r2: float | None = None
    stability: float | None = None
    superpixels: float | None = None
    problem: str | None = None


Judge = Callable[[str, LimeParameters], Judgement]
"""Runs LIME with some parameters on the image of that name, and says how good they are; the same each time."""


@dataclass(frozen=True)
class Trial:
    """One judgement: candidate 0 is what the study had."""

    image_id: str
    stage: Stage
    candidate: int
    parameters: LimeParameters
    seconds: float
    judgement: Judgement


@dataclass(frozen=True)
class Choice:
    """What was found for an image.

    Attributes:
        parameters: the chosen ones; those the study had where nothing scored higher.
        candidate: their number; 0 is what the study had, though `samples` may differ.
        judged_by: what the scores are.
        score, base_score: of the chosen, and of what the study had, both on full samples; None where there is none.
        iou, base_iou: the same for the IoU with the reference masks: circular, see `HeldOut`.
        changed: whether they differ from what the study had.
        reason: how the choice was made.
    """

    image_id: str
    parameters: LimeParameters
    candidate: int
    judged_by: JudgedBy
    score: float | None
    base_score: float | None
    iou: float | None
    base_iou: float | None
    changed: bool
    reason: str


@dataclass(frozen=True)
class HeldOut:
    """On one image, the candidate that is best on the other images: its mask had no part in the choice."""

    image_id: str
    candidate: int
    iou: float | None
    base_iou: float | None
    chance_iou: float | None


@dataclass(frozen=True)
class Tuning:
    """A whole search.

    Attributes:
        trials: everything that was tried, in order.
        choices: one an image, in order.
        held_out: see `HeldOut`; empty with fewer than FEWEST_HELD_OUT images with reference masks, or out of time.
        out_of_time: the budget ended the search early: how far it came is up to the machine.
    """

    trials: tuple[Trial, ...]
    choices: tuple[Choice, ...]
    held_out: tuple[HeldOut, ...]
    out_of_time: bool


def tune(
    judge: Judge,
    base: Mapping[str, LimeParameters],
    *,
    referenced: Collection[str],
    candidates: int,
    budget: float | None = None,
    seed: int = 0,
    progress: Progress = silent,
    clock: Callable[[], float] = time.monotonic,
) -> Tuning:
    """Search parameters for every image.

    Without a budget the choices follow from the arguments alone.

    Args:
        judge: how good are parameters on an image?
        base: what the study has for each image, by its name.
        referenced: the images that are judged by reference masks; the others by LIME's own fit and stability.
        candidates: how many are drawn for each image, besides what the study has.
        budget: seconds; the judgement in hand is finished, none is begun after it.
        seed: of the candidates.
        progress: called with judgements done and planned.
        clock: seconds.
    """
    search = _Search(judge, base, budget, seed, progress, clock, _planned(len(base), candidates))
    numbers = range(1, candidates + 1)
    brackets = [range(1), *(numbers[i : i + BRACKET] for i in range(0, candidates, BRACKET))]
    held_out: tuple[HeldOut, ...] = ()
    try:
        out_of_time = False
        for bracket, image in itertools.product(brackets, base):
            if bracket[0] and search.late():
                out_of_time = True
                break
            search.bracket(image, bracket)
        for image in base:
            search.samples(image)
        held_out = search.held_out([image for image in base if image in referenced])
    except _OutOfTime:
        out_of_time = True
    choices = tuple(
        search.choice(image, "reference" if image in referenced else "surrogate") for image in base
    )
    return Tuning(tuple(search.trials), choices, held_out, out_of_time)


class _OutOfTime(Exception):
    """No further judgement may begin."""


class _Search:
    def __init__(
        self,
        judge: Judge,
        base: Mapping[str, LimeParameters],
        budget: float | None,
        seed: int,
        progress: Progress,
        clock: Callable[[], float],
        planned: int,
    ) -> None:
        self.judge, self.base, self.seed = judge, base, seed
        self.progress, self.clock, self.planned = progress, clock, planned
        self.start, self.budget = clock(), math.inf if budget is None else budget
        self.trials: list[Trial] = []

    def late(self) -> bool:
        """Whether it is too late to begin another bracket."""
        return self.clock() - self.start >= BRACKETS_SHARE * self.budget

    def bracket(self, image: str, numbers: Sequence[int]) -> None:
        """All on a quarter of the samples, the best third on all; the study's own in any case."""
        first = [self._try(image, "quarter", number, 0.25) for number in numbers]
        judged = sorted((t for t in first if t.judgement.score is not None), key=_rank)
        going_on = [t.candidate for t in judged[: -(-len(numbers) // 3)]]
        for number in [0] if 0 in numbers else going_on:
            self._try(image, "full", number, 1)

    def samples(self, image: str) -> None:
        """The best on half and on twice the samples."""
        best = self._best(image)
        if best is not None:
            for share in (0.5, 2):
                self._try(image, "samples", best.candidate, share)

    def held_out(self, images: Sequence[str]) -> tuple[HeldOut, ...]:
        """On each image the candidate that the others choose; see `HeldOut`."""
        if len(images) < FEWEST_HELD_OUT:
            return ()
        scores = {image: self._scores(image) for image in images}
        found = []
        for image in images:
            others = [scores[other] for other in images if other != image]
            common = set.intersection(*(set(known) for known in others))
            if not common:
                continue
            number = min(common, key=lambda n: (-float(np.mean([known[n] for known in others])), n))
            trial = self._full(image, number) or self._try(image, "held out", number, 1)
            own = self._full(image, 0)
            found.append(
                HeldOut(
                    image,
                    number,
                    trial.judgement.iou,
                    own.judgement.iou if own else None,
                    trial.judgement.chance_iou,
                )
            )
        return tuple(found)

    def choice(self, image: str, judged_by: JudgedBy) -> Choice:
        """The best of what was judged on all samples, with the fewest samples that do as well."""
        base, best = self._full(image, 0), self._best(image)
        judged = base.judgement if base else Judgement(None)
        if best is None:
            reason = "kept: nothing could be judged on all samples"
            return Choice(
                image, self.base[image], 0, judged_by, None, judged.score, None, judged.iou, False, reason
            )
        same = [t for t in self._of(image, "full", "samples") if t.candidate == best.candidate]
        scores = {t: t.judgement.score for t in same if t.judgement.score is not None}
        good = [t for t, score in scores.items() if score >= max(scores.values()) - TOLERANCE]
        chosen = min(good, key=lambda t: t.parameters.most_samples)
        what = f"candidate {best.candidate} is" if best.candidate else "the study's own parameters are"
        return Choice(
            image_id=image,
            parameters=chosen.parameters,
            candidate=best.candidate,
            judged_by=judged_by,
            score=chosen.judgement.score,
            base_score=judged.score,
            iou=chosen.judgement.iou,
            base_iou=judged.iou,
            changed=chosen.parameters != self.base[image],
            reason=f"{what} the best of {len(self._of(image, 'quarter'))}; {chosen.parameters.most_samples} samples are "
            f"the fewest within {TOLERANCE} of its highest score",
        )

    def _try(self, image: str, stage: Stage, number: int, share: float) -> Trial:
        base = self.base[image]
        samples = round(base.most_samples * share) if share >= 1 else self._fewer(base.most_samples, share)
        parameters = (draw(base, number, self.seed) if number else base).model_copy(
            update={"num_samples": samples}
        )
        started = self.clock()
        if started - self.start >= self.budget:
            raise _OutOfTime
        judgement = self.judge(image, parameters)
        trial = Trial(image, stage, number, parameters, self.clock() - started, judgement)
        self.trials.append(trial)
        self.progress(len(self.trials), max(self.planned, len(self.trials)))
        return trial

    def _fewer(self, samples: int, share: float) -> int:
        return max(min(FEWEST_SAMPLES, samples), round(samples * share))

    def _of(self, image: str, *stages: Stage) -> list[Trial]:
        return [t for t in self.trials if t.image_id == image and t.stage in stages]

    def _full(self, image: str, number: int) -> Trial | None:
        return next((t for t in self._of(image, "full") if t.candidate == number), None)

    def _best(self, image: str) -> Trial | None:
        """The study's own parameters, unless a candidate scores more than TOLERANCE higher."""
        judged = sorted((t for t in self._of(image, "full") if t.judgement.score is not None), key=_rank)
        own = next((t for t in judged if t.candidate == 0), None)
        if own and _rank(judged[0])[0] >= _rank(own)[0] - TOLERANCE:
            return own
        return judged[0] if judged else None

    def _scores(self, image: str) -> dict[int, float]:
        return {
            t.candidate: t.judgement.score
            for t in self._of(image, "quarter")
            if t.judgement.score is not None
        }


def _rank(trial: Trial) -> tuple[float, int]:
    """Higher scores first, of equal ones the earlier candidate."""
    score = trial.judgement.score
    return (math.inf if score is None else -score), trial.candidate


def _planned(images: int, candidates: int) -> int:
    whole, rest = divmod(candidates, BRACKET)
    going_on = whole * (BRACKET // 3) + -(-rest // 3)
    return images * (2 + candidates + going_on + 2)
