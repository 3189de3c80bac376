"""How often is a word truly present that was chosen by the same images? A null of whole layers in another order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xai_assets.dissection.clip_dissect import best_words
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.exchangeable import image_permutations
from xai_assets.dissection.parameters import ClipDissect
from xai_assets.dissection.presence import WordTruth, presence
from xai_assets.dissection.ranking import top_images

UNITS = 32
"""Units of a layer, evenly spaced, that are tested: fewer only widen the null, and the test stays exact."""

PERMUTATIONS = 199
"""At least; more where a model has many layers, so that Holm's correction leaves something to decide."""

VALUES = 2**24
"""Activations that are put in other orders at a time."""


@dataclass(frozen=True)
class PresenceNull:
    """How often words are truly present in a layer, and in the same layer under permutations of the images.

    Attributes:
        observed: mean presence over the tested units, 0..1.
        null: float64 (r,), the same under each permutation.
    """

    observed: float
    null: np.ndarray

    @property
    def chance(self) -> float:
        """The mean over the permutations."""
        return float(self.null.mean())

    @property
    def p(self) -> float:
        """Two-sided permutation p-value, the observed order counted in, 2 / (r + 1) to 1."""
        draws = len(self.null)
        above, below = (self.null >= self.observed).sum(), (self.null <= self.observed).sum()
        return float(min(1.0, 2 * (1 + min(above, below)) / (1 + draws)))


def permutations_for(layers: int) -> int:
    """As many as let one of a model's layers be decided after Holm's correction, and not fewer than PERMUTATIONS."""
    return max(PERMUTATIONS, 41 * layers)


def presence_null(
    space: ConceptSpace,
    activations: np.ndarray,
    living: np.ndarray,
    truth: WordTruth,
    parameters: ClipDissect,
    *,
    top_k: int,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    ids: Sequence[str] | None = None,
    groups: np.ndarray | None = None,
) -> PresenceNull | None:
    """Mean presence of the words of a layer, and its null.

    A word is chosen BY a unit's top images and then looked for IN them, so that it is there more often than in any
    images, whatever the unit is: by ten points and more for units of pure noise. Here the images of all units together
    are put in another order, and words are chosen and looked for anew. That keeps how units depend on each other and
    breaks what they have to do with the images: if they have nothing to do with them, every order is as likely as
    the observed one, and the test is exact.

    Args:
        space: probe images and concepts.
        activations: (n, u), pooled.
        living: bool (u,), the units that are given words.
        truth: which images show which word.
        parameters: of the similarity function.
        top_k: a unit's top images that are looked at.
        permutations: how many.
        seed: they follow from it.
        ids: the images' names.
        groups: int (n,), images that change places as wholes only.

    Returns:
        None where no unit is active, or the labels know none of the words that the units are given.
    """
    able = np.flatnonzero(living & (np.ptp(activations, axis=0) > 0))
    if not len(able):
        return None
    chosen = able[np.unique(np.linspace(0, len(able) - 1, min(UNITS, len(able))).round().astype(int))]
    values, images = np.ascontiguousarray(activations[:, chosen]), len(activations)
    orders = np.concatenate(
        [
            np.arange(images)[None],
            image_permutations(images, permutations, seed=seed, groups=groups),
        ]
    )
    step = max(1, VALUES // max(1, values.size))
    means = []
    for start in range(0, len(orders), step):
        some = orders[start : start + step]
        layers = np.concatenate([values[order] for order in some], axis=1)  # n, orders times units
        words = best_words(space, layers, parameters, together=len(chosen), ids=ids)
        shares = presence(truth, top_images(layers, top_k, ids=ids), words).reshape(len(some), -1)
        known = np.isfinite(shares)
        means.append(np.where(known, shares, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
        if not start and not known[0].any():
            return None
    found = np.concatenate(means)
    return PresenceNull(float(found[0]), found[1:])
