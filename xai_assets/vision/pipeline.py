"""Preprocessing in steps at work: torchvision's own functions, in the order in which a study lists them."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F

from xai_assets.vision.transform_steps import (
    CenterCrop,
    ConvertImageDtype,
    Normalize,
    Pad,
    PadToSquare,
    PILToTensor,
    Resize,
    Step,
    ToTensor,
    normalisation,
    to_square,
)


def input_of(pixels: np.ndarray, steps: Sequence[Step]) -> Tensor:
    """The model's input, float32 (3, h, w), of an image, uint8 (H, W, 3)."""
    found = run(pixels, steps)
    return (
        F.to_tensor(found) if isinstance(found, Image.Image) else F.convert_image_dtype(found, torch.float32)
    )


def view_of(pixels: np.ndarray, steps: Sequence[Step]) -> np.ndarray:
    """What the model sees before it is normalised, uint8 (h, w, 3).

    Where a tensor of floats is resized or padded, the nearest 8 bits: from them the input comes back up to 1 / 510 of a
    channel's range.
    """
    moved = [at for at, step in enumerate(steps) if isinstance(step, (Resize, CenterCrop, Pad, PadToSquare))]
    levels = [at for at, step in enumerate(steps) if isinstance(step, (ToTensor, ConvertImageDtype))]
    if not moved or not levels or levels[0] > moved[-1]:
        # All that moves pixels comes before floats: what follows changes none.
        found = run(pixels, steps[: moved[-1] + 1] if moved else ())
        return np.array(found) if isinstance(found, Image.Image) else found.permute(1, 2, 0).numpy()
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in normalisation(steps))
    seen = input_of(pixels, steps) * std + mean
    return (seen.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()  # 3 h w -> h w 3


def run(pixels: np.ndarray, steps: Sequence[Step]) -> Image.Image | Tensor:
    """An image, uint8 (H, W, 3), after the operations."""
    found: Image.Image | Tensor = Image.fromarray(pixels)
    for step in steps:
        found = _after(found, step)
    return found


def _after(image: Image.Image | Tensor, step: Step) -> Image.Image | Tensor:
    match step:
        case Resize():
            size = [step.size] if isinstance(step.size, int) else list(step.size)
            interpolation = InterpolationMode(step.interpolation)
            antialias = step.antialias or isinstance(
                image, Image.Image
            )  # Pillow always is, and warns of less
            return F.resize(image, size, interpolation, max_size=step.max_size, antialias=antialias)
        case CenterCrop():
            return F.center_crop(image, list(step.sides))
        case Pad():
            return F.pad(image, list(step.edges), _fill(step.fill, image), step.padding_mode)
        case PadToSquare():
            _, height, width = F.get_dimensions(image)
            return F.pad(image, list(to_square(height, width)), _fill(step.fill, image), "constant")
        case ToTensor():
            return F.to_tensor(image)
        case PILToTensor():
            return F.pil_to_tensor(image)
        case ConvertImageDtype():
            return F.convert_image_dtype(image, torch.float32)
        case Normalize():
            return F.normalize(image, list(step.mean), list(step.std))


def _fill(fill: float | tuple[float, float, float], image: Image.Image | Tensor) -> float | tuple[int, ...]:
    """Pillow takes whole levels, a tensor a number."""
    if not isinstance(image, Image.Image):
        return fill  # type: ignore[return-value]
    return tuple(round(value) for value in fill) if isinstance(fill, tuple) else round(fill)
