"""What a layer, and a model, did on the probe set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from xai_assets.dissection.sparse_maps import SparseMaps

Kind = Literal["map", "tokens", "vector"]
"""Of a layer's output: maps of a convolution, tokens on a grid, or a vector an image."""


@dataclass(frozen=True)
class LayerActivations:
    """One layer over the probe set.

    Attributes:
        kind: see `Kind`.
        pooled: float32 (n, u), mean over positions.
        peak: float32 (n, u), maximum over positions.
        lowest: float32 (n, u), minimum over positions.
        maps: of the maps, the cells that can matter; None for layers without a grid of positions, and where no maps
            were asked for.
    """

    kind: Kind
    pooled: np.ndarray
    peak: np.ndarray
    lowest: np.ndarray
    maps: SparseMaps | None

    @property
    def dead(self) -> np.ndarray:
        """bool (u,): units that are never above zero on the probe set, or have one value everywhere."""
        highest = self.peak.max(axis=0)  # n u -> u
        return (highest <= 0) | (highest == self.lowest.min(axis=0))

    def response(self, pooling: Literal["avg", "max"]) -> np.ndarray:
        """float32 (n, u): by what a unit's images are ranked, the mean over its positions or the largest."""
        return self.peak if pooling == "max" else self.pooled

    def wanting(self, levels: np.ndarray) -> np.ndarray:
        """bool (n, u): pairs that may have cells above their unit's level which were not kept.

        Args:
            levels: float32 (u,).
        """
        assert self.maps is not None
        return (self.maps.known(self.peak) > levels) & (self.peak > levels)


@dataclass(frozen=True)
class Activations:
    """All asked-for layers of one model over one probe set.

    Attributes:
        ids: the probe images, in the order of the first axis.
        boxes: float32 (n, 4): top, left, bottom, right of what the model saw, as shares of each picture's sides
            (0 0 1 1 is the whole picture).
        layers: path -> activations, in the order asked for.
    """

    ids: tuple[str, ...]
    boxes: np.ndarray
    layers: dict[str, LayerActivations]

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As named arrays, for an artifact store: boxes, and `<layer>/` pooled, peak, lowest and what maps have."""
        arrays = {"boxes": self.boxes}
        for name, layer in self.layers.items():
            found = {"pooled": layer.pooled, "peak": layer.peak, "lowest": layer.lowest}
            if layer.maps is not None:
                found |= layer.maps.to_arrays()
            arrays |= {f"{name}/{what}": array for what, array in found.items()}
        return arrays

    def to_meta(self) -> dict[str, object]:
        """What is no array, JSON-able: ids, and the layers' kinds in order."""
        return {"ids": list(self.ids), "layers": [[name, layer.kind] for name, layer in self.layers.items()]}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> "Activations":
        """What `to_arrays` and `to_meta` gave; the arrays may be memory-mapped."""
        layers = {}
        for name, kind in meta["layers"]:
            mine = {
                what.removeprefix(f"{name}/"): a for what, a in arrays.items() if what.startswith(f"{name}/")
            }
            maps = None
            if "cells" in mine:
                height, width = mine["side"].tolist()
                kept = (mine[what] for what in ("images", "units", "floors", "stop", "cells", "values"))
                maps = SparseMaps.of_cells((*mine["pooled"].shape, height, width), *kept)
            layers[name] = LayerActivations(kind, mine["pooled"], mine["peak"], mine["lowest"], maps)
        return cls(tuple(meta["ids"]), arrays["boxes"], layers)

    @classmethod
    def gather(
        cls, sources: Sequence["Activations"], source: np.ndarray, image: np.ndarray, ids: Sequence[str]
    ) -> "Activations":
        """Activations whose i-th image is image `image[i]` of `sources[source[i]]`; maps are not copied.

        Args:
            sources: of one model and the same layers.
            source, image: int (n,).
            ids: n names.
        """

        def rows(arrays: list[np.ndarray]) -> np.ndarray:
            found = np.empty((len(image), *arrays[0].shape[1:]), arrays[0].dtype)
            for at, array in enumerate(arrays):
                found[source == at] = array[image[source == at]]
            return found

        layers = {}
        for name, first in sources[0].layers.items():
            parts = [part.layers[name] for part in sources]
            kept = [part.maps for part in parts if part.maps is not None]
            layers[name] = LayerActivations(
                first.kind,
                rows([part.pooled for part in parts]),
                rows([part.peak for part in parts]),
                rows([part.lowest for part in parts]),
                SparseMaps.gather(kept, source, image) if kept else None,
            )
        return cls(tuple(ids), rows([part.boxes for part in sources]), layers)
