"""Activations kept by image: a chunk of images an artifact, found again by the hash of each image's content."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xai_assets.dissection.activations import Activations
from xai_assets.files import fingerprint, sha256_bytes
from xai_assets.resources.store import ArtifactStore

KIND = "activations"


@dataclass(frozen=True)
class Place:
    """Where an image's activations stand: the chunk's key and the image's row in it."""

    chunk: str
    row: int


@dataclass(frozen=True)
class ActivationStore:
    """The chunks of one model, its layers and its preprocessing.

    A chunk's key is `setting` followed by a hash of its content, so that chunks are found by listing, whole or not at
    all. An image may stand in several: later ones keep more of its maps, for a probe set that needed more.

    Attributes:
        store: all artifacts.
        setting: hash of everything but the images that the numbers depend on.
    """

    store: ArtifactStore
    setting: str

    def put(self, chunk: Activations, hashes: Sequence[str]) -> Activations:
        """Keep a chunk whose images have these hashes; returns it with its arrays in the file."""
        arrays = chunk.to_arrays()
        named = replace(chunk, ids=tuple(hashes))
        content = [
            [name, sha256_bytes(np.ascontiguousarray(array).tobytes())] for name, array in arrays.items()
        ]
        key = self.setting + fingerprint([list(hashes), content])
        if not self.store.has(KIND, key):
            self.store.put(KIND, key, arrays, named.to_meta())
        return replace(self._chunk(key), ids=chunk.ids)

    def places(self) -> dict[str, Place]:
        """image hash -> where it stands; of several places the one where most of its maps is kept."""
        found: dict[str, Place] = {}
        most: dict[str, int] = {}
        for key in self.store.keys(KIND, self.setting):
            if not self.store.has(
                KIND, key
            ):  # it is damaged: its images are passed through the network again
                self.store.discard(KIND, key)
                continue
            chunk = self._chunk(key)
            kept = np.zeros(len(chunk.ids), np.int64)
            for layer in chunk.layers.values():
                if layer.maps is not None:
                    lengths = layer.maps.stop - layer.maps.start
                    kept += np.bincount(layer.maps.images, lengths, len(kept)).astype(np.int64)
            for row, name in enumerate(chunk.ids):
                if kept[row] > most.get(name, -1):
                    found[name], most[name] = Place(key, row), int(kept[row])
        return found

    def read(self, places: Sequence[Place], ids: Sequence[str]) -> Activations:
        """The activations of images at these places, under these names; maps stay in the files."""
        keys = sorted({place.chunk for place in places})
        source = np.array([keys.index(place.chunk) for place in places])
        rows = np.array([place.row for place in places])
        return Activations.gather([self._chunk(key) for key in keys], source, rows, ids)

    def _chunk(self, key: str) -> Activations:
        return Activations.from_arrays(*self.store.mapped(KIND, key))
