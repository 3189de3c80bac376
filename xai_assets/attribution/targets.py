"""What a map explains: the score of a class, or how far the score of one class is above that of another.

The difference answers "why this class rather than that one" (Prabhushankar et al. 2020, arXiv:2008.00178;
Yin & Neubig 2022, doi:10.18653/v1/2022.emnlp-main.14, who take gradients and erasures of it). It is the difference of
the two logits, which softmax makes the log-odds of the two classes: z_a - z_b = log(p_a / p_b), whatever the other
classes do. Methods take it where they take a class's logit. Where a method takes a class's probability:

- LIME fits the log-odds. A surrogate of p_a - p_b would be the difference of the two classes' surrogates, and say nothing
  that their maps do not.
- What is measured in 0..1 (ScoreCAM's `increase`, faithfulness) takes p_a / (p_a + p_b) = sigmoid(z_a - z_b): the
  probability of the one class, if it has to be one of the two.

What belongs here is how a target is read off scores. Which images are asked what is the study's: `analysis.differences`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from xai_assets.attribution.errors import AttributionError
from xai_assets.vision.outputs import probabilities

Scores = TypeVar("Scores", Tensor, np.ndarray)


@dataclass(frozen=True)
class Target:
    """A class, or the difference of two.

    Attributes:
        index: the class whose evidence is sought.
        contrast: the class that it is held against; None: the class is asked about alone.

    Raises:
        AttributionError: a class that is held against itself.
    """

    index: int
    contrast: int | None = None

    def __post_init__(self) -> None:
        if self.contrast == self.index:
            raise AttributionError(
                f"the class {self.index} rather than itself",
                "is a difference of 0, which every image has",
                "Name another class, or leave `contrast` out.",
            )

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes that scores are needed of."""
        return (self.index,) if self.contrast is None else (self.index, self.contrast)

    def score(self, logits: Scores) -> Scores:
        """The logit of the class, or the difference of the two logits: (... k) -> (...)."""
        if self.contrast is None:
            return logits[..., self.index]
        return logits[..., self.index] - logits[..., self.contrast]

    def probability(self, logits: Tensor) -> Tensor:
        """In 0..1: the softmax probability of the class, or of the class among the two: n k -> n."""
        if self.contrast is None:
            return probabilities(logits)[:, self.index]
        return torch.sigmoid(self.score(logits))

    def fitted(self, chances: np.ndarray) -> np.ndarray:
        """What LIME's surrogate is fitted to: the probability, or the log-odds: n k float64 probabilities -> n float64.

        Raises:
            AttributionError: one of the two classes has a probability of 0, so that there are no odds.
        """
        if self.contrast is None:
            return chances[:, self.index]
        pair = chances[:, [self.index, self.contrast]]
        if not pair.all():
            raise AttributionError(
                f"the difference of the classes {self.index} and {self.contrast}",
                f"has no log-odds: {int((pair == 0).any(axis=1).sum())} of {len(pair)} perturbed images have a "
                "probability of exactly 0 for one of them",
                "Look at the scale of the model's scores: some differ by more than 700.",
            )
        return np.log(pair[:, 0]) - np.log(pair[:, 1])


Asked = int | Target
"""A target; a number means the class alone."""


def as_target(asked: Asked) -> Target:
    """A target, of a number too."""
    return asked if isinstance(asked, Target) else Target(int(asked))


def scores_of(logits: Tensor, targets: Sequence[Target]) -> Tensor:
    """Each image's own target score: n k and n targets -> n."""
    return torch.stack([target.score(row) for row, target in zip(logits, targets, strict=True)])
