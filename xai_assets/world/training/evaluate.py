"""Measuring the shipped weights on scenes they have not met."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from xai_assets.dissection.clip_dissect import similarity_scores
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import SoftWPMI
from xai_assets.dissection.presence import WordTruth
from xai_assets.dissection.presence_null import presence_null
from xai_assets.dissection.ranking import top_images
from xai_assets.world.concepts import concepts
from xai_assets.world.training.batches import normalise
from xai_assets.world.training.examples import COLUMN, WORDS, Examples, held_out
from xai_assets.world.vocabulary import CATEGORIES, CLASSES, SCENES, VOCABULARY

PRESENCE_CATEGORIES = ("part", "material", "texture", "color")
"""Categories over whose concepts the mean presence AUC is taken."""
_FEWEST = 10  # an AUC of fewer pictures with, or without, a concept says nothing
_BATCH = 100
_LEAST = 1e-4  # a unit whose mean activation is never above it is not active

SOFTMAX_SCALE = 0.5
"""`a` of soft-WPMI for this encoder. The published 10 is for CLIP, whose cosines with a concept list differ by about
0.03; these differ by about 0.2. At 10 the softmax is all but one-hot, its sum over a unit's pictures differs by tens of
nats between units, and what soft-WPMI takes off for a concept's frequency is then the best unit's score: the word that
is told worst wins."""

TextEmbedding = Callable[[list[str]], np.ndarray]
"""Texts to unit vectors, float32 (m, d)."""


@torch.inference_mode()
def predictions(network: nn.Module, images: np.ndarray, device: str = "cpu") -> np.ndarray:
    """The class a classifier finds most probable: uint8 n h w 3 -> int64 n."""
    chunks = [images[start : start + _BATCH] for start in range(0, len(images), _BATCH)]
    found = [network(normalise(torch.from_numpy(chunk).to(device))).argmax(1).cpu() for chunk in chunks]
    return torch.cat(found).numpy()


def accuracy(predicted: np.ndarray, truth: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Share of right answers, 0..1: of all ("all") and of every class by name; classes without scenes are left out."""
    shares = {"all": float((predicted == truth).mean())}
    for index, name in enumerate(names):
        if (truth == index).any():
            shares[name] = float((predicted[truth == index] == index).mean())
    return shares


def presence_auc(score: np.ndarray, present: np.ndarray) -> float | None:
    """Area under the ROC curve of a score (n,) for presence (n,); chance is 0.5; None with too few of either kind."""
    positives = int(present.sum())
    if min(positives, len(present) - positives) < _FEWEST:
        return None
    # Mann-Whitney's statistic; cosines of floats hardly ever tie.
    ranks = score.argsort(kind="stable").argsort(kind="stable")
    return float((ranks[present].mean() - (positives - 1) / 2) / (len(present) - positives))


@dataclass(frozen=True)
class ZeroShot:
    """What an image-text encoder tells from the cosine of a picture with words alone.

    Attributes:
        object, scene: accuracy by `accuracy`.
        auc: concept to its presence AUC, by category.
        cosine_present, cosine_absent: mean cosine of a picture with words that are true of it and with those that
            are not.
    """

    object: dict[str, float]
    scene: dict[str, float]
    auc: dict[str, dict[str, float]]
    cosine_present: float
    cosine_absent: float

    def category_auc(self) -> dict[str, float]:
        """Mean presence AUC of every category's concepts."""
        return {
            category: float(np.mean(list(found.values()))) for category, found in self.auc.items() if found
        }

    def mean_auc(self) -> float:
        """Mean presence AUC over all part, material, texture and colour concepts."""
        return float(np.mean([value for c in PRESENCE_CATEGORIES for value in self.auc[c].values()]))


