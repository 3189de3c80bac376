"""A network's input for the same images again and again, made once."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from xai_assets.dissection.passes import batch_of
from xai_assets.dissection.probe import ProbeSet
from xai_assets.vision.classifiers import Classifier

MEMORY = 384 * 2**20
"""Bytes of tensors that are kept, such as 600 images of 224 x 224; batches beyond them are made anew each time."""


class HeldInputs:
    """Batches of images as several networks with one preprocessing are shown them, read and resized once where they fit.

    Args:
        classifier: has the preprocessing and the device.
        probe: the images.
        memory_format: how the batches are to lie.
        memory: bytes of tensors that are kept.
    """

    def __init__(
        self,
        classifier: Classifier,
        probe: ProbeSet,
        *,
        memory_format: torch.memory_format = torch.contiguous_format,
        memory: int = MEMORY,
    ) -> None:
        self._classifier, self._probe, self._format = classifier, probe, memory_format
        self._free, self._kept = memory, dict[tuple[int, ...], tuple[Tensor, np.ndarray]]()

    def __call__(self, indices: Sequence[int]) -> tuple[Tensor, np.ndarray]:
        """As `passes.batch_of`; the batch is the caller's, who may write into it."""
        key = tuple(indices)
        if key not in self._kept:
            batch, boxes = batch_of(self._classifier, self._probe, indices)
            batch = batch.contiguous(memory_format=self._format)
            size = batch.nbytes
            if size > self._free:
                return batch, boxes
            self._free -= size
            self._kept[key] = batch, boxes
        batch, boxes = self._kept[key]
        return batch.clone(), boxes.copy()
