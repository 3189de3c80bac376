"""Weighted pointwise mutual information, soft and not: the images that drive a unit most, and what they show."""

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from xai_assets.dissection.concept_space import ConceptSpace, Softmax
from xai_assets.dissection.parameters import WPMI, SoftWPMI
from xai_assets.dissection.ranking import top_images
from xai_assets.dissection.similarity.enough import check_images
from xai_assets.dissection.similarity.scorer import affordable, differing

LOG_RANGE = 80.0
"""A float32 product keeps its precision while its logarithm is within this of 0 (the type ends at 88)."""


UNITS = 512
"""Lists whose products are taken together: their arrays stay in the cache, and are too small for torch to split among
threads, which would cost more than it gains."""

Lists = list[np.ndarray]
"""For every UNITS units, their images: int64 (k, u)."""


class Pointwise:
    """soft-WPMI and WPMI (Oikarinen & Weng 2023, sections 3 and A; the authors' `similarity.py`).

    With P = softmax over concepts of a x cosine, and images x_0, x_1, ... by falling activation of unit k,

        soft:  log p(x_k|t) = sum_r log(1 + p_r (P[x_r, t] - 1) + min_prob),   p_r = p_start - r / top_k (p_start - p_end)
        WPMI:  log p(x_k|t) = sum_r log(P[x_r, t] + min_prob)
        score(k, t) = log p(x_k|t) - lam (logsumexp_k' log p(x_k'|t) - log u),   in nats.

    This is the authors' code. min_prob stands in the code only; there the last image's p_r is one step above
    p_end; and the concept's general frequency is the mean over the layer's units, silent ones too, so that a layer
    is scored whole.

    The null: random orderings of the images, each the list that a unit would have which knows nothing of them. Such a
    list does not depend on the unit, so one set serves all. It is scored as one more unit of the layer: its general
    frequency is the mean over the layer's real units and itself, as a real unit's is over all real units, its own
    share in it. One null (r,) serves all units of a layer.

    Where images come in groups, a list that knows nothing of them still has the images of a group together, as far as
    the unit has them so. `orders` then are permutations of whole groups: each puts other images into every unit's own
    list, which gives each unit a null of its own, (r, u).

    A factor is 1 - p_r + min_prob times 1 + q_r P with q_r = p_r / (1 - p_r + min_prob): the first is a constant, and a
    product of many of the second stays near 1, so that one float32 logarithm serves as many factors as the bounds
    of P allow (soft-WPMI with CLIP: all hundred). Sums and what follows are float64.

    Args:
        space: images and concepts.
        layers: (n, u) each, pooled.
        parameters: of the function.
        draws: random lists; 0 for no null.
        seed: they follow from it.
        orders: int (r, n), permutations of the images in groups, which take the place of the random lists.
        ids: the images' names, by which images that drive a unit equally are ordered; None: their numbers.
        together: without draws: so many units after each other are scored as a layer of their own.

    Raises:
        XaiError: fewer than `top_k` images.
    """

    widths: tuple[int, ...] = (128, 64, 32, 16, 8)

    def __init__(
        self,
        space: ConceptSpace,
        layers: Sequence[np.ndarray],
        parameters: SoftWPMI | WPMI,
        draws: int,
        seed: int,
        orders: np.ndarray | None = None,
        ids: Sequence[str] | None = None,
        together: int | None = None,
    ) -> None:
        check_images(parameters, space.images)
        top_k = parameters.top_k
        self.ranked = [differing(layer) for layer in layers]
        self._images, self._lam = space.images, parameters.lam
        self._softmax = space.softmax(parameters.a)
        self._terms: _Terms = (
            _Soft(parameters, self._softmax)
            if isinstance(parameters, SoftWPMI)
            else _Plain(parameters, self._softmax)
        )
        self._lists = [_by_rank(top_images(layer, top_k, ids=ids)) for layer in layers]
        generator = np.random.default_rng(seed)
        alone = draws if orders is None else 0
        drawn = [generator.choice(space.images, top_k, replace=False) for _ in range(alone)]
        self._drawn = _by_rank(np.column_stack(drawn)) if alone else None
        self._orders = orders
        self._together = together
        self._units = max(layer.shape[1] for layer in layers)
        self._draws = alone

    def bytes_at(self, width: int) -> int:
        """P; five float64 arrays of the largest layer, and as many of the null; and a product with its factors."""
        return width * (4 * self._images + 40 * self._units + 40 * self._draws + 12 * UNITS)

    def score(self, cosines: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """See `Scorer`."""
        probability = self._terms.prepare(self._softmax.of(cosines, torch.empty(cosines.shape)))  # n b
        drawn = None if self._drawn is None else self._given(probability, self._drawn)  # r b
        shift = (1 - self._lam) * self._terms.constant
        for lists in self._lists:
            given = self._given(probability, lists)  # u b
            if self._together is not None:
                yield self._apart(given, self._together).add_(shift).float(), None
                continue
            total = torch.logsumexp(given, dim=0)  # b
            units = len(given)
            scores = given.sub_(self._lam * (total - math.log(units))).add_(shift).float()
            if self._orders is not None:
                permuted = [
                    self._largest(self._given(probability, [order[part] for part in lists]), total, units)
                    for order in affordable(self._orders, units)
                ]  # r times u
                yield scores, torch.stack(permuted) + shift
            elif drawn is not None:
                yield scores, self._largest(drawn, total, units) + shift
            else:
                yield scores, None

    def _apart(self, given: Tensor, units: int) -> Tensor:
        """Scores of layers of so many units each, one after the other: float64 (layers times units, b)."""
        layers = given.view(-1, units, given.shape[1])
        total = torch.logsumexp(layers, dim=1, keepdim=True)
        return (layers - self._lam * (total - math.log(units))).view(given.shape)

    def _largest(self, given: Tensor, total: Tensor, units: int) -> Tensor:
        """The best score of each list, as one more unit of the layer: log p(x|t) (r, b) -> float64 (r,)."""
        joined = torch.logaddexp(total, given).sub_(math.log(units + 1))  # r b
        return (given - self._lam * joined).amax(1)

    def _given(self, probability: Tensor, lists: Lists) -> Tensor:
        """log p(x|t) less its constant: float64 (u, b)."""
        found, rows = [], probability.numpy()
        for ranks in lists:
            total = torch.zeros(ranks.shape[1], probability.shape[1], dtype=torch.float64)
            product, picked = (torch.empty(total.shape) for _ in range(2))
            into = picked.numpy()
            for start in range(0, len(ranks), self._terms.group):
                product.fill_(1)
                for rank in range(start, min(start + self._terms.group, len(ranks))):
                    rows.take(ranks[rank], axis=0, out=into, mode="clip")  # the fastest gather
                    self._terms.multiply(product, picked, rank)
                total += product.log_()
            found.append(total)
        return torch.cat(found)


def _by_rank(images: np.ndarray) -> Lists:
    """Lists of images (k, u), split."""
    return [np.ascontiguousarray(images[:, at : at + UNITS]) for at in range(0, images.shape[1], UNITS)]


class _Terms(Protocol):
    """The factors of a product: `constant` is the logarithm of what is left out of them, `group` how many fit."""

    constant: float
    group: int

    def prepare(self, probability: Tensor) -> Tensor: ...

    def multiply(self, product: Tensor, picked: Tensor, rank: int) -> None: ...


class _Soft:
    """1 + q_r P, at least 1."""

    def __init__(self, parameters: SoftWPMI, softmax: Softmax) -> None:
        ranks = np.arange(parameters.top_k) / parameters.top_k
        inside = parameters.p_start - ranks * (parameters.p_start - parameters.p_end)
        outside = 1 - inside + parameters.min_prob
        self.constant = float(np.log(outside).sum())
        self._odds = [float(odds) for odds in inside / outside]
        self.group = max(1, int(LOG_RANGE / math.log1p(max(self._odds) * softmax.largest)))

    def prepare(self, probability: Tensor) -> Tensor:
        return probability

    def multiply(self, product: Tensor, picked: Tensor, rank: int) -> None:
        product.addcmul_(product, picked, value=self._odds[rank])


class _Plain:
    """(P + min_prob) / s, with s amid its bounds."""

    def __init__(self, parameters: WPMI, softmax: Softmax) -> None:
        low, high = (math.log(bound + parameters.min_prob) for bound in (softmax.smallest, softmax.largest))
        self._scale = math.exp(-(low + high) / 2)
        self._shift = parameters.min_prob * self._scale
        self.constant = parameters.top_k * (low + high) / 2
        self.group = max(1, int(LOG_RANGE / max((high - low) / 2, 1e-3)))

    def prepare(self, probability: Tensor) -> Tensor:
        return probability.mul_(self._scale).add_(self._shift)

    def multiply(self, product: Tensor, picked: Tensor, rank: int) -> None:
        product.mul_(picked)
