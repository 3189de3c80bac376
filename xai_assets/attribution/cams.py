"""Class activation maps with the raw evidence kept: the numbers of the library `grad-cam`, computed in fewer steps.

A class activation map is a weighted sum of the target layer's activations; the methods differ in the weights:

- Grad-CAM (Selvaraju et al. 2017): the mean gradient of the class score over a channel. Its relatives (HiResCAM,
  Grad-CAM++, XGradCAM, LayerCAM, EigenCAM) are the library's formulas: see `formulas`.
- AblationCAM (Ramaswamy & Desai 2020): the relative fall of the class score without a channel: see `ablation`.
- ScoreCAM (Wang et al. 2020): the class score of the image seen through the channel: see `score`.

The score is the logit of the target class, or the difference of two logits (see `targets`). The library's maps are
min-max scaled per image; ours are the weighted sum itself, after the ReLU, resized to the model's input as the library
does (bilinear, `cv2.resize`). Scaled by `AttributionMap.scaled` they equal the library's, but for layers behind which
the network works in place: there the library explains what was written over the layer's output (see `capture`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import torch

from xai_assets.attribution.ablation import ablation_weights
from xai_assets.attribution.capture import capture, gradients
from xai_assets.attribution.connection import without_gradient
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.formulas import FORMULAS, WITHOUT_GRADIENT, weighted_sum
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.parameters import AblationCAMParameters, ScoreCAMParameters
from xai_assets.attribution.quick_network import AS_IT_IS, quick_network
from xai_assets.attribution.score import ScoreMemory, Scorer, negative_share, score_weights
from xai_assets.attribution.split import LayerSplit
from xai_assets.attribution.targets import Asked, Target, as_target
from xai_assets.memory import out_of_memory
from xai_assets.vision.classifiers import Classifier, UnfitNetwork
from xai_assets.vision.layers import get_layer
from xai_assets.vision.layout_reader import LayoutReader
from xai_assets.vision.pass_memory import Bounded
from xai_assets.vision.spec import LayoutSpec

SIGNED_ABOVE = 0.2
"""A layer is called signed when more of its energy than this is negative. A Gaussian before its activation function
has 0.5; behind a ReLU there is none, behind SiLU or GELU some hundredths."""


@dataclass(frozen=True)
class Cam:
    """One image's class activation map.

    Attributes:
        values: h w float32, at least 0: the map in the model's frame, not scaled.
        low_resolution: h' w' float32 of either sign: the weighted sum at the target layer's resolution.
        channel_weights: c float32: the weight of each channel of the target layer; None where the method has none.
        details: how it was computed, as JSON has it.
        signed_layer: ScoreCAM was asked for at a layer of which much is negative.
    """

    values: np.ndarray
    low_resolution: np.ndarray
    channel_weights: np.ndarray | None
    details: Mapping[str, Any] = field(default_factory=dict)
    signed_layer: bool = False


def gradcam(
    classifier: Classifier,
    tensor: torch.Tensor,
    targets: Sequence[Asked],
    layer: str,
    *,
    method: str = "gradcam",
    layout: LayoutSpec | None = None,
    split: LayerSplit | None = None,
) -> list[Cam]:
    """Grad-CAM, or a relative of it, of each image (n 3 h w, normalised) for its target at the target layer.

    All images go through the network together.

    Args:
        classifier: the model.
        tensor: n 3 h w float32, normalised.
        targets: one an image: a class by its index, or a `Target`.
        layer: module path of the target layer.
        method: "gradcam", "hirescam", "gradcampp", "xgradcam", "layercam" or "eigencam".
        layout: how the layer's output is to be read; None: it is read off it.
        split: the network split at the layer, for many calls: it makes each of them quicker, and has the layout.

    Raises:
        AttributionError: tensor and targets do not fit each other; an unknown method.
        LayoutError: a layer without a map, or whose output cannot be read.
        UnknownClass: a target that is no class of the model.
        UnknownLayer: a path that names no module.
    """
    if method not in FORMULAS:
        raise AttributionError(
            f"the method {method!r}", "is no formula", f"Use one of {', '.join(FORMULAS)}."
        )
    module = get_layer(classifier.network, layer)
    reader = LayoutReader(classifier.network, layer, layout) if split is None else split.reader
    with _prepared(classifier, tensor, targets) as (images, chosen):
        network = classifier.network
        if method in WITHOUT_GRADIENT:
            _refuse_differences(method, chosen)
            output, gradient = capture(network, module, images).output, None
            axes = reader.of_maps(output, images)
        elif split is not None:
            output, gradient, axes = split.gradients(images, chosen)
        else:
            output, gradient = gradients(network, module, images, chosen)
            axes = reader.of_maps(output, images)
        found = weighted_sum(method, axes.maps(output), None if gradient is None else axes.maps(gradient))
        told = split.told(images) if gradient is not None and split is not None else {}
        details: list[dict[str, Any]] = [dict(told) for _ in chosen]
        for at in [] if gradient is None else _without(axes.maps(gradient)):
            one = slice(at, at + 1)
            details[at]["warning"] = without_gradient(network, layer, images[one], chosen[one], reader)
    return [
        _cam(low, None if found.weights is None else found.weights[index], images, details[index])
        for index, low in enumerate(found.low)
    ]


def _without(gradient: torch.Tensor) -> list[int]:
    """The images whose gradient (n c h w) is nowhere other than 0."""
    return (~gradient.flatten(1).any(dim=1)).nonzero().flatten().tolist()


def ablationcam(
    classifier: Classifier,
    tensor: torch.Tensor,
    targets: Sequence[Asked],
    layer: str,
    *,
    parameters: AblationCAMParameters | None = None,
    layout: LayoutSpec | None = None,
    split: LayerSplit | None = None,
) -> list[Cam]:
    """AblationCAM; arguments and errors as of `gradcam`.

    `details`: `way`, how what lies behind the layer was computed (see `split`), `ablated`, how many ablated
    outputs were evaluated, and `turned_down`, which ways were not taken and why. Weights are infinite where the
    class score is exactly 0.
    """
    parameters = parameters or AblationCAMParameters()
    with _prepared(classifier, tensor, targets) as (images, chosen):
        split = split or LayerSplit(classifier.network, layer, classifier.device, layout)
        found = []
        for image, target in zip(images.split(1), chosen, strict=True):
            behind = split.behind(image)
            weights, ablated = ablation_weights(behind, target, parameters, memory_mib=classifier.memory_mib)
            details = {**split.told(image), "way": behind.way, "ablated": ablated}
            maps = behind.layout.maps(behind.output)[0].cpu().numpy()
            found.append(_cam(_weighted(weights, maps), weights, images, details))
    return found


def scorecam(
    classifier: Classifier,
    tensor: torch.Tensor,
    targets: Sequence[Asked],
    layer: str,
    *,
    parameters: ScoreCAMParameters | None = None,
    layout: LayoutSpec | None = None,
    scorer: Scorer | None = None,
    memory: ScoreMemory | None = None,
    seed: int = 0,
) -> list[Cam]:
    """ScoreCAM; arguments and errors as of `gradcam`.

    The target layer should come after its activation function: on signed values (such as a bottleneck's `conv3`)
    maps are often blank. `signed_layer` says so, and `details`: `warning`.

    Args:
        classifier: the model.
        tensor: n 3 h w float32, normalised.
        targets: one an image: a class by its index, or a `Target`.
        layer: module path of the target layer.
        parameters: the defaults when None.
        layout: how the layer's output is to be read; None: it is read off it.
        scorer: from `make_scorer`, for many calls.
        memory: of one image: the batches of masks that an interrupted call has scored, see `score_weights`.
        seed: of fast mode.
    """
    parameters = parameters or ScoreCAMParameters()
    module = get_layer(classifier.network, layer)
    reader = LayoutReader(classifier.network, layer, layout)
    with _prepared(classifier, tensor, targets) as (images, chosen):
        found = []
        for image, target in zip(images.split(1), chosen, strict=True):
            output = capture(classifier.network, module, image).output
            maps = reader.of_maps(output, image).maps(output)[0].contiguous()
            scorer = scorer or make_scorer(classifier, image, parameters)
            weights, details = score_weights(scorer, image, maps, target, parameters, memory, seed=seed)
            negative = negative_share(maps)
            signed = negative > SIGNED_ABOVE
            kept = {**details, **scorer.details, "negative_share": round(negative, 4)}
            if signed:
                kept["warning"] = (
                    f"{layer} gives signed values, and ScoreCAM reads the lowest as absence. Name the layer behind "
                    "its activation function."
                )
            found.append(
                _cam(_weighted(weights, maps.cpu().numpy()), weights, images, kept, signed_layer=signed)
            )
    return found


def rehearse(
    classifier: Classifier, tensor: torch.Tensor, target: Asked, split: LayerSplit, *, method: str
) -> tuple[tuple[int, int, int], str | None]:
    """Raise what `gradcam`, `ablationcam` or `scorecam` would raise for one image (1 3 h w) at the split's layer.

    The layer is captured, its layout read, its gradient taken, and the network split there; no channel is evaluated.

    Returns:
        Channels, height and width of the layer's maps, and what the map's `details` warn of.
    """
    (cam,) = gradcam(
        classifier,
        tensor,
        [target],
        split.layer,
        method=method if method in FORMULAS else "gradcam",
        split=split,
    )
    with _prepared(classifier, tensor, [target]) as (images, _):
        behind = split.behind(images)
        channels, height, width = behind.layout.maps(behind.output).shape[1:]
    warning = cam.details.get("warning") if method in FORMULAS else None
    return (channels, height, width), warning


def make_scorer(classifier: Classifier, image: torch.Tensor, parameters: ScoreCAMParameters) -> Scorer:
    """The classifier's network made ready for masked copies of images of this size (1 3 h w, normalised).

    It holds for the weights as they are now.
    """
    with untouched(classifier.network) as network:
        quick, how = quick_network(network, image)
        exact = Bounded(_lying_right(quick, how), image, memory_mib=classifier.memory_mib)
        if parameters.precision == "float32":
            return Scorer(exact, details={"network": how})
        quick, how = quick_network(network, image, dtype=torch.bfloat16)
        reduced = Bounded(
            _lying_right(quick, how), image.to(torch.bfloat16), memory_mib=classifier.memory_mib
        )
        return Scorer(reduced, exact, torch.bfloat16, {"network": how, "precision": "bfloat16"})


def _lying_right(network: Callable[[torch.Tensor], torch.Tensor], how: str) -> Callable[..., torch.Tensor]:
    """Given images channels last, as copies want them: a network as it is may ask for the usual layout."""
    return (lambda images: network(images.contiguous())) if how.startswith(AS_IT_IS) else network


@contextmanager
def _prepared(
    classifier: Classifier, tensor: torch.Tensor, targets: Sequence[Asked]
) -> Iterator[tuple[torch.Tensor, list[Target]]]:
    """The images on the device, copied (the caller's are not ours to mark), the targets, and the network lent out."""
    if tensor.ndim != 4 or len(targets) != len(tensor):
        raise AttributionError(
            "the images",
            f"have shape {tuple(tensor.shape)} for {len(targets)} target classes",
            "Give n 3 h w and n targets.",
        )
    chosen = [as_target(target) for target in targets]
    for target in chosen:
        for index in target.classes:
            classifier.class_index(index)
    with torch.inference_mode(False), torch.no_grad(), untouched(classifier.network):
        images = tensor.detach().clone().to(classifier.device)
        try:
            yield images, chosen
        except (RuntimeError, TypeError, IndexError, AttributeError) as error:
            if not out_of_memory(error):
                _refuse_unfit(classifier, images)
            raise


def _refuse_differences(method: str, targets: Sequence[Target]) -> None:
    if any(target.contrast is not None for target in targets):
        raise AttributionError(
            f"{method} of a difference",
            "the method looks at no class, so that its map of any two classes is the same",
            "Ask another method, or leave `contrast` out.",
        )


def _refuse_unfit(classifier: Classifier, images: torch.Tensor) -> None:
    """Raise a reason of our own where the network is the reason: asked only when something has thrown."""
    if any(parameter.is_inference() for parameter in classifier.network.parameters()):
        raise UnfitNetwork(
            classifier.name,
            "its parameters were made in torch.inference_mode, and have no gradients",
            "Build and load it outside of inference_mode.",
        )
    classifier.logits(images[:1].clone())


def _weighted(weights: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """The sum over channels of c weights and c h' w' activations, as the library adds it up."""
    with np.errstate(invalid="ignore"):  # infinite weights times zero activations; the map is flagged
        return (weights[:, None, None] * maps).sum(axis=0)


def _cam(
    low: np.ndarray,
    weights: np.ndarray | None,
    images: torch.Tensor,
    details: Mapping[str, Any] | None = None,
    *,
    signed_layer: bool = False,
) -> Cam:
    height, width = images.shape[-2:]
    low = np.asarray(low, dtype=np.float32)
    values = cv2.resize(np.maximum(low, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    return Cam(
        np.asarray(values, dtype=np.float32),
        low,
        None if weights is None else np.asarray(weights, dtype=np.float32),
        details or {},
        signed_layer,
    )
