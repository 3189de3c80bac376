"""LIME that stops by itself: how often a mask is called stable that is not

A classifier is a function of the superpixels that are shown. Its mask from 40,000 samples is the truth; `decided` is how
often LIME stops early with a mask whose IoU with that is below the promised one, `power` how often it stops early and is
right.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.attribution.lime_perturbation import draw
from xai_assets.attribution.lime_stopping import enough
from xai_assets.attribution.lime_surrogate import fit
from xai_assets.attribution.parameters import AutoSamples, LimeParameters

MANY = 40_000
SUPERPIXELS = (30, 60)
POLICIES = (BinarisationPolicy(), BinarisationPolicy(policy="top_area", value=0.2))

Model = Callable[[np.ndarray], np.ndarray]
"""From n s of 0 and 1 to n scores before the logistic function."""


def linear(random: np.random.Generator, superpixels: int) -> Model:
    """A few superpixels count, each by itself."""
    weights = random.exponential(size=superpixels) ** 2
    return lambda rows: rows @ weights * 6 / weights.sum() - 3


def together(random: np.random.Generator, superpixels: int) -> Model:
    """A network with a hidden layer: superpixels count together."""
    inner = random.normal(size=(superpixels, 24)) * (random.random((superpixels, 1)) < 0.3)
    outer = random.normal(size=24)
    return lambda rows: np.tanh((rows - 0.5) @ inner) @ outer


def one(random: np.random.Generator, superpixels: int) -> Model:
    """Two superpixels count, and only if both are shown."""
    a, b = random.choice(superpixels, 2, replace=False)
    return lambda rows: 5 * rows[:, a] * rows[:, b] - 2


def nothing(random: np.random.Generator, superpixels: int) -> Model:
    """What is shown has nothing to do with the answer, which is another for every sample."""
    key = random.normal(size=superpixels) * 1e4
    return lambda rows: np.sin(rows @ key)


MODELS = {
    "superpixels count each by itself": linear,
    "superpixels count together": together,
    "two count, if both are shown": one,
    "nothing counts": nothing,
}


def rows(trials: int) -> list[dict[str, Any]]:
    """A row a kind of classifier, number of superpixels and mask."""
    found = []
    for name, model in MODELS.items():
        for superpixels in SUPERPIXELS:
            for policy in POLICIES:
                wrong, right = _stops(model, superpixels, policy, trials)
                share = wrong / trials
                found.append(
                    {
                        "family": f"{name}; mask {policy.policy}",
                        "n": superpixels,
                        "decided": share,
                        "se": max(np.sqrt(share * (1 - share) / trials), 1 / trials),
                        "power": right / trials,
                        "effect": AutoSamples().overlap,
                        "note": "n is the number of superpixels, effect the promised IoU",
                    }
                )
    return found


def _stops(
    model: Callable[[np.random.Generator, int], Model],
    superpixels: int,
    policy: BinarisationPolicy,
    trials: int,
) -> tuple[int, int]:
    """How often LIME stops early with a mask that is not, and that is, as stable as promised."""
    auto = AutoSamples(mask=policy)
    parameters = LimeParameters(num_samples=auto)
    segments = np.arange(superpixels)[:, None].repeat(4, axis=1)
    wrong = right = 0
    for trial in range(trials):
        score = model(np.random.default_rng(trial), superpixels)
        shown = _drawn(trial, superpixels)
        answers = 1 / (1 + np.exp(-score(shown.astype(np.float64))))
        probabilities = np.stack([answers, 1 - answers], axis=1)

        def mask(
            count: int, shown: np.ndarray = shown, probabilities: np.ndarray = probabilities
        ) -> np.ndarray:
            (surrogate,) = fit(shown[:count], probabilities[:count], [0], parameters)
            return binarise(np.maximum(surrogate.weights, 0)[segments], policy)[0]

        count, stable = enough(
            lambda n, shown=shown, probabilities=probabilities: (shown[:n], probabilities[:n]),
            segments,
            0,
            parameters,
            auto,
            seed=trial,
        )
        if stable < auto.confidence:
            continue
        found, true = mask(count), mask(MANY)
        common, union = int(np.count_nonzero(found & true)), int(np.count_nonzero(found | true))
        overlaps = common >= auto.overlap * union
        wrong, right = wrong + (not overlaps), right + overlaps
    return wrong, right


@cache
def _drawn(seed: int, superpixels: int) -> np.ndarray:
    return draw(seed, MANY, superpixels)
