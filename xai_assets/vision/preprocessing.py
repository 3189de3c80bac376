"""From a picture to the model's input, in two steps: what the model sees (8 bits), and that normalised."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from xai_assets.errors import XaiError
from xai_assets.files import fingerprint
from xai_assets.vision.geometry import Frame, resize_crop_frame, resized_sides, whole_frame
from xai_assets.vision.spec import PreprocessingSpec
from xai_assets.vision.transform_steps import Pad, Step, sizes_and_frame

# A picture of 1 x 60000 pixels, its shorter side brought to 256, would need 12 GB on the way to its crop.
MAX_RESIZED_PIXELS = 128_000_000


@dataclass(frozen=True)
class Preprocessing:
    """A `PreprocessingSpec` at work, by torchvision's own functions on Pillow images."""

    spec: PreprocessingSpec

    def fingerprint(self) -> str:
        """A name for these settings by their content, for the keys of results."""
        # What range the authors state changes nothing of the input.
        without = {"input_range"} if self.spec.steps else {"input_range", "steps"}
        return fingerprint(self.spec.model_dump(mode="json", exclude=without))

    def frame(self, height: int, width: int) -> Frame:
        """Where the model's frame lies in a picture of `height` by `width` pixels.

        Raises:
            XaiError: native with a size, and the picture has another one; a picture so long and thin that
                bringing its shorter side to `resize` would need gigabytes; steps that leave nothing of the picture.
        """
        spec = self.spec
        if spec.steps is not None:
            return _frame_of_steps(height, width, spec.steps)
        if spec.mode == "resize_crop":
            assert spec.resize is not None  # the spec's validator sees to both
            assert spec.size is not None
            resized_h, resized_w = resized_sides(height, width, spec.resize)
            if resized_h * resized_w > MAX_RESIZED_PIXELS:
                raise XaiError(
                    f"a picture of {width} x {height} pixels",
                    f"it is too long and thin: with its shorter side at {spec.resize} it would be "
                    f"{resized_w} x {resized_h}",
                    "Cut out the part that matters, or use the mode squash.",
                )
            return resize_crop_frame(height, width, spec.resize, spec.size)
        if spec.mode == "squash":
            assert spec.size is not None
            return whole_frame(height, width, (spec.size, spec.size), "squash")
        if spec.size is not None and (height, width) != (spec.size, spec.size):
            raise XaiError(
                f"a picture of {width} x {height} pixels",
                f"the model takes pictures of {spec.size} x {spec.size} as they are",
                "Use the mode squash or resize_crop for pictures of other sizes.",
            )
        return whole_frame(height, width, (height, width), "native")

    def view(self, pixels: np.ndarray) -> np.ndarray:
        """What the model sees, before normalisation: uint8 (H, W, 3) -> uint8 (h, w, 3).

        Raises:
            ValueError: not uint8 (h, w, 3).
            XaiError: as for `frame`.
        """
        check_pixels(pixels)
        frame = self.frame(*pixels.shape[:2])
        if self.spec.steps is not None:
            from xai_assets.vision.pipeline import (
                view_of,
            )  # torchvision, seconds: an image that fits does without

            return view_of(pixels, self.spec.steps)
        if self.spec.mode == "native" or (self.spec.mode == "squash" and frame.size == pixels.shape[:2]):
            return pixels.copy()
        if self.spec.mode == "squash":
            return np.array(self._resize(pixels, list(frame.size)))
        assert self.spec.resize is not None
        from torchvision.transforms import functional as F

        resized = self._resize(pixels, [self.spec.resize])
        return np.array(F.center_crop(resized, list(frame.size)))

    def tensor(self, pixels: np.ndarray) -> Tensor:
        """The model's input for one picture: uint8 (H, W, 3) -> float32 (3, h, w). Raises as `view` does."""
        if self.spec.steps is not None:
            from xai_assets.vision.pipeline import input_of

            check_pixels(pixels)
            self.frame(*pixels.shape[:2])
            return input_of(pixels, self.spec.steps)
        return self.from_view(self.view(pixels)[None])[0]

    def from_view(self, views: np.ndarray) -> Tensor:
        """The model's input for what it sees: uint8 (n, h, w, 3) -> float32 (n, 3, h, w), normalised.

        Raises:
            ValueError: not uint8 (n, h, w, 3).
        """
        if views.dtype != np.uint8 or views.ndim != 4 or views.shape[3] != 3:
            raise ValueError(f"views must be uint8 (n, h, w, 3), not {views.dtype} {views.shape}")
        batch = torch.from_numpy(views.transpose(0, 3, 1, 2).copy())  # n h w 3 -> n 3 h w
        # As torchvision's convert_image_dtype and normalize do it, to the bit.
        scaled = batch.to(torch.float32).div_(255)  # 0..255 -> 0..1
        mean, std = (torch.tensor(values).view(-1, 1, 1) for values in (self.spec.mean, self.spec.std))
        return scaled.sub_(mean).div_(std)

    def _resize(self, pixels: np.ndarray, size: list[int]) -> Image.Image:
        from torchvision.transforms import InterpolationMode
        from torchvision.transforms import functional as F

        interpolation = InterpolationMode(self.spec.interpolation)
        if self.spec.antialias:
            return F.resize(
                Image.fromarray(pixels), size, interpolation
            )  # Pillow always averages when shrinking
        planes = torch.from_numpy(pixels.transpose(2, 0, 1).copy())  # h w 3 -> 3 h w
        resized = F.resize(planes, size, interpolation, antialias=False)
        return Image.fromarray(resized.permute(1, 2, 0).numpy())  # 3 h w -> h w 3


def _frame_of_steps(height: int, width: int, steps: Sequence[Step]) -> Frame:
    sizes, frame = sizes_and_frame(height, width, steps)
    what = f"a picture of {width} x {height} pixels"
    before = (height, width)
    for step, (h, w) in zip(steps, sizes, strict=True):
        if h * w > MAX_RESIZED_PIXELS or not h * w:
            raise XaiError(
                what, f"{step.name} would make {w} x {h} pixels of it", "Cut out the part that matters."
            )
        if isinstance(step, Pad) and step.padding_mode in ("reflect", "symmetric"):
            left, top, right, bottom = step.edges
            if max(top, bottom) >= before[0] or max(left, right) >= before[1]:
                raise XaiError(
                    what,
                    f"Pad by {step.padding} would mirror more than there is of {before[1]} x {before[0]} pixels",
                    "Write Resize before Pad, or another `padding_mode`.",
                )
        before = (h, w)
    try:
        frame.within()
    except ValueError as error:
        raise XaiError(
            what, f"the model would see nothing of it: {error}", "Look at Pad and CenterCrop."
        ) from error
    return frame


def check_pixels(pixels: np.ndarray) -> None:
    """Raises ValueError for what is not uint8 (h, w, 3), such as a normalised tensor taken for a picture."""
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or pixels.ndim != 3
        or pixels.shape[2] != 3
    ):
        shape = getattr(pixels, "shape", None)
        raise ValueError(
            f"a picture must be uint8 (h, w, 3), not {getattr(pixels, 'dtype', type(pixels))} {shape}"
        )
