"""Rankings: the images that drive a unit most, and the concepts that fit it best."""

from collections.abc import Sequence

import numpy as np
import torch

from xai_assets.dissection.ties import image_keys, tie_order

UNITS = 64
"""Units whose images are put in order together: sorting takes several times the memory of what it sorts."""


def top_images(
    activations: np.ndarray,
    count: int,
    *,
    ids: Sequence[str] | None = None,
    numbers: Sequence[int] | None = None,
) -> np.ndarray:
    """The images that drive each unit most, strongest first: int64 (count, u).

    Images that drive a unit equally come in a random order of the unit's own (`ties.tie_order`), the same on every
    machine and whatever the order of the images.

    Args:
        activations: (n, u).
        count: images a unit; all n where there are fewer.
        ids: the images' names, which the order of equal ones follows from; None: their numbers.
        numbers: the units' numbers in their layer; None: from 0.
    """
    images, units = activations.shape
    count = min(count, images)
    keys: np.ndarray | None = None
    found = np.empty((count, units), np.int64)
    for start in range(0, units, UNITS):
        some = slice(start, start + UNITS)
        values = torch.from_numpy(np.ascontiguousarray(activations[:, some].T, dtype=np.float32))  # u n
        largest, order = torch.topk(values, min(count + 1, images), dim=1)  # u count (and the next)
        tied = (largest[:, 1:] == largest[:, :-1]).any(1)
        for unit in torch.nonzero(tied)[:, 0].tolist():
            if keys is None:
                keys = image_keys(ids if ids is not None else list(map(str, range(images))))
            number = start + unit if numbers is None else int(numbers[start + unit])
            ranked = np.lexsort((tie_order(keys, number), -values[unit].numpy()))
            order[unit] = torch.from_numpy(ranked[: order.shape[1]])
        found[:, some] = order[:, :count].T.numpy()
    return found


class BestTwo:
    """The two best concepts of every unit, from scores that come a block of concepts at a time, in order.

    Attributes:
        concepts: int64 (u, 2), the best and the second best; the earlier concept where scores are equal.
        scores: float32 (u, 2), theirs.
    """

    def __init__(self, units: int) -> None:
        self.concepts = np.zeros((units, 2), np.int64)
        self.scores = np.full((units, 2), -np.inf, np.float32)

    def add(self, start: int, scores: np.ndarray) -> None:
        """Take in the scores (u, b) of the concepts from `start` on; they are overwritten."""
        units = np.arange(len(scores))
        first = scores.argmax(axis=1)  # the earliest of equal ones
        first_score = scores[units, first]
        scores[units, first] = -np.inf
        second = scores.argmax(axis=1)
        concepts = np.column_stack([self.concepts, start + first, start + second])
        values = np.column_stack([self.scores, first_score, scores[units, second]])
        # Stable, and the earlier concepts stand first: equal scores keep the earlier one.
        best = np.argsort(-values, axis=1, kind="stable")[:, :2]
        self.concepts = np.take_along_axis(concepts, best, axis=1)
        self.scores = np.take_along_axis(values, best, axis=1)
