"""A probe set whose images stay in memory while several networks are shown the same ones."""

import numpy as np

from xai_assets.dissection.probe import ProbeSet
from xai_assets.vision.images import LoadedImage

MEMORY = 256 * 2**20
"""Bytes of pixels that are kept; images beyond them are read anew each time."""


class HeldProbe:
    """Another probe set's images, decoded once as far as they fit.

    Args:
        of: the probe set.
        memory: bytes of pixels that are kept.
    """

    def __init__(self, of: ProbeSet, memory: int = MEMORY) -> None:
        self.of, self.ids, self.concepts = of, of.ids, of.concepts
        self._free, self._kept = memory, dict[int, np.ndarray]()

    @property
    def sha256(self) -> str:
        """See `ProbeSet`."""
        return self.of.sha256

    def __len__(self) -> int:
        return len(self.of)

    def image(self, index: int) -> np.ndarray:
        """The pixels, kept where they fit: uint8 (h, w, 3), RGB."""
        found = self._kept.get(index)
        if found is None:
            found = self.of.image(index)
            if found.nbytes <= self._free:
                self._free -= found.nbytes
                self._kept[index] = found
        return found

    def load(self, index: int) -> LoadedImage:
        """See `ProbeSet`."""
        return self.of.load(index)

    def image_sha256(self, index: int) -> str:
        """See `ProbeSet`."""
        return self.of.image_sha256(index)

    def label_size(self, index: int) -> tuple[int, int]:
        """See `ProbeSet`."""
        return self.of.label_size(index)

    def labels(self, index: int) -> dict[str, np.ndarray]:
        """See `ProbeSet`."""
        return self.of.labels(index)
