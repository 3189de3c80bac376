"""Unit activations over a probe set: one forward pass per model for all its layers together."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from xai_assets.dissection.layouts import Kind, positions
from xai_assets.dissection.map_store import MEMORY_LIMIT, MapStore
from xai_assets.dissection.probe import ProbeSet
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layers import get_layer

CODE_VERSION = 1
"""Part of the key of kept activations: raise it when their numbers change."""


@dataclass(frozen=True)
class LayerActivations:
    """One layer over the probe set.

    Attributes:
        kind: "map", "tokens" or "vector" (see `layouts.positions`).
        pooled: float32 (n, u), mean over positions.
        peak: float32 (n, u), maximum over positions.
        lowest: float32 (n, u), minimum over positions.
        maps: (n, u, h, w), float16 unless asked otherwise, possibly memory-mapped; None for tokens and vectors, and
            where no maps were asked for.
    """

    kind: Kind
    pooled: np.ndarray
    peak: np.ndarray
    lowest: np.ndarray
    maps: np.ndarray | None

    @property
    def dead(self) -> np.ndarray:
        """bool (u,): units that are never above zero on the probe set, or have one value everywhere."""
        highest = self.peak.max(axis=0)  # n u -> u
        return (highest <= 0) | (highest == self.lowest.min(axis=0))


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
        """As named arrays, for an artifact store: boxes, `<layer>/pooled`, `/peak`, `/lowest`, `/maps`."""
        arrays = {"boxes": self.boxes}
        for name, layer in self.layers.items():
            arrays |= {
                f"{name}/pooled": layer.pooled,
                f"{name}/peak": layer.peak,
                f"{name}/lowest": layer.lowest,
            }
            if layer.maps is not None:
                arrays[f"{name}/maps"] = layer.maps
        return arrays

    def to_meta(self) -> dict[str, object]:
        """What is no array, JSON-able: ids, and the layers' kinds in order."""
        return {"ids": list(self.ids), "layers": [[name, layer.kind] for name, layer in self.layers.items()]}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> "Activations":
        """What `to_arrays` and `to_meta` gave."""
        layers = {
            name: LayerActivations(
                kind,
                arrays[f"{name}/pooled"],
                arrays[f"{name}/peak"],
                arrays[f"{name}/lowest"],
                arrays.get(f"{name}/maps"),
            )
            for name, kind in meta["layers"]
        }
        return cls(tuple(meta["ids"]), arrays["boxes"], layers)


def collect(
    classifier: Classifier,
    layers: Sequence[str],
    probe: ProbeSet,
    *,
    batch_size: int = 64,
    with_maps: bool = True,
    dtype: str = "float16",
    folder: str | Path | None = None,
    memory_limit: int = MEMORY_LIMIT,
    progress: Progress = silent,
) -> Activations:
    """Show the probe set to a model once and keep what every named layer answers.

    Args:
        classifier: the model; its hooks are gone again afterwards, also when something throws.
        layers: module paths.
        probe: the images.
        batch_size: images a forward pass.
        with_maps: keep activation maps of convolutional layers (Network Dissection needs them, CLIP-Dissect does
            not). They take n u h w elements of `dtype`.
        dtype: "float16" or "float32"; means, maxima and minima are taken in float32 either way.
        folder: where maps go that exceed `memory_limit`, as memory-mapped .npy files.
        memory_limit: bytes of maps held in memory.
        progress: called after each batch with images done and in all.

    Raises:
        UnknownLayer: a path that the network does not have.
        XaiError: an empty probe set, pictures that become tensors of different sizes, a layer whose output is no
            tensor, that runs more than once a pass or not at all, values that are not finite or exceed `dtype`.
    """
    if not len(probe):
        raise XaiError("the probe set", "it holds no image", "Choose another probe set, or raise its limit.")
    if len(set(layers)) != len(layers) or not layers:
        raise XaiError(
            f"the layers {', '.join(layers) or '(none)'}",
            "each is named once, and at least one",
            "Mend the list of layers.",
        )
    store = MapStore(folder, memory_limit)
    gathered = {name: _Layer(name, len(probe), store, dtype, with_maps) for name in layers}
    boxes = np.empty((len(probe), 4), np.float32)
    with _listening(classifier.network, layers) as heard, torch.inference_mode():
        for start in range(0, len(probe), batch_size):
            indices = range(start, min(start + batch_size, len(probe)))
            batch = _batch(classifier, probe, indices, boxes)  # b 3 h w
            for outputs in heard.values():
                outputs.clear()
            classifier.network(batch)
            for name in layers:
                gathered[name].add(indices, _only(heard[name], name), probe)
            progress(indices[-1] + 1, len(probe))
    return Activations(tuple(probe.ids), boxes, {name: layer.result() for name, layer in gathered.items()})


