"""How a library's published weights of an architecture want their images: what is taken where nobody says otherwise."""

import math
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.vision.spec import PreprocessingSpec

_REMEDY = "Say it: {mode: resize_crop, resize: 256, size: 224} and, where they are others than ImageNet's, mean and std."


def published_preprocessing(architecture: str) -> PreprocessingSpec:
    """The evaluation transform of torchvision's default weights, or of timm's configuration, of an architecture.

    Raises:
        XaiError: it is not known, or is none that a `PreprocessingSpec` can say.
    """
    import timm  # the libraries take seconds, and Diorama's networks do without them
    import torchvision

    library, _, name = architecture.partition("/")
    what = f"the preprocessing of {architecture}"
    if library == "torchvision" and name in torchvision.models.list_models(module=torchvision.models):
        return of_transforms(torchvision.models.get_model_weights(name)["DEFAULT"].transforms())
    if library == "timm" and timm.is_model(name):
        config = timm.get_pretrained_cfg(name)
        if config is not None:
            return _of_timm(config.to_dict(), what)
    raise XaiError(what, "no library says what it is", _REMEDY)


def of_transforms(transforms: Any) -> PreprocessingSpec:
    """torchvision's preset of a classifier (`ImageClassification`) as a spec."""
    return PreprocessingSpec(
        mode="resize_crop",
        resize=transforms.resize_size[0],
        size=transforms.crop_size[0],
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
        interpolation=transforms.interpolation.value,
        antialias=transforms.antialias,
    )


def _of_timm(config: dict[str, Any], what: str) -> PreprocessingSpec:
    _, height, width = config.get("input_size") or (3, 224, 224)
    mode, share = config.get("crop_mode") or "center", config.get("crop_pct") or 0.875
    if height != width or mode not in ("center", "squash"):
        raise XaiError(what, f"timm's is of {height} x {width} pixels with the crop mode {mode}", _REMEDY)
    given = {"mean": config["mean"], "std": config["std"]}
    interpolation = config.get("interpolation") or "bicubic"
    given |= {"interpolation": interpolation if interpolation in ("bilinear", "bicubic") else "bicubic"}
    if mode == "squash":
        return PreprocessingSpec(mode="squash", size=height, **given)
    return PreprocessingSpec(mode="resize_crop", resize=math.floor(height / share), size=height, **given)
