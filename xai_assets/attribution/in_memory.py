"""A network that one has in memory, without a study, a file or a zoo: made into a classifier for one image.

The network may be any `nn.Module` that gives scores (n k) for images (n 3 h w) in float32. It is left as it was, in
training mode too. Files, PIL images and uint8 arrays need a preprocessing; a normalised tensor is taken as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.guard import untouched
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.geometry import Frame, whole_frame
from xai_assets.vision.images import read_image
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

Picture = np.ndarray | Image.Image | str | Path | Tensor
"""An image: uint8 (h w 3) RGB, a PIL image, a file's path, or a normalised float tensor (3 h w or 1 3 h w)."""

Given = Preprocessing | PreprocessingSpec | Mapping[str, Any] | None

_NEEDED = (
    "Give `preprocessing`, such as {'mode': 'resize_crop', 'resize': 256, 'size': 224} (ImageNet's mean and std unless "
    "`mean` and `std` are there), or a normalised tensor."
)


@dataclass(frozen=True)
class _AsItIs(Preprocessing):
    """Of an input that is normalised already: h w 3 float32 stands for the picture."""

    def tensor(self, pixels: np.ndarray) -> Tensor:
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy())  # h w 3 -> 3 h w

    def frame(self, height: int, width: int) -> Frame:
        return whole_frame(height, width, (height, width), "native")

    def view(self, pixels: np.ndarray) -> np.ndarray:
        raise AttributionError(
            "lime on a normalised tensor",
            "it hides parts of a picture, whose pixels are not known",
            "Give the image itself and its `preprocessing`.",
        )


def prepared(
    model: Classifier | nn.Module,
    image: Picture,
    *,
    preprocessing: Given = None,
    class_names: Sequence[str] | None = None,
) -> tuple[Classifier, np.ndarray]:
    """A classifier, and an image as its preprocessing takes it.

    Args:
        model: a classifier, or any network.
        image: see `Picture`.
        preprocessing: of a network, from an image to its input; a classifier has its own.
        class_names: of a network, one an output; the numbers of the outputs when None.

    Returns:
        The classifier, and uint8 (h, w, 3); for a tensor float32 (h, w, 3).

    Raises:
        AttributionError: no preprocessing where one is needed, one too many, an image of no known kind, a network that
            gives no scores, another number of names than outputs.
        ImageError: a file that cannot be read.
    """
    if isinstance(model, Classifier):
        if preprocessing is not None or class_names is not None:
            raise AttributionError(
                f"`preprocessing` or `class_names` of {model.name}",
                "the classifier has its own",
                "Leave them out, or give the network: classifier.network.",
            )
        if isinstance(image, Tensor):
            return _on_tensor(model, image)
        return model, pixels_of(image)
    if not isinstance(model, nn.Module):
        raise AttributionError(
            f"a {type(model).__name__}", "is neither a classifier nor a torch.nn.Module", "Give one of them."
        )
    how: Preprocessing
    if isinstance(image, Tensor):
        if preprocessing is not None:
            raise AttributionError(
                "`preprocessing`",
                "a tensor is taken as it is, normalised already",
                "Leave one of the two out.",
            )
        pixels, how = of_tensor(image), _AsItIs(PreprocessingSpec(mode="native"))
    else:
        pixels, how = pixels_of(image), _preprocessing(preprocessing)
    with untouched(model):
        outputs = _outputs(model, how.tensor(pixels))
    names = tuple(str(index) for index in range(outputs)) if class_names is None else tuple(class_names)
    if len(names) != outputs:
        raise AttributionError(
            "`class_names`", f"there are {len(names)} for {outputs} outputs", "Give one name for each output."
        )
    device = next((value.device for value in model.parameters()), torch.device("cpu"))
    kind = type(model).__name__
    return Classifier(kind, kind, model, how, names, "", device), pixels


def predicted(classifier: Classifier, pixels: np.ndarray) -> int:
    """The class with the highest score, of an image that `prepared` gave."""
    with untouched(classifier.network):
        return int(classifier.logits(classifier.preprocessing.tensor(pixels)[None])[0].argmax())  # 1 k


def _on_tensor(model: Classifier, image: Tensor) -> tuple[Classifier, np.ndarray]:
    how = _AsItIs(PreprocessingSpec(mode="native"))
    return Classifier(
        model.name, model.architecture, model.network, how, model.class_names, model.sha256, model.device
    ), of_tensor(image)


def of_tensor(image: Tensor) -> np.ndarray:
    """A normalised tensor (3 h w or 1 3 h w) as float32 (h, w, 3); raises AttributionError for another."""
    if not isinstance(image, Tensor):
        return pixels_of(image)
    one = image[0] if image.ndim == 4 and len(image) == 1 else image
    if one.ndim != 3 or one.shape[0] != 3 or not one.is_floating_point():
        raise AttributionError(
            "the image",
            f"is a tensor of {str(image.dtype).removeprefix('torch.')} and shape {tuple(image.shape)}",
            "Give one normalised image: float (3, h, w) or (1, 3, h, w).",
        )
    return one.detach().float().cpu().numpy().transpose(1, 2, 0)  # 3 h w -> h w 3


def pixels_of(image: Picture) -> np.ndarray:
    """An array, a PIL image or a file as uint8 (h, w, 3); raises AttributionError, or ImageError for a file."""
    if isinstance(image, (str, Path)):
        return read_image(image).pixels
    if isinstance(image, Image.Image):
        return np.array(image.convert("RGB"))
    if isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
        return image
    of = f" of {image.dtype} and shape {image.shape}" if isinstance(image, np.ndarray) else ""
    raise AttributionError(
        "the image",
        f"is a {type(image).__name__}{of}",
        "Give uint8 (h, w, 3) RGB, a PIL image, a path, or a normalised tensor (3, h, w).",
    )


def _preprocessing(given: Given) -> Preprocessing:
    if given is None:
        raise AttributionError("the image", "how it becomes the network's input is not known", _NEEDED)
    if isinstance(given, Preprocessing):
        return given
    return Preprocessing(
        given if isinstance(given, PreprocessingSpec) else PreprocessingSpec.model_validate(given)
    )


def _outputs(network: nn.Module, tensor: Tensor) -> int:
    device = next((value.device for value in network.parameters()), torch.device("cpu"))
    with torch.no_grad():
        scores = network(tensor[None].to(device))
    if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != 1:
        said = tuple(scores.shape) if isinstance(scores, Tensor) else f"a {type(scores).__name__}"
        raise AttributionError(
            type(network).__name__,
            f"it answers {said} for one image, not scores (1, classes)",
            "Wrap it in a module whose forward gives the scores alone.",
        )
    return int(scores.shape[1])
