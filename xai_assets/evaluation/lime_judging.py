"""How good are LIME parameters on one image: against a reference mask, or by what LIME says of itself.

Without a reference two things can be asked: does the surrogate follow the model (R2, adjusted for the number of
superpixels it may use), and does another seed give the same mask (IoU of the masks of several seeds, with what chance
gives taken off). Neither says that the mask is where the evidence is. Both reward a coarse cut, which is easy to fit
and to repeat; below MIN_SUPERPIXELS nothing is judged by them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Protocol

import numpy as np

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise, density
from xai_assets.attribution.lime_tuning import Judgement
from xai_assets.attribution.maps import flags_of
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.errors import XaiError
from xai_assets.evaluation.overlap import expected_iou, iou

MIN_SUPERPIXELS = 12


class Explained(Protocol):
    """What a judgement needs of a LIME result."""

    @property
    def values(self) -> np.ndarray:
        """The map, h w float32."""

    @property
    def weights(self) -> np.ndarray:
        """One a superpixel; 0 for those that the surrogate does not use."""

    @property
    def r2(self) -> float | None:
        """How much of the answers' variance the surrogate explains; None where there is nothing to explain."""


Explain = Callable[[np.ndarray, int, LimeParameters, int], Explained]
"""LIME on a view (h w 3 uint8), a class, parameters and a seed."""


@dataclass(frozen=True)
class Subject:
    """One image to find parameters for.

    Attributes:
        image_id: its name.
        view: h w 3 uint8, what the model sees.
        targets: the target classes, by index.
        references: a reference mask (h w bool, not empty) for each class, or None.
    """

    image_id: str
    view: np.ndarray
    targets: tuple[int, ...]
    references: tuple[np.ndarray | None, ...]

    @property
    def has_reference(self) -> bool:
        """Whether a class has a reference mask; classes without one then have no part in the score."""
        return any(mask is not None for mask in self.references)

    @property
    def all_referenced(self) -> bool:
        """Whether every class has one."""
        return all(mask is not None for mask in self.references)


def judge(
    explain: Explain,
    subject: Subject,
    parameters: LimeParameters,
    *,
    seeds: Sequence[int],
    policy: BinarisationPolicy,
) -> Judgement:
    """Run LIME on every class of an image with each of at least two seeds, and say how good it is."""
    try:
        runs = [
            [explain(subject.view, target, parameters, seed) for seed in seeds] for target in subject.targets
        ]
    except XaiError as error:
        return Judgement(None, problem=str(error))
    flat = [run for of_target in runs for run in of_target]
    if any(flags_of(run.values) for run in flat):
        return Judgement(None, problem="a map is constant or not finite")
    masks = [
        [binarise(run.values, policy, reference=reference)[0] for run in of_target]
        for of_target, reference in zip(runs, subject.references, strict=True)
    ]
    adjusted = [
        adjusted_r2(run.r2, parameters.most_samples, int(np.count_nonzero(run.weights))) for run in flat
    ]
    known = [value for value in adjusted if value is not None]
    against = [
        (mask, reference)
        for of_target, reference in zip(masks, subject.references, strict=True)
        for mask in of_target
        if reference is not None
    ]
    overlap = _mean([iou(mask, reference) for mask, reference in against])
    found = Judgement(
        score=overlap,
        iou=overlap,
        chance_iou=_mean([expected_iou(density(mask), density(reference)) for mask, reference in against]),
        r2=_mean([run.r2 for run in flat]),
        adjusted_r2=_mean(known) if len(known) == len(adjusted) else None,
        stability=_mean([beyond_chance(a, b) for of_target in masks for a, b in combinations(of_target, 2)]),
        superpixels=_mean([float(len(run.weights)) for run in flat]),
    )
    return found if subject.has_reference else _by_itself(found)


def adjusted_r2(r2: float | None, samples: int, used: int) -> float | None:
    """R2 as it would be without the share that `used` superpixels explain by chance (Theil 1961), at most 1.

    1 - (1 - r2)(n - 1) / (n - p - 1); None where there are not enough samples to say, or nothing was explained.
    """
    left = samples - used - 1
    return 1 - (1 - r2) * (samples - 1) / left if r2 is not None and left > 0 else None


def beyond_chance(a: np.ndarray, b: np.ndarray) -> float:
    """(IoU - chance) / (1 - chance) of two masks (h w bool) that are not empty: 1 when equal, about 0 by chance.

    0 where both cover everything: they could not differ.
    """
    overlap, chance = iou(a, b), expected_iou(density(a), density(b))
    assert overlap is not None  # the masks of maps that are not constant are not empty
    assert chance is not None
    return (overlap - chance) / (1 - chance) if chance < 1 else 0.0


def _by_itself(found: Judgement) -> Judgement:
    assert found.superpixels is not None
    assert found.stability is not None
    if found.superpixels < MIN_SUPERPIXELS:
        why = f"fewer than {MIN_SUPERPIXELS} superpixels: fit and stability would reward that alone"
        return replace(found, problem=why)
    if found.adjusted_r2 is None:
        return replace(found, problem="fewer samples than superpixels: the surrogate's fit says nothing")
    return replace(found, score=(found.adjusted_r2 + found.stability) / 2)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
