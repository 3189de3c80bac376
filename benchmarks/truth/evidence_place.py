"""Where the evidence lies: how often maps are said to lie on, or off, an object that they know nothing of.

Smooth blobs as maps, anywhere and about the middle, beside discs as objects. For the question whether evidence lies
on the object the maps have, in expectation, the share that is the limit of yes and no. For right against wrong answers
a third of the images are wrong, and their maps are as the others.
"""

from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from xai_assets.evaluation.evidence_place import (
    ANSWERS,
    CHANCE,
    MARGIN,
    ON_OBJECT,
    PlacedMap,
    evidence_places,
)

IMAGES = (6, 12, 30)
SIDE = 32
PULL = 0.5
"""Share of a map's mass that lies on the object, for the power."""

METHODS = ("a", "b", "c")
"""Methods of a study: their questions are one family."""


def rows(trials: int) -> list[dict[str, Any]]:
    """One row a question, place of the maps and number of images: the share of trials in which anything is decided.

    Args:
        trials: studies of each.
    """
    found = []
    for where, centre in (("anywhere", 0.0), ("about the middle", 3.0)):
        for n in IMAGES:
            generator = np.random.default_rng([n, int(centre)])
            limit_pull = _limit(np.random.default_rng([1, int(centre)]), centre)
            none = [_answers(generator, n, centre, 0.0) for _ in range(trials)]
            limit = [_answers(generator, n, centre, limit_pull, every=True) for _ in range(trials)]
            some = [_answers(generator, n, centre, PULL) for _ in range(trials)]
            for question, without in ((CHANCE, none), (ANSWERS, none), (ON_OBJECT, limit)):
                decided = float(np.mean([bool(one[question] & {"yes", "no"}) for one in without]))
                found.append(
                    {
                        "family": f"{question}, blobs {where}",
                        "n": n,
                        "decided": decided,
                        "se": float(np.sqrt(max(decided * (1 - decided), 1 / trials) / trials)),
                        "power": float(np.mean(["yes" in one[question] for one in some])),
                        "effect": PULL,
                        "note": "maps that know nothing of the object, or at the limit; power: half of their mass on it",
                    }
                )
    return found


def _limit(generator: np.random.Generator, centre: float, draws: int = 600) -> float:
    """The pull at which maps have, in expectation, just the share of their objects that is the limit of yes and no.

    A map's share of its object is (1 - p) a + p, that of another's (1 - p) a + p o: objects lie mostly in the middle and
    overlap, so that a pull raises chance as well. The limit is chance and MARGIN of what is left to 1.
    """
    discs = np.stack([_disc(generator).ravel() for _ in range(draws)]).astype(float)
    maps = np.stack([_map(generator, one.reshape(SIDE, SIDE) > 0, centre, 0.0).ravel() for one in discs])
    overlaps = discs @ (discs / discs.sum(axis=1, keepdims=True)).T
    a = float((maps @ discs.T).mean())
    o = float(overlaps[~np.eye(draws, dtype=bool)].mean())
    return MARGIN * (1 - a) / (1 - MARGIN * a - (1 - MARGIN) * o)


def _answers(
    generator: np.random.Generator, n: int, centre: float, pull: float, *, every: bool = False
) -> dict[str, set[str]]:
    """By question the answers of a study of three methods; maps of wrong answers have no pull, but where all have it."""
    discs = [_disc(generator) for _ in range(n)]
    wrong = n // 3
    maps = [
        PlacedMap(f"{at}", 0, "class", method, at >= wrong, _map(generator, mask, centre, own), mask)
        for method in METHODS
        for at, mask in enumerate(discs)
        for own in [pull if every or at >= wrong else 0.0]
    ]
    tests = evidence_places([maps], seed=n).tests
    return {question: set(of["answer"]) for question, of in tests.groupby("question")}


def _disc(generator: np.random.Generator) -> np.ndarray:
    y, x = generator.uniform(6, SIDE - 6, 2)
    rows_, columns = np.indices((SIDE, SIDE))
    return np.asarray((rows_ - y) ** 2 + (columns - x) ** 2 <= 25)


def _map(generator: np.random.Generator, mask: np.ndarray, centre: float, pull: float) -> np.ndarray:
    """A positive map of noise, with `pull` of its mass spread evenly over the object."""
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    middle = centre * np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * (SIDE / 4) ** 2))
    noise = gaussian_filter(generator.standard_normal((SIDE, SIDE)), 3.0)
    values = np.exp(noise / noise.std() + middle)
    return np.asarray((1 - pull) * values / values.sum() + pull * mask / mask.sum(), dtype=np.float32)
