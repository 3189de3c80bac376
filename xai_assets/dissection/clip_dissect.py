"""CLIP-Dissect (Oikarinen & Weng 2023): which concept do the images that drive a unit have in common?"""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor

from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.exchangeable import image_permutations, nontrivial
from xai_assets.dissection.parameters import (
    WPMI,
    ClipDissect,
    CosSimilarity,
    CosSimilarityCubed,
    RankReorder,
    SoftWPMI,
)
from xai_assets.dissection.ranking import BestTwo, top_images
from xai_assets.dissection.similarity.cosine import Cosine
from xai_assets.dissection.similarity.pointwise import Pointwise
from xai_assets.dissection.similarity.rank_reorder import RankReordering
from xai_assets.dissection.similarity.scorer import Scorer
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent

__all__ = ["LayerConcepts", "dissect", "similarity_scores", "top_images"]

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class LayerConcepts:
    """What CLIP-Dissect finds for the units of one layer.

    Attributes:
        concepts: int64 (u, 2), the best and the second best concept.
        scores: float32 (u, 2), theirs.
        ranked: bool (u,), False where a unit's activations do not differ and its scores say nothing.
        null: the best concept's score for random orderings of the images, float64 (r,) for all units or (r, u); None
            where no draws were asked for. How it is drawn stands with each similarity function.
            Where images come in groups it is (r, u), under permutations of whole groups.
    """

    concepts: np.ndarray
    scores: np.ndarray
    ranked: np.ndarray
    null: np.ndarray | None


def dissect(
    space: ConceptSpace,
    layers: Mapping[K, np.ndarray],
    parameters: ClipDissect,
    *,
    seed: int = 0,
    groups: np.ndarray | None = None,
    ids: Sequence[str] | None = None,
    progress: Progress = silent,
) -> dict[K, LayerConcepts]:
    """The two best concepts of every unit, and the null of the best one's score.

    Concepts are taken in blocks, of which only the best scores are kept; the block's width follows from the space's
    memory and changes no number, and neither does which layers are given together.

    Args:
        space: probe images and concepts.
        layers: pooled activations (n, u), the images in the order of the space; each layer whole.
        parameters: the similarity function's, with the number of permutations.
        seed: the permutations follow from it.
        groups: int (n,), the group of each image, such as crops of one photograph; None: each is one of its own. Groups
            are permuted as wholes (`exchangeable.image_permutations`). Each unit then has a null of its own, and a wide
            layer takes only the first of the permutations (`similarity.scorer.affordable`).
        ids: the images' names, by which images that drive a unit equally are ordered; None: their numbers.
        progress: called after each block with concepts done and in all (times the rounds that are needed).

    Raises:
        XaiError: activations of another number of images or not finite, too few images for the parameters, or less
            memory than the narrowest block needs.
    """
    found: dict[K, LayerConcepts] = {}
    grouped = nontrivial(groups)
    # Pointwise information shares its null between layers; the others would only need more memory at once.
    together = isinstance(parameters, (SoftWPMI, WPMI))
    rounds = [list(layers)] if together else [[name] for name in layers]
    for number, names in enumerate(some for some in rounds if some):
        _check(space, {name: layers[name] for name in names})
        orders = None
        if grouped is not None:
            orders = image_permutations(space.images, parameters.permutations, seed=seed, groups=grouped)
        scorer = _scorer(
            space, [layers[name] for name in names], parameters, parameters.permutations, seed, orders, ids
        )
        best = [BestTwo(layers[name].shape[1]) for name in names]
        nulls: list[np.ndarray | None] = [None] * len(names)
        for start, index, scores, null in _blocks(space, scorer):
            best[index].add(start, scores.numpy())
            if null is not None:
                before, drawn = nulls[index], null.double().numpy()
                nulls[index] = drawn if before is None else np.maximum(before, drawn)
            progress(number * space.concepts + start, len(rounds) * space.concepts)
        for name, two, ranked, largest in zip(names, best, scorer.ranked, nulls, strict=True):
            found[name] = LayerConcepts(two.concepts, two.scores, ranked, largest)
    return found


