"""Class activation maps by the library `grad-cam` itself, on the network as it is: what stored maps are held against.

Nothing of `cams` is used: the library hooks the network, takes its own gradients and passes, and scales its map. It is
told how the layer's output lies (`reshape_transform`) where that is not n c h w. Where an operation behind the layer
works in place, what the library recorded would be written over before it is read (see `capture`): the layer's output
is then handed on as a copy, which is said.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_grad_cam
import torch
from pytorch_grad_cam import ablation_cam, score_cam
from pytorch_grad_cam.ablation_layer import AblationLayer, AblationLayerVit
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from xai_assets.attribution.guard import untouched
from xai_assets.attribution.library_bars import no_bars
from xai_assets.attribution.targets import Asked, Target, as_target
from xai_assets.memory import out_of_memory
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layers import get_layer
from xai_assets.vision.layout_reader import LayoutReader
from xai_assets.vision.layouts import Layout
from xai_assets.vision.spec import LayoutSpec

HANDED_A_COPY = "an operation behind the layer works in place: the library was handed a copy of its output"


class _AblationCAM(pytorch_grad_cam.AblationCAM):
    """The library's AblationCAM with a record of the layer's output that nothing behind the layer writes over."""

    def save_activation(self, module: nn.Module, input: object, output: Tensor) -> None:
        self.activations = output.clone()


LIBRARY: dict[str, type] = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "hirescam": pytorch_grad_cam.HiResCAM,
    "gradcampp": pytorch_grad_cam.GradCAMPlusPlus,
    "xgradcam": pytorch_grad_cam.XGradCAM,
    "layercam": pytorch_grad_cam.LayerCAM,
    "eigencam": pytorch_grad_cam.EigenCAM,
    "ablationcam": _AblationCAM,
    "scorecam": pytorch_grad_cam.ScoreCAM,
}
"""The library's class of each method."""


@dataclass(frozen=True)
class LibraryMap:
    """The library's map, h w float32 in 0..1, and what has to be said of how it was made."""

    values: np.ndarray
    note: str | None = None


class NoCounterpart(Exception):
    """The library has nothing that could be compared; the message says why."""


def library_cam(
    classifier: Classifier,
    tensor: Tensor,
    target: Asked,
    layer: str,
    *,
    method: str,
    layout: LayoutSpec | None = None,
    exact: bool = False,
) -> LibraryMap:
    """The library's map of one image (1 3 h w, normalised) for a target at a layer, with the library's defaults.

    Args:
        classifier: the model; its network is lent to the library and comes back as it was.
        tensor: the image.
        target: index of the class; a difference is handed to the library as a target of one's own.
        layer: module path of the target layer.
        method: one of LIBRARY.
        layout: how the layer's output is to be read; None: it is read off it.
        exact: on a copy of the network in float64, which shows what rounding does to the library's own map.

    Raises:
        NoCounterpart: the layer is called several times in a pass or has axes that the library cannot ablate, or the
            library itself stops with an error.
    """
    images = tensor.detach().clone().to(classifier.device)
    with torch.inference_mode(False), torch.enable_grad(), untouched(classifier.network) as lent:
        axes = LayoutReader(lent, layer, layout).of_maps(_heard(lent, layer, images).output, images)
        network = copy.deepcopy(lent).double() if exact else lent
        images = images.double() if exact else images
        heard = _heard(network, layer, images)
        if heard.calls != 1:
            raise NoCounterpart(
                f"{layer} is called {heard.calls} times in a pass: the library explains its first call, and the stored "
                "map its last"
            )
        options: dict[str, Any] = {}
        if heard.output.ndim != 4 or axes.channel_axis != 1:
            options["reshape_transform"] = axes.maps
        if method == "ablationcam":
            options["ablation_layer"] = _ablation_layer(layer, heard, axes)
        network.requires_grad_(True)  # as its users have it; `untouched` takes it back
        module = get_layer(network, layer)
        cam = LIBRARY[method](network, [module], **options)
        if heard.overwritten:
            module.register_forward_hook(lambda _, __, given: given.clone())
        with _its_errors(), no_bars(ablation_cam, score_cam):
            (values,) = cam(input_tensor=images, targets=[_library_target(as_target(target))])
    return LibraryMap(np.asarray(values, dtype=np.float32), HANDED_A_COPY if heard.overwritten else None)


def _library_target(target: Target) -> Callable[[Tensor], Tensor]:
    own = [ClassifierOutputTarget(index) for index in target.classes]
    return own[0] if target.contrast is None else lambda scores: own[0](scores) - own[1](scores)


@dataclass(frozen=True)
class _Heard:
    """A pass: the layer's output at its last call, and whether what the library records of it was written over."""

    output: Tensor
    calls: int
    several_inputs: bool
    overwritten: bool


def _heard(network: nn.Module, layer: str, images: Tensor) -> _Heard:
    kept: list[tuple[Tensor, Tensor, bool]] = []

    def keep(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: Tensor) -> None:
        kept.append((output, output.clone(), len(given) + len(named) > 1))

    handle = get_layer(network, layer).register_forward_hook(keep, with_kwargs=True)
    with torch.no_grad():
        network(images.clone())
    handle.remove()
    record, output, several = kept[-1]
    return _Heard(output, len(kept), several, not torch.equal(record, output))


def _ablation_layer(layer: str, heard: _Heard, axes: Layout) -> nn.Module:
    if heard.several_inputs:
        raise NoCounterpart(
            f"{layer} is given several inputs, and what the library puts in its place takes one"
        )
    if axes.channel_axis == -1:
        return AblationLayerVit()
    if heard.output.ndim == 4:
        return AblationLayer()
    raise NoCounterpart("the library ablates n c h w and channels last, and this layer gives n c t")


@contextmanager
def _its_errors() -> Iterator[None]:
    try:
        yield
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
        if out_of_memory(error):
            raise
        raise NoCounterpart(f"the library stops: {type(error).__name__}: {error}") from error
