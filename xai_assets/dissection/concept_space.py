"""Probe images and concepts in one space: their cosines in strips, and what depends on these two alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from xai_assets.errors import XaiError

STRIP = 128
"""Concepts whose cosines are computed together. It is fixed, because a matrix product may round differently when its
shape changes; wide enough that it runs at full speed."""

ROWS = 4096
"""Images whose cosines are computed together; fixed for the same reason."""

TILE = 2**19
"""Cosines that the softmax statistics take together where they are there already: whole rows, that stay in the cache."""

LONGEST = 1.001
"""A cosine of float32 vectors may exceed 1 by rounding."""

MEMORY = 2**30
"""Bytes that scoring may use unless told otherwise."""


@dataclass(frozen=True)
class Softmax:
    """What turns cosines into the probability of each concept given an image.

    P[x, t] = exp(a cosine[x, t] - log_total[x])

    Attributes:
        a: scale of the cosine.
        log_total: float32 (n, 1), each image's logsumexp of a times its cosines.
        smallest, largest: no P is below the one, and none above the other.
    """

    a: float
    log_total: Tensor
    smallest: float
    largest: float

    def of(self, cosines: Tensor, out: Tensor) -> Tensor:
        """P of some concepts, into `out`: (n, b) -> (n, b)."""
        return torch.add(-self.log_total, cosines, alpha=self.a, out=out).exp_()


class ConceptSpace:
    """Cosines of n images with c concepts, never held more than once and, where memory is short, not even once.

    The softmax statistics depend on the probe set and the concept list only: they are computed at first use and
    serve every layer and model that is scored in this space.

    Args:
        image_features: (n, d), need not be of length 1.
        text_features: (c, d), need not be of length 1.
        memory: bytes that the space and the scoring in it may use, apart from input and result. The cosines are
            kept when they take no more than three quarters of it, and computed anew for every pass when they take more;
            the numbers are the same.

    Raises:
        XaiError: widths differ, an embedding is zero or not finite, fewer than two concepts.
    """

    def __init__(
        self, image_features: np.ndarray, text_features: np.ndarray, *, memory: int = MEMORY
    ) -> None:
        images = torch.from_numpy(_unit_length(image_features, "image"))
        texts = torch.from_numpy(_unit_length(text_features, "text"))
        if images.shape[1] != texts.shape[1]:
            raise XaiError(
                "image and text features",
                f"they have {images.shape[1]} and {texts.shape[1]} dimensions",
                "Embed both with one encoder.",
            )

        def cosines(columns: slice) -> Tensor:
            words = texts[columns].T
            out = self._room(columns.stop - columns.start)
            for start in range(0, len(images), ROWS):
                rows = slice(start, start + ROWS)
                torch.mm(images[rows], words, out=out[rows])  # r d, d b -> r b
            return out

        self._set_up(len(images), len(texts), cosines, memory)
        self._keep = 4 * self.images * self.concepts <= memory * 3 // 4

    @classmethod
    def from_similarity(cls, similarity: np.ndarray, *, memory: int = MEMORY) -> Self:
        """A space whose cosines (n, c) are there already; no other copy of them is made.

        Raises:
            XaiError: values that are no cosines, or not finite, fewer than two concepts.
        """
        matrix = torch.from_numpy(np.asarray(similarity, np.float32))
        space = cls.__new__(cls)
        space._set_up(matrix.shape[0], matrix.shape[1], lambda columns: matrix[:, columns], memory)
        space._matrix = matrix
        lowest, highest = torch.aminmax(matrix)
        if not (-LONGEST <= float(lowest) <= float(highest) <= LONGEST):  # not so for NaN
            raise XaiError(
                "the similarities",
                "they hold values that are no cosines, or not finite",
                "Check the encoder.",
            )
        return space

    def _set_up(self, images: int, concepts: int, cosines: Callable[[slice], Tensor], memory: int) -> None:
        if concepts < 2:
            raise XaiError(
                "the concept list",
                f"it has {concepts} concept; a best one needs another to be better than",
                "Add concepts.",
            )
        self.images, self.concepts, self._memory = images, concepts, memory
        self._cosines, self._keep = cosines, False
        self._matrix: Tensor | None = None
        self._kept: dict[int, Tensor] = {}
        self._buffer: Tensor | None = None
        self._softmax: dict[float, Softmax] = {}

    @property
    def free(self) -> int:
        """Bytes of its memory that the space leaves to the scoring."""
        return self._memory - 4 * self.images * (self.concepts if self._keep else STRIP)

    def forget(self) -> None:
        """Keep no cosines from now on: slower, and more is left for the scoring."""
        self._keep, self._kept = False, {}

    def strips(self) -> Iterator[tuple[slice, Tensor]]:
        """The cosines, a strip of concepts at a time, in order: float32 (n, b).

        b is a multiple of STRIP except in the last. A strip is not to be changed, and holds until the next one.
        """
        for start in range(0, self.concepts, STRIP):
            columns = slice(start, min(start + STRIP, self.concepts))
            strip = self._kept.get(start)
            if strip is None:
                strip = self._cosines(columns)
            if self._keep:
                self._kept[start] = strip
            yield columns, strip

    def _room(self, width: int) -> Tensor:
        """Where a strip is computed: one place for all, unless they are kept."""
        if self._keep:
            return torch.empty(self.images, width)
        if self._buffer is None:
            self._buffer = torch.empty(self.images * STRIP)
        return self._buffer[: self.images * width].view(self.images, width)

    def softmax(self, a: float) -> Softmax:
        """The softmax over all concepts of a x cosine, for every image; computed once."""
        if a not in self._softmax:
            self._softmax[a] = self._statistics(a)
        return self._softmax[a]

    def _statistics(self, a: float) -> Softmax:
        peak = torch.full((self.images, 1), -torch.inf)
        total = torch.zeros(self.images, 1, dtype=torch.float64)
        weights = torch.empty(0)
        for rows, block in self._tiles():
            if weights.shape != block.shape:
                weights = torch.empty(block.shape)
            higher = torch.maximum(peak[rows], block.amax(1, keepdim=True))
            total[rows] *= torch.exp(a * (peak[rows] - higher).double())
            total[rows] += torch.add(-a * higher, block, alpha=a, out=weights).exp_().sum(1, keepdim=True)
            peak[rows] = higher
        log_total = a * peak.double() + total.log()
        smallest = float(torch.exp(-a - log_total).min())  # no cosine is below -1
        return Softmax(a, log_total.float(), smallest, float(1 / total.min()))

    def _tiles(self) -> Iterator[tuple[slice, Tensor]]:
        """All cosines, in the order in which they are quickest: some images with all concepts, or all with some."""
        if self._matrix is None:
            yield from ((slice(None), strip) for _, strip in self.strips())
            return
        step = max(1, TILE // self.concepts)
        for start in range(0, self.images, step):
            rows = slice(start, start + step)
            yield rows, self._matrix[rows]


def _unit_length(features: np.ndarray, kind: str) -> np.ndarray:
    features = np.asarray(features, dtype=np.float32)
    length: np.ndarray = np.linalg.norm(features, axis=1, keepdims=True)
    bad = ~(np.isfinite(length) & (length > 0))
    if bad.any():
        raise XaiError(
            f"{kind} embedding {int(np.argmax(bad))}",
            "it is zero or not finite",
            "Check the encoder's weights and its input.",
        )
    return features / length
