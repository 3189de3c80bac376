"""Class activation maps by the library `grad-cam` (pytorch_grad_cam), with the raw evidence kept.

A class activation map is a weighted sum of the target layer's activations; the methods differ in the weights:

- Grad-CAM (Selvaraju et al. 2017): the mean gradient of the class score over a channel.
- AblationCAM (Ramaswamy & Desai 2020): the relative drop of the class score when a channel is set to 0. The
  library divides by the score itself, so the sign of every weight flips where the score (a logit) is
  negative.
- ScoreCAM (Wang et al. 2020): the class score of the image masked with the channel. The library takes a
  softmax over these scores across channels; on logits that is close to one-hot when they differ by more than
  a few units.

The class score is the logit of the target class. The library's maps are min-max scaled per image; ours are
the weighted sum itself, after the ReLU, resized to the model's input as the library does (bilinear,
`cv2.resize`). Scaled by `AttributionMap.scaled` they equal the library's.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytorch_grad_cam
import torch
from pytorch_grad_cam import ablation_cam, score_cam
from pytorch_grad_cam.ablation_layer import AblationLayer
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.guard import untouched
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layers import get_layer

_LOUD = RLock()


@dataclass(frozen=True)
class Cam:
    """One image's class activation map.

    Attributes:
        values: h w float32, at least 0: the map in the model's frame, not scaled.
        low_resolution: h' w' float32 of either sign: the weighted sum at the target layer's resolution.
        channel_weights: c float32: the weight of each channel of the target layer.
    """

    values: np.ndarray
    low_resolution: np.ndarray
    channel_weights: np.ndarray


def gradcam(classifier: Classifier, tensor: torch.Tensor, targets: Sequence[int], layer: str) -> list[Cam]:
    """Grad-CAM of each image (n 3 h w, normalised) for its target class at the target layer.

    Raises:
        AttributionError: tensor and targets do not fit each other; a layer without a spatial output.
        UnknownClass: a target that is no class of the model.
        UnknownLayer: a path that names no module.
    """
    return _cams(classifier, tensor, targets, layer, _GradCAM, gradients=True)


def ablationcam(
    classifier: Classifier, tensor: torch.Tensor, targets: Sequence[int], layer: str, *, batch_size: int = 64
) -> list[Cam]:
    """AblationCAM, as `gradcam`; `batch_size` ablated copies are evaluated together.

    Costs a forward pass a channel. Weights are infinite where the class score is exactly 0.
    """

    def make(network: nn.Module, layers: list[nn.Module]) -> Any:
        # The library's default ablation layer is one shared mutable object.
        return _AblationCAM(network, layers, ablation_layer=AblationLayer(), batch_size=batch_size)

    return _cams(classifier, tensor, targets, layer, make)


def scorecam(
    classifier: Classifier, tensor: torch.Tensor, targets: Sequence[int], layer: str, *, batch_size: int = 64
) -> list[Cam]:
    """ScoreCAM, as `gradcam`; `batch_size` masked copies are evaluated together.

    Costs a forward pass a channel. The target layer must come after its activation function: on signed values
    (such as a bottleneck's `conv3`) maps are often blank.
    """

    def make(network: nn.Module, layers: list[nn.Module]) -> Any:
        cam = _ScoreCAM(network, layers)
        cam.batch_size = batch_size
        return cam

    return _cams(classifier, tensor, targets, layer, make)


class _Recording:
    """What the library computes on the way and throws away."""

    def get_cam_weights(
        self, input_tensor: Any, target_layer: Any, targets: Any, activations: Any, grads: Any
    ) -> np.ndarray:
        if getattr(activations, "ndim", None) != 4:
            found = "is not reached" if activations is None else f"gives shape {tuple(activations.shape)}"
            raise AttributionError(
                "the target layer",
                f"{found} in the forward pass; a class activation map needs n c h w",
                "Name a convolutional layer, such as layer4.",
            )
        self.channel_weights = super().get_cam_weights(  # type: ignore[misc]
            input_tensor, target_layer, targets, activations, grads
        )
        return self.channel_weights

    def get_cam_image(self, *arguments: Any) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # infinite weights times zero activations; the map is flagged
            self.low_resolution = super().get_cam_image(*arguments)  # type: ignore[misc]
        return self.low_resolution


class _GradCAM(_Recording, pytorch_grad_cam.GradCAM):
    pass


class _AblationCAM(_Recording, pytorch_grad_cam.AblationCAM):
    def get_cam_weights(self, *arguments: Any) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):  # a score of exactly 0; the map is flagged
            return super().get_cam_weights(*arguments)


class _ScoreCAM(_Recording, pytorch_grad_cam.ScoreCAM):
    pass


def _cams(
    classifier: Classifier,
    tensor: torch.Tensor,
    targets: Sequence[int],
    layer: str,
    make: Callable[[nn.Module, list[nn.Module]], Any],
    *,
    gradients: bool = False,
) -> list[Cam]:
    _check(classifier, tensor, targets)
    network = classifier.network
    target_layer = get_layer(network, layer)
    with torch.inference_mode(False), torch.set_grad_enabled(gradients), untouched(network), _quiet():
        # Frozen parameters make no graph; the input carries it. A copy: the caller's tensor is not ours to mark.
        given = tensor.detach().clone().to(classifier.device).requires_grad_(gradients)
        cam = make(network, [target_layer])
        try:
            cam(input_tensor=given, targets=[ClassifierOutputTarget(target) for target in targets])
        finally:
            cam.activations_and_grads.release()
    height, width = tensor.shape[-2:]
    lows = np.asarray(cam.low_resolution, dtype=np.float32)  # n h' w'
    weights = np.asarray(cam.channel_weights, dtype=np.float32)  # n c
    return [
        Cam(_resize(np.maximum(low, 0), width, height), low, of_channels)
        for low, of_channels in zip(lows, weights, strict=True)
    ]


def _resize(low: np.ndarray, width: int, height: int) -> np.ndarray:
    return np.asarray(cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def _check(classifier: Classifier, tensor: torch.Tensor, targets: Sequence[int]) -> None:
    if tensor.ndim != 4 or len(targets) != len(tensor):
        raise AttributionError(
            "the images",
            f"have shape {tuple(tensor.shape)} for {len(targets)} target classes",
            "Give n 3 h w and n targets.",
        )
    for target in targets:
        classifier.class_index(int(target))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's progress bars off the terminal, by the name under which its modules know tqdm."""
    with _LOUD:
        loud = [(module, module.tqdm) for module in (ablation_cam, score_cam)]
        for module, _ in loud:
            module.tqdm = SimpleNamespace(tqdm=lambda items: items)
        try:
            yield
        finally:
            for module, tqdm in loud:
                module.tqdm = tqdm