def zero_shot(
    images: np.ndarray, embed_texts: TextEmbedding, examples: Examples, template: str = "a photo of {}"
) -> ZeroShot:
    """Measure an encoder on scenes with one target each.

    Args:
        images: float32 (n, d), unit vectors of the scenes' pictures.
        embed_texts: of the same encoder.
        examples: the scenes.
        template: the prompt.
    """
    cosines = images @ embed_texts([template.format(word) for word in WORDS]).T  # n d, words d -> n words
    present = examples.present

    def chosen(words: Sequence[str]) -> np.ndarray:
        return cosines[:, [COLUMN[word] for word in words]].argmax(1)

    auc: dict[str, dict[str, float]] = {category: {} for category in CATEGORIES}
    for category in CATEGORIES:
        for word in VOCABULARY[category]:
            value = presence_auc(cosines[:, COLUMN[word]], present[:, COLUMN[word]])
            if value is not None:
                auc[category][word] = value
    return ZeroShot(
        accuracy(chosen(CLASSES), examples.target, CLASSES),
        accuracy(chosen(SCENES), examples.scene, SCENES),
        auc,
        float(cosines[present].mean()),
        float(cosines[~present].mean()),
    )


def held_out_accuracy(images: np.ndarray, embed_texts: TextEmbedding, examples: Examples) -> dict[str, float]:
    """Zero-shot object and scene accuracy on pairings that the encoder never met, with their number of scenes."""
    rows = held_out(examples)
    found = zero_shot(images[rows], embed_texts, examples.select(rows))
    return {"scenes": float(rows.sum()), "object": found.object["all"], "scene": found.scene["all"]}


@dataclass(frozen=True)
class WordPresence:
    """Whether CLIP-Dissect's words for the units of a layer are true of the pictures that drive them.

    Attributes:
        majority: share of units whose word is in more than half of their top pictures.
        mean: mean share of top pictures that show the unit's word.
        base_rate: the mean share of all pictures that show a unit's word.
        chance: the mean for words that are chosen for the pictures in another order, and looked for in these
            (`dissection.presence_null`).
        absent: share of units that got a word that names nothing in the world.
        units: live units that were measured.
        words: the word of each.
    """

    majority: float
    mean: float
    base_rate: float
    chance: float
    absent: float
    units: int
    words: tuple[str, ...]


def word_presence(
    images: np.ndarray,
    embed_texts: TextEmbedding,
    pooled: np.ndarray,
    examples: Examples,
    *,
    top_k: int = 100,
    shown: int = 20,
    a: float = SOFTMAX_SCALE,
) -> WordPresence:
    """Dissect a layer with the encoder (soft-WPMI, all concepts and the absent words) and hold it against the labels.

    Args:
        images: float32 (n, d), unit vectors.
        pooled: float32 (n, u), spatial means of the layer's activations on the same pictures.
        examples: the scenes, for what is true of them.
        top_k: how many of a unit's pictures soft-WPMI looks at.
        shown: how many of them the word is held against.
        a: scale of the cosine inside soft-WPMI's softmax; 10 is the published one.
    """
    names = [concept.name for concept in concepts()]
    space, parameters = ConceptSpace(images, embed_texts(names)), SoftWPMI(top_k=top_k, a=a)
    scores = similarity_scores(space, pooled, parameters)
    best, top = scores.argmax(1), top_images(pooled, shown)
    present = np.zeros((len(examples), len(names)), bool)
    present[:, : len(WORDS)] = examples.present  # the world's words come first, in the same order
    live = np.flatnonzero(pooled.max(0) > _LEAST)
    truth = WordTruth(present, np.ones(len(names), bool))
    null = presence_null(space, pooled, pooled.max(0) > _LEAST, truth, parameters, top_k=shown)
    shares = np.array([present[top[:, unit], best[unit]].mean() for unit in live])
    return WordPresence(
        float((shares > 0.5).mean()),
        float(shares.mean()),
        float(present.mean(0)[best[live]].mean()),
        float("nan") if null is None else null.chance,
        float((best[live] >= len(WORDS)).mean()),
        len(live),
        tuple(names[best[unit]] for unit in live),
    )


@torch.inference_mode()
def pooled_activations(network: nn.Module, layer: str, images: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Spatial means of a layer's output: uint8 n h w 3 -> float32 n u."""
    found: list[torch.Tensor] = []
    handle = network.get_submodule(layer).register_forward_hook(
        lambda module, inputs, output: found.append(output.mean((2, 3)).cpu())
    )
    try:
        predictions(network, images, device)
    finally:
        handle.remove()
    return torch.cat(found).numpy()