def similarity_scores(space: ConceptSpace, activations: np.ndarray, parameters: ClipDissect) -> np.ndarray:
    """The similarity of every unit of one layer with every concept: float32 (u, c).

    Args:
        space: probe images and concepts.
        activations: (n, u), pooled; the layer whole.
        parameters: the similarity function's.

    Raises:
        XaiError: as `dissect`.
    """
    _check(space, {"": activations})
    scores = np.empty((activations.shape[1], space.concepts), np.float32)
    for start, _, block, _ in _blocks(space, _scorer(space, [activations], parameters, 0, 0)):
        scores[:, start : start + block.shape[1]] = block.numpy()
    return scores


def best_words(
    space: ConceptSpace,
    activations: np.ndarray,
    parameters: ClipDissect,
    *,
    together: int | None = None,
    ids: Sequence[str] | None = None,
) -> np.ndarray:
    """The best concept of every unit: int64 (u,).

    Args:
        space: probe images and concepts.
        activations: (n, u), pooled.
        parameters: the similarity function's.
        together: so many units after each other are a layer of their own; None: all are one layer.
        ids: the images' names.

    Raises:
        XaiError: as `dissect`.
    """
    _check(space, {"": activations})
    scorer = _scorer(space, [activations], parameters, 0, 0, ids=ids, together=together)
    best = BestTwo(activations.shape[1])
    for start, _, scores, _ in _blocks(space, scorer):
        best.add(start, scores.numpy())
    return best.concepts[:, 0]


def _scorer(
    space: ConceptSpace,
    layers: list[np.ndarray],
    parameters: ClipDissect,
    draws: int,
    seed: int,
    orders: np.ndarray | None = None,
    ids: Sequence[str] | None = None,
    together: int | None = None,
) -> Scorer:
    match parameters:
        case SoftWPMI() | WPMI():
            return Pointwise(space, layers, parameters, draws, seed, orders, ids, together)
        case RankReorder():
            return RankReordering(space, layers[0], parameters, draws, seed, orders, ids)
        case CosSimilarity() | CosSimilarityCubed():
            return Cosine(space, layers[0], parameters, draws, seed, orders)


def _blocks(space: ConceptSpace, scorer: Scorer) -> Iterator[tuple[int, int, Tensor, Tensor | None]]:
    """First concept, index of the layer, scores and null, for each block of concepts and each layer."""
    width = _width(space, scorer)
    for columns, strip in space.strips():
        for at in range(0, strip.shape[1], width):
            cosines = strip[:, at : at + width]
            for index, (scores, null) in enumerate(scorer.score(cosines)):
                yield columns.start + at, index, scores, null


def _width(space: ConceptSpace, scorer: Scorer) -> int:
    """The best width that fits; the space gives up the cosines that it keeps before the blocks grow narrower."""
    for _ in range(2):
        for width in scorer.widths:
            if scorer.bytes_at(width) <= space.free:
                return width
        space.forget()
    missing = scorer.bytes_at(min(scorer.widths)) - space.free
    raise XaiError(
        "clip_dissect.memory_mib",
        f"the scoring needs {math.ceil(missing / 2**20)} MiB more for {space.images} images",
        "Raise it, or use fewer images or permutations.",
    )


def _check(space: ConceptSpace, layers: Mapping[K, np.ndarray]) -> None:
    for name, activations in layers.items():
        layer = f"the activations of {' '.join(name) if isinstance(name, tuple) else name}".rstrip()
        if len(activations) != space.images:
            raise XaiError(
                layer,
                f"they are of {len(activations)} images, the similarities of {space.images}",
                "Take both from one probe set.",
            )
        finite = np.isfinite(activations)
        if not finite.all():
            image, unit = np.argwhere(~finite)[0]
            raise XaiError(
                layer,
                f"unit {unit} is not a finite number on image {image}",
                "Check the model's weights and preprocessing.",
            )
