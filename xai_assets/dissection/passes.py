"""Showing pictures to a network and hearing what its layers answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from xai_assets.dissection.probe import ProbeSet
from xai_assets.errors import XaiError
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layers import get_layer


@contextmanager
def listening(network: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, list[object]]]:
    """The outputs of the named layers, as they come; the hooks are removed whatever happens.

    Raises:
        UnknownLayer: a path that the network does not have.
    """
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


def only(outputs: list[object], layer: str) -> object:
    """What a layer gave in a pass; raises XaiError where it ran never or several times."""
    if len(outputs) != 1:
        raise XaiError(
            f"the layer {layer!r}",
            f"it runs {len(outputs)} times in one pass",
            "Name the block around it instead.",
        )
    return outputs[0]


def batch_of(classifier: Classifier, probe: ProbeSet, indices: Sequence[int]) -> tuple[Tensor, np.ndarray]:
    """Pictures as the network's input, float32 (b, 3, h, w) on its device, and what it sees of them.

    Returns:
        The batch, and float32 (b, 4) as `Activations.boxes`.

    Raises:
        XaiError: pictures that become tensors of different sizes.
    """
    tensors, boxes = [], np.empty((len(indices), 4), np.float32)
    for at, index in enumerate(indices):
        pixels = probe.image(index)
        height, width = pixels.shape[:2]
        box = np.asarray(classifier.preprocessing.frame(height, width).box)  # top left bottom right, pixels
        boxes[at] = box / (height, width, height, width)
        tensors.append(classifier.preprocessing.tensor(pixels))
        if tensors[-1].shape != tensors[0].shape:
            raise XaiError(
                f"probe image {probe.ids[index]}",
                f"it becomes a tensor of {tuple(tensors[-1].shape)}, "
                f"{probe.ids[indices[0]]} one of {tuple(tensors[0].shape)}",
                "Use images of one size, or a preprocessing that resizes them.",
            )
    return torch.stack(tensors).to(classifier.device), boxes
