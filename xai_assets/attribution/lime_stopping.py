"""How many samples LIME needs: as many as it takes until the mask of its map would hardly change with more.

The samples at hand are drawn anew by the Bayesian bootstrap (Rubin 1981, doi:10.1214/aos/1176345338): each counts by its
closeness times a standard exponential variate, and the whole surrogate, its choice of superpixels included, is fitted
again. What the masks of these surrogates have in common with the mask at hand estimates what the mask of endlessly many
samples has. Nothing is assumed of how the model answers; Zhou, Hooker & Wang (2021, doi:10.1145/3447548.3467274) ask the
same of the order in which superpixels are chosen.

How often a mask is called stable that is not is simulated, see `docs/truth.md`.
"""

from collections.abc import Callable, Iterator

import numpy as np

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.attribution.lime_regression import regress
from xai_assets.attribution.lime_selection import select
from xai_assets.attribution.lime_surrogate import closeness
from xai_assets.attribution.parameters import AutoSamples, LimeParameters
from xai_assets.attribution.targets import Asked, as_target

GRAIN = 32
"""Samples are looked at in multiples of this, whatever the batches are."""

A_SUPERPIXEL = 2
"""Samples for each superpixel before the first look: with fewer the surrogate follows chance."""

GROWTH = 1.3
"""From one look to the next: few looks cost little, and each is a chance to stop too early."""

DRAWS = 200
"""Surrogates of one look."""

SIDE = 64
"""Masks are compared on about so many pixels a side."""


def looks(superpixels: int, at_most: int) -> Iterator[int]:
    """The numbers of samples at which is asked whether they are enough, rising; the last is `at_most`."""
    count = GRAIN * -(-A_SUPERPIXEL * superpixels // GRAIN)
    while count < at_most:
        yield count
        count = GRAIN * -(-round(GROWTH * count) // GRAIN)
    yield at_most


def enough(
    asked: Callable[[int], tuple[np.ndarray, np.ndarray]],
    segments: np.ndarray,
    target: Asked,
    parameters: LimeParameters,
    auto: AutoSamples,
    *,
    seed: int,
) -> tuple[int, float]:
    """How many samples are enough, and how sure it is that the mask is stable then, see `stable_share`.

    Args:
        asked: of a number of samples, the first so many (n s of 0 and 1) and what the model answers (n k float64).
        segments, target, parameters, auto, seed: see `stable_share`.

    Returns:
        The first number of `looks` at which the mask is stable at the confidence, or the last, whatever it is there.
    """
    count, stable = 0, 0.0
    for count in looks(int(segments.max()) + 1, auto.at_most):
        stable = stable_share(*asked(count), segments, target, parameters, auto, seed=seed)
        if stable >= auto.confidence:
            break
    return count, stable


def stable_share(
    rows: np.ndarray,
    probabilities: np.ndarray,
    segments: np.ndarray,
    target: Asked,
    parameters: LimeParameters,
    auto: AutoSamples,
    *,
    seed: int,
) -> float:
    """How sure it is that the mask is stable: the share of redrawn surrogates whose mask overlaps enough with it.

    Args:
        rows: n s of 0 and 1, what each sample shows.
        probabilities: n k float64, the model's answers.
        segments: h w int64, superpixels from 0.
        target: the class, or the difference of two.
        parameters: of the surrogate.
        auto: the overlap and the mask.
        seed: of the draws.

    Returns:
        0..1. Drawing ends where so many have failed that `confidence` is out of reach: the share is then that of the
        draws that were made.
    """
    step = max(1, round(max(segments.shape) / SIDE))
    patches = segments[::step, ::step]
    samples, weights = rows.astype(np.float64), closeness(rows, parameters)
    scores = as_target(target).fitted(probabilities)[:, None]  # n 1

    def mask(counts: np.ndarray) -> np.ndarray:
        (used,) = select(samples, scores, counts, parameters)
        coefficients = np.zeros(rows.shape[1])
        coefficients[used] = regress(samples[:, used], scores, counts, parameters.model_regressor)[0][:, 0]
        painted = np.maximum(coefficients, 0) if parameters.positive_only else coefficients
        return binarise(painted[patches], auto.mask or BinarisationPolicy())[0]

    chosen = mask(weights)
    draws = np.random.default_rng([seed, len(rows)])
    stable: list[bool] = []
    while len(stable) < DRAWS and stable.count(False) <= (1 - auto.confidence) * DRAWS:
        other = mask(weights * draws.standard_exponential(len(rows)))
        union = int(np.count_nonzero(chosen | other))
        stable.append(int(np.count_nonzero(chosen & other)) >= auto.overlap * union)
    return float(np.mean(stable))
