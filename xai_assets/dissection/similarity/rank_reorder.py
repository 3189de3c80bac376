"""Rank reorder: would the concept put a unit's most activating images into the order that the unit puts them?"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import RankReorder
from xai_assets.dissection.ranking import top_images
from xai_assets.dissection.similarity.enough import check_images, top_count
from xai_assets.dissection.similarity.scorer import affordable, differing

SORTED_LISTS = 2**15
"""Units times permutations of whole groups: each list is put in order anew for each concept."""

MIN_MEAN = 1e-6
"""The smallest mean cosine that an error is divided by. The authors' code takes the root of a negative mean, which is not
a number; here such a concept fits no better than one whose mean is just above 0, which is hardly at all."""

SHIFTS = 512
"""The chance error is taken over this many cyclic shifts of the sorted activations, evenly spread; up to so many images
these are all pairs."""


class RankReordering:
    """rank_reorder (Oikarinen & Weng 2023; the authors' `similarity.py`).

    Of the top_fraction of the images with the largest activations v_1 >= ... >= v_m of a unit, let w_x be the activation
    that image x would have if the concept's cosines g ordered them (the largest cosine gets the largest activation):

        score = - (mean_x |v_x - w_x|^p / baseline) / (mean_x g_x)^scale_p

    `baseline` is the error that a random order has: in the authors' code the mean over five random orders that no
    seed fixes, here the mean over all of them, mean_xy |v_x - v_y|^p. Equal cosines keep the order of the unit, where
    the code's depends on the machine. A unit whose m activations are equal has no order and scores 0.

    The null: random orderings of the images, each with the largest activations of one of the layer's units, drawn in
    turn; r in all, one null (r,) for the layer. It is the null of a unit drawn from the layer: a unit whose activations
    have a heavier tail than its layer's has a wider one of its own. Where images come in groups, `orders` are
    permutations of whole groups, under which each unit's own list meets other images: a null (r, u) by unit.

    Args:
        space: images and concepts.
        layer: (n, u), pooled.
        parameters: of the function.
        draws: random orderings; 0 for no null.
        seed: they follow from it.
        orders: int (r, n), permutations of the images in groups, which take the place of the random orderings.
        ids: the images' names, by which images that drive a unit equally are ordered; None: their numbers.

    Raises:
        XaiError: so few images that `top_fraction` of them are fewer than two.
    """

    widths: tuple[int, ...] = (64, 32, 16, 8)

    def __init__(
        self,
        space: ConceptSpace,
        layer: np.ndarray,
        parameters: RankReorder,
        draws: int,
        seed: int,
        orders: np.ndarray | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        check_images(parameters, space.images)
        count = top_count(parameters, space.images)
        self._parameters = parameters
        images = top_images(layer, count, ids=ids)  # m u
        values = np.take_along_axis(np.asarray(layer, np.float64), images, axis=0)  # m u, falling
        ranked = differing(values)
        self.ranked = [ranked]
        self._baseline = _chance_error(values, parameters.p)  # u
        self._images, self._values = (
            torch.from_numpy(images.T.copy()),
            torch.from_numpy(values.T.copy()),
        )  # u m
        generator = np.random.default_rng(seed)
        able = np.flatnonzero(ranked)
        few = None if orders is None else affordable(orders, layer.shape[1], SORTED_LISTS)
        self._orders = None if few is None else torch.from_numpy(few)
        self._drawn = [
            (
                int(able[draw % len(able)]),
                torch.from_numpy(generator.choice(space.images, count, replace=False)),
            )
            for draw in range(draws if len(able) and orders is None else 0)
        ]

    def bytes_at(self, width: int) -> int:
        """A unit's cosines, their order and errors in float64 three times; the scores; values and lists."""
        units, count = self._images.shape
        return width * (40 * count + 8 * units + 8 * len(self._drawn)) + 8 * count * (
            2 * units + len(self._drawn)
        )

    def score(self, cosines: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """See `Scorer`."""
        scores = torch.zeros(len(self._images), cosines.shape[1])  # u b
        for unit in np.flatnonzero(self.ranked[0]):
            scores[unit] = self._unit(cosines, int(unit), self._images[unit])
        if self._orders is not None:
            null = torch.zeros(len(self._orders), len(scores), dtype=torch.float64)  # r u
            for unit in np.flatnonzero(self.ranked[0]):
                for draw, images in enumerate(self._orders[:, self._images[unit]]):
                    null[draw, unit] = self._unit(cosines, int(unit), images).max()
            yield scores, null
            return
        if not self._drawn:
            yield scores, None
            return
        yield scores, torch.stack([self._unit(cosines, *drawn).max() for drawn in self._drawn])

    def _unit(self, cosines: Tensor, unit: int, images: Tensor) -> Tensor:
        """The scores of one unit's activations on a list of images, the first the largest: float64 (b,)."""
        values, p = self._values[unit], self._parameters.p
        found = cosines[images].T.contiguous()  # b m
        order = torch.sort(
            found, dim=1, descending=True, stable=True
        ).indices  # b m: whose value takes each rank
        error = (values[order] - values).abs_().pow_(p).mean(1) / self._baseline[unit]
        mean = found.mean(1, dtype=torch.float64).clamp_min_(MIN_MEAN)
        return -error / mean**self._parameters.scale_p


def _chance_error(values: np.ndarray, p: float) -> np.ndarray:
    """mean over pairs of |v - v'|^p: (m, u) -> (u,)."""
    count = len(values)
    shifts = np.unique(np.linspace(0, count, min(count, SHIFTS), endpoint=False).astype(int))
    total = np.zeros(values.shape[1])
    for shift in shifts:
        total += (np.abs(values - np.roll(values, shift, axis=0)) ** p).mean(axis=0)
    return total / len(shifts)
