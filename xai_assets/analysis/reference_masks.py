"""Reference masks from a folder of pictures: white is inside, one file an image, or one an image and class."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from xai_assets.errors import XaiError
from xai_assets.vision.geometry import Frame
from xai_assets.vision.images import ImageError, read_image

Lies = Literal["original", "model"]
"""What the masks are drawn on: the original picture, or the model's view of it."""

INSIDE = 128
"""Grey from here on is inside: outlines that were smoothed when they were drawn are cut in their middle."""

_MODES = ("1", "L", "P", "RGB", "I;16")  # none with transparency, which would be laid over white: inside


class MaskError(XaiError):
    """A reference mask that is not there, or cannot be used."""


@dataclass(frozen=True)
class Case:
    """An image and explained class that a mask is sought for.

    Attributes:
        image_id: the image's name.
        target_name: the class.
        alone: whether it is the image's only explained class.
        frame: how the model's frame lies in the image.
    """

    image_id: str
    target_name: str
    alone: bool
    frame: Frame


def find_masks(
    folder: Path, cases: Iterable[Case], *, lies: Lies
) -> tuple[dict[tuple[str, str], np.ndarray], dict[tuple[str, str], str]]:
    """The reference masks of some cases, in the model's frame.

    Args:
        folder: PNG files named by the image (`cat.jpg.png` or `cat.png`) or, needed where an image has several
            explained classes, by image and class (`cat.dog.png`; a `/` in a class is `_`).
        cases: what masks are sought for.
        lies: what the masks are drawn on. A mask of another size is not resized: it is an error of its case.

    Returns:
        By image and class: the mask (h w bool), or why there is none.

    Raises:
        MaskError: no such folder.
    """
    files = mask_files(folder)
    found: dict[tuple[str, str], np.ndarray] = {}
    absent: dict[tuple[str, str], str] = {}
    for case in cases:
        key = case.image_id, case.target_name
        try:
            found[key] = find_mask(case, files, folder, lies=lies)
        except XaiError as error:
            absent[key] = str(error)
    return found, absent


def mask_files(folder: Path) -> dict[str, Path]:
    """The PNG files of a folder by name; raises MaskError where there is no such folder."""
    if not folder.is_dir():
        raise MaskError(str(folder), "there is no such folder of masks", "Name a folder of PNG files.")
    return {path.name: path for path in sorted(folder.iterdir()) if path.suffix.lower() == ".png"}


def find_mask(case: Case, files: Mapping[str, Path], folder: Path, *, lies: Lies) -> np.ndarray:
    """The mask of one case among `mask_files`, h w bool in the model's frame; raises as `read_mask` and `place`."""
    return place(read_mask(_file_of(case, files, folder)), case.frame, lies=lies)


def read_mask(path: Path) -> np.ndarray:
    """A black and white picture as a mask, h w bool: white is inside.

    Raises:
        MaskError: no picture, transparent, coloured, or without any white.
    """
    try:
        image = read_image(path)
    except ImageError as error:
        raise MaskError(error.what, error.why, error.remedy) from error
    if image.mode not in _MODES:
        raise MaskError(
            str(path), f"it is of mode {image.mode}", "Save it in black and white, without transparency."
        )
    grey = image.pixels[..., 0]
    if (image.pixels != grey[..., None]).any():
        raise MaskError(str(path), "it has colours: a label map?", "Save one class in white on black.")
    mask = grey >= INSIDE
    if not mask.any():
        told = "its values are 0 and 1" if 0 < grey.max() <= 1 else f"its brightest value is {grey.max()}"
        raise MaskError(str(path), f"it has no white: {told}", "White (255) is inside, black is outside.")
    return mask


def place(mask: np.ndarray, frame: Frame, *, lies: Lies) -> np.ndarray:
    """A mask in the model's frame, h w bool.

    Raises:
        MaskError: its size is not that of what it is said to be drawn on; or nothing of it is in the frame.
    """
    wanted, other = (frame.original, frame.size) if lies == "original" else (frame.size, frame.original)
    if mask.shape != wanted:
        fits = f" It fits the {'model' if lies == 'original' else 'original'} frame: say so."
        raise MaskError(
            f"a mask of {mask.shape[1]} x {mask.shape[0]} pixels",
            f"does not lie on the {lies} frame of {wanted[1]} x {wanted[0]}",
            f"Masks are not resized.{fits if mask.shape == other else ''}",
        )
    placed = frame.crop_mask(mask) if lies == "original" else mask
    if not placed.any():
        raise MaskError(
            "a mask", "lies wholly outside what the model sees of the image", "Use the mode squash."
        )
    return placed


def _file_of(case: Case, files: Mapping[str, Path], folder: Path) -> Path:
    stems = dict.fromkeys((case.image_id, Path(case.image_id).stem))
    own = [f"{stem}.{case.target_name.replace('/', '_')}.png" for stem in stems]
    shared = [f"{stem}.png" for stem in stems]
    present = [name for name in (*own, *(shared if case.alone else ())) if name in files]
    if not present:
        several = not case.alone and any(name in files for name in shared)
        raise MaskError(
            f"the mask of {case.image_id} ({case.target_name})",
            "the image has several explained classes, and its mask does not say which it is of"
            if several
            else f"there is none in {folder}",
            f"Put it there as {own[-1] if not case.alone else shared[-1]}.",
        )
    return files[present[0]]
