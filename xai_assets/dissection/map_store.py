"""Where a layer's activation maps are kept: in memory while they are small, else in a memory-mapped file."""

from pathlib import Path

import numpy as np

from xai_assets.errors import XaiError

MEMORY_LIMIT = 512 * 2**20
"""Bytes of activation maps, all layers together, that are held in memory."""


class MapStore:
    """Allocates one (n, u, h, w) array a layer.

    Args:
        folder: for maps beyond the limit, as `<layer>.npy`; the caller removes it.
        limit: bytes held in memory, all layers together.
    """

    def __init__(self, folder: str | Path | None = None, limit: int = MEMORY_LIMIT) -> None:
        self.folder = None if folder is None else Path(folder)
        self.left = limit

    def allocate(self, layer: str, shape: tuple[int, int, int, int], dtype: str) -> np.ndarray:
        """An array to fill, in memory or mapped.

        Raises:
            XaiError: it exceeds the limit and there is no folder.
        """
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if size <= self.left:
            self.left -= size
            return np.empty(shape, dtype)
        if self.folder is None:
            raise XaiError(
                f"the maps of layer {layer!r}",
                f"they take {size / 2**20:.0f} MiB, more than the "
                f"{self.left / 2**20:.0f} MiB that may be held in memory",
                "Give a work folder for them, fewer probe images, or a later layer.",
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        return np.lib.format.open_memmap(self.folder / f"{layer}.npy", mode="w+", dtype=dtype, shape=shape)