@contextmanager
def _listening(network: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, list[object]]]:
    """The outputs of the named layers, as they come; the hooks are removed whatever happens."""
    modules = {name: get_layer(network, name) for name in layers}
    heard: dict[str, list[object]] = {name: [] for name in layers}
    handles = []
    try:
        for name, module in modules.items():
            handles.append(
                module.register_forward_hook(lambda _m, _i, output, name=name: heard[name].append(output))
            )
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def _batch(classifier: Classifier, probe: ProbeSet, indices: range, boxes: np.ndarray) -> Tensor:
    tensors = []
    for index in indices:
        pixels = probe.image(index)
        height, width = pixels.shape[:2]
        box = np.asarray(
            classifier.preprocessing.frame(height, width).box
        )  # top left bottom right, in pixels
        boxes[index] = box / (height, width, height, width)
        tensors.append(classifier.preprocessing.tensor(pixels))
        if tensors[-1].shape != tensors[0].shape:
            raise XaiError(
                f"probe image {probe.ids[index]}",
                f"it becomes a tensor of {tuple(tensors[-1].shape)}, "
                f"{probe.ids[indices[0]]} one of {tuple(tensors[0].shape)}",
                "Use images of one size, or a preprocessing that resizes them.",
            )
    return torch.stack(tensors).to(classifier.device)


def _only(outputs: list[object], layer: str) -> Tensor:
    if len(outputs) != 1:
        raise XaiError(
            f"the layer {layer!r}",
            f"it runs {len(outputs)} times in one pass",
            "Name the block around it instead.",
        )
    if not isinstance(outputs[0], Tensor):
        raise XaiError(
            f"the layer {layer!r}",
            f"it returns a {type(outputs[0]).__name__}, not one tensor",
            "Name a layer inside it.",
        )
    return outputs[0]


class _Layer:
    """One layer's arrays while they fill."""

    def __init__(self, name: str, count: int, store: MapStore, dtype: str, with_maps: bool) -> None:
        self.name, self.count, self.store, self.dtype, self.with_maps = name, count, store, dtype, with_maps
        self.kind: Kind | None = None

    def add(self, indices: range, output: Tensor, probe: ProbeSet) -> None:
        kind, values = positions(output, self.name)  # b u h w, b u t or b u 1
        flat = values.flatten(2)  # b u positions
        pooled, peak, lowest = (
            flat.mean(2).cpu().numpy(),
            flat.amax(2).cpu().numpy(),
            flat.amin(2).cpu().numpy(),
        )
        self._check(pooled, peak, lowest, indices, probe)
        if self.kind is None:
            self._allocate(kind, values)
        rows = slice(indices[0], indices[-1] + 1)
        self.pooled[rows], self.peak[rows], self.lowest[rows] = pooled, peak, lowest
        if self.maps is not None:
            if values.shape[1:] != self.maps.shape[1:]:
                raise XaiError(
                    f"the layer {self.name!r}",
                    f"its maps have shape {tuple(values.shape[1:])} for some "
                    f"images and {self.maps.shape[1:]} for others",
                    "Use images of one size.",
                )
            self.maps[rows] = values.cpu().numpy()

    def _allocate(self, kind: Kind, values: Tensor) -> None:
        self.kind, units = kind, values.shape[1]
        self.pooled, self.peak, self.lowest = (np.empty((self.count, units), np.float32) for _ in range(3))
        self.maps: np.ndarray | None = None
        if kind == "map" and self.with_maps:
            self.maps = self.store.allocate(self.name, (self.count, units, *values.shape[2:]), self.dtype)

    def _check(
        self, pooled: np.ndarray, peak: np.ndarray, lowest: np.ndarray, indices: range, probe: ProbeSet
    ) -> None:
        finite = np.isfinite(pooled) & np.isfinite(peak) & np.isfinite(lowest)  # b u
        if not finite.all():
            image, unit = np.argwhere(~finite)[0]
            raise XaiError(
                f"the layer {self.name!r}, unit {unit}",
                f"its activation on {probe.ids[indices[int(image)]]} is not a finite number",
                "Check the model's weights and preprocessing.",
            )
        largest = max(float(peak.max()), -float(lowest.min()))
        if self.with_maps and largest > float(np.finfo(self.dtype).max):
            raise XaiError(
                f"the layer {self.name!r}",
                f"an activation of {largest:.3g} does not fit into {self.dtype}",
                "Collect its maps as float32.",
            )

    def result(self) -> LayerActivations:
        assert self.kind is not None
        return LayerActivations(self.kind, self.pooled, self.peak, self.lowest, self.maps)
