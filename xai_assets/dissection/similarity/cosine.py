"""The cosine between a unit's activations and a concept's similarities, plain and cubed."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from xai_assets.dissection.concept_space import STRIP, ConceptSpace
from xai_assets.dissection.parameters import CosSimilarity, CosSimilarityCubed
from xai_assets.dissection.ranking import top_images
from xai_assets.dissection.similarity.scorer import affordable, differing

TAIL = 16
"""Images of every unit that its null treats one by one: those farthest from its mean, which rule a cubed cosine."""


class Cosine:
    """cos_similarity and cos_similarity_cubed (Oikarinen & Weng 2023; the authors' `similarity.py`).

        cos:    sum_x f(x) g(x) / (|f| |g|),   f = activations of a unit, g = cosines of a concept
        cubed:  the same with f, g = (f - mean f)^3, (g - mean g)^3 and lengths of at least min_norm

    A length of 0 (a unit that is 0 on every image) gives 0 here and NaN in the authors' code.

    The null: permutations of the unit's activations over the images, an own null (r, u) for every unit. Let a unit's
    TAIL images be those whose f is farthest from its mean (f and g of length 1 here), and the others its body, with
    mean m and standard deviation s. For a permutation that puts the tail's values on images x_1, x_2, ..., its score is

        sum_i (f_i - m) g(x_i) + m sum_x g(x) + s D,   D = sum over other x of z(x) g(x),   z = the body, standardised,

    exactly. The tail, m and s are the unit's own. x and z are those of r permutations that all units share, z the body
    of one of the layer's units in turn: so the null's mean, variance and heavy tail are the unit's own, and only the
    shape of the sum over many small terms, which is near a normal one whatever they are, is its neighbours'. Where images
    come in groups, `orders` are permutations of whole groups, and every unit is scored under each of them.

    Args:
        space: images and concepts.
        layer: (n, u), pooled.
        parameters: of the function.
        draws: permutations; 0 for no null.
        seed: they follow from it.
        orders: int (r, n), permutations of the images in groups, which take the place of the others.
    """

    widths: tuple[int, ...] = (STRIP,)  # a matrix product may round differently in another shape

    def __init__(
        self,
        space: ConceptSpace,
        layer: np.ndarray,
        parameters: CosSimilarity | CosSimilarityCubed,
        draws: int,
        seed: int,
        orders: np.ndarray | None = None,
    ) -> None:
        self.ranked = [differing(layer)]
        self._cubed = parameters if isinstance(parameters, CosSimilarityCubed) else None
        values = torch.from_numpy(np.asarray(layer, np.float32))
        self._units = torch.cat([self._direction(part).T for part in values.split(STRIP, dim=1)])  # u n
        self._parts = torch.empty(0)
        self._images = torch.empty(0, 0, dtype=torch.int64)
        self._bodies = torch.empty(0)
        few = None if orders is None else affordable(orders, layer.shape[1])
        self._orders = None if few is None else torch.from_numpy(few)
        if draws and orders is None:
            self._prepare_null(draws, seed)

    def bytes_at(self, width: int) -> int:
        """Activations and permutations, a block's cosines in float64 three times, scores and the null's arrays."""
        units, images = self._units.shape
        drawn = len(self._images)
        return (
            4 * images * (units + drawn) + width * (32 * images + 8 * units + 4 * drawn) + 8 * units * drawn
        )

    def score(self, cosines: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """See `Scorer`."""
        concepts = self._direction(cosines)  # n b
        scores = self._units @ concepts  # u n, n b -> u b
        if self._orders is not None:
            yield scores, torch.stack([(self._units @ concepts[order]).amax(1) for order in self._orders])
            return
        if not len(self._images):
            yield scores, None
            return
        total = concepts.sum(0, dtype=torch.float64).float()  # b
        bodies = self._bodies @ concepts  # r n, n b -> r b
        null = torch.empty(len(bodies), len(scores))  # r u
        terms = torch.empty(self._images.shape[1] + 2, concepts.shape[1])  # tail and 2, b
        terms[-1] = total
        permuted = torch.empty_like(scores)
        for draw, images in enumerate(self._images):
            torch.index_select(concepts, 0, images, out=terms[:-2])
            terms[-2] = bodies[draw]
            torch.mm(self._parts, terms, out=permuted)  # u b
            torch.amax(permuted, 1, out=null[draw])
        yield scores, null

    def _direction(self, values: Tensor) -> Tensor:
        """(n, m) -> float32 (n, m), each column of length 1, cubed where asked."""
        fine = values.double()
        if self._cubed is not None:
            fine = (fine - fine.mean(0)) ** 3
        length = torch.linalg.vector_norm(fine, dim=0)
        if self._cubed is not None:
            length.clamp_min_(self._cubed.min_norm)
        else:
            length.masked_fill_(length == 0, 1)
        return fine.div_(length).float()

    def _prepare_null(self, draws: int, seed: int) -> None:
        values = self._units.numpy().astype(np.float64)  # u n
        units, images = values.shape
        tail = min(TAIL, images // 2)
        far = top_images(np.abs(values - values.mean(axis=1, keepdims=True)).T, tail).T  # u tail
        inside = np.ones(values.shape, bool)
        np.put_along_axis(inside, far, False, axis=1)
        bodies = values[inside].reshape(units, images - tail)
        mean, spread = bodies.mean(axis=1, keepdims=True), bodies.std(axis=1, keepdims=True)
        self._parts = torch.from_numpy(
            np.hstack([np.take_along_axis(values, far, axis=1) - mean, spread, mean]).astype(np.float32)
        )  # u tail and 2
        varied = np.flatnonzero(np.ptp(bodies, axis=1) > 0)
        generator = np.random.default_rng(seed)
        orders = [generator.permutation(images) for _ in range(draws)]
        self._images = torch.from_numpy(np.stack([order[:tail] for order in orders]))  # r tail
        self._bodies = torch.zeros(draws, images)
        for draw, order in enumerate(orders if len(varied) else []):
            unit = varied[draw % len(varied)]
            body = (bodies[unit] - mean[unit]) / spread[unit]
            self._bodies[draw, torch.from_numpy(order[tail:])] = torch.from_numpy(body.astype(np.float32))
