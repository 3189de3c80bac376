"""The words of networks with shuffled weights: how well they fit, and how often they are truly present."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import WPMI, ClipDissect, SoftWPMI
from xai_assets.dissection.presence import WordTruth, presence
from xai_assets.dissection.ranking import top_images
from xai_assets.dissection.shuffled_null import AgainstShuffled, against_shuffled, rank_among
from xai_assets.dissection.significance import z_score

FEWEST_TOP = 10
"""Top images of a unit at least, where a part of the probe set is looked at."""

FEWEST_SHOWN = 5
"""Of these, so many at least say whether the word is present."""

DRAWS = 200
"""Random orderings by which scores are standardised: all networks have the same."""


@dataclass(frozen=True)
class WordControl:
    """The words of one layer, held against those of networks with shuffled weights on the same images.

    Attributes:
        units: the test of units and layer.
        presence: how often the observed network's words are present on these images; None where labels cannot tell.
        presence_shuffled: the mean of the same over the shuffled networks.
        p_presence: the share of the networks in which words are present as often.
    """

    units: AgainstShuffled
    presence: float | None
    presence_shuffled: float | None
    p_presence: float | None


def on_part(parameters: ClipDissect, share: float) -> ClipDissect:
    """The parameters for a part of the probe set: of the top images the same share counts."""
    if isinstance(parameters, SoftWPMI | WPMI) and share < 1:
        top_k = min(parameters.top_k, max(FEWEST_TOP, round(parameters.top_k * share)))
        return parameters.model_copy(update={"top_k": top_k})
    return parameters


def word_control(
    space: ConceptSpace,
    observed: tuple[np.ndarray, np.ndarray],
    shuffled: Sequence[tuple[np.ndarray, np.ndarray]],
    parameters: ClipDissect,
    *,
    ids: Sequence[str],
    truth: WordTruth | None = None,
    truth_top_k: int = FEWEST_SHOWN,
    seed: int = 0,
) -> WordControl:
    """Score a layer's best words as each network has them, on the same images, and compare the networks.

    A unit's score is how far its best word stands out from random orderings of the images, in standard deviations of
    their scores: the similarity itself depends on what else the layer's units stand for, and so on the network.

    Args:
        space: the images that all networks were shown, and the concepts.
        observed: pooled activations (n, u) on these images, and which units are dead (u,).
        shuffled: the same of each shuffled network.
        parameters: for so many images (`on_part`).
        ids: the images' names.
        truth: which of the images show which word.
        truth_top_k: top images a unit that are looked at for it.
        seed: of the random orderings.
    """
    layers: Mapping[int, np.ndarray] = {number: one[0] for number, one in enumerate([observed, *shuffled])}
    dead = [observed[1], *(one[1] for one in shuffled)]
    drawn = parameters.model_copy(update={"permutations": DRAWS})
    found = dissect(space, layers, drawn, seed=seed, ids=ids)
    scores, living, present = [], [], []
    for number, words in found.items():
        assert words.null is not None
        named = words.ranked & ~np.asarray(dead[number], bool)
        z = z_score(np.where(named, words.scores[:, 0], 0.0), words.null)
        named &= np.isfinite(z)
        scores.append(z)
        living.append(named)
        if truth is not None:
            top = top_images(layers[number], truth_top_k, ids=ids)
            shares = presence(truth, top, words.concepts[:, 0])[named]
            present.append(float(np.nanmean(shares)) if np.isfinite(shares).any() else np.nan)
    units = against_shuffled(
        scores[0], living[0], [one[named] for one, named in zip(scores[1:], living[1:], strict=True)]
    )
    others = [share for share in present[1:] if np.isfinite(share)]
    if not present or not np.isfinite(present[0]) or not others:
        return WordControl(units, None, None, None)
    return WordControl(units, present[0], float(np.mean(others)), rank_among(present[0], others))
