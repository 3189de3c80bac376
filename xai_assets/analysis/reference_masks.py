"""Reference masks from a folder of images: white is inside, one file an image, or one an image and class."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from xai_assets.analysis.mask_reading import MaskError, read_mask
from xai_assets.errors import XaiError
from xai_assets.vision.geometry import Frame
from xai_assets.vision.images import SUFFIXES, image_id

__all__ = ["Case", "Lies", "MaskError", "find_mask", "find_masks", "mask_files", "place", "read_mask"]

Lies = Literal["original", "model"]
"""What the masks are drawn on: the original image, or the model's view of it."""


@dataclass(frozen=True)
class Case:
    """An image and target class that a mask is sought for.

    Attributes:
        image_id: the image's name.
        target_name: the class.
        alone: whether it is the image's only target class.
        frame: how the model's frame lies in the image.
        shares_stem: whether another image of the study has the same name but for the suffix.
    """

    image_id: str
    target_name: str
    alone: bool
    frame: Frame
    shares_stem: bool = False


def find_masks(
    folder: Path, cases: Iterable[Case], *, lies: Lies
) -> tuple[dict[tuple[str, str], np.ndarray], dict[tuple[str, str], str]]:
    """The reference masks of some cases, in the model's frame.

    Args:
        folder: PNG files named by the image (`cat.jpg.png` or `cat.png`) or, needed where an image has several
            target classes, by image and class (`cat.dog.png`, or `dog/cat.png`; a `/` in a class is `_`).
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
    """The image files of a folder by name, and those of its subfolders as `subfolder/name`.

    Raises:
        MaskError: no such folder.
    """
    if not folder.is_dir():
        raise MaskError(str(folder), "there is no such folder of masks", "Name a folder of PNG files.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            found |= {
                _plain(f"{image_id(path)}/{image_id(inner)}"): inner
                for inner in sorted(path.iterdir())
                if _is_image(inner)
            }
        elif _is_image(path):
            found[_plain(image_id(path))] = path
    return found


def _plain(name: str) -> str:
    """Names are compared in one Unicode form: file systems and archives change it."""
    return unicodedata.normalize("NFC", name)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def find_mask(case: Case, files: Mapping[str, Path], folder: Path, *, lies: Lies) -> np.ndarray:
    """The mask of one case among `mask_files`, h w bool in the model's frame; raises as `read_mask` and `place`."""
    return place(read_mask(file_of(case, files, folder)), case.frame, lies=lies)


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
            f"does not lie on the {lies} frame of {wanted[1]} x {wanted[0]}{turned(mask.shape, wanted)}",
            f"Masks are not resized.{fits if mask.shape == other else ''}",
        )
    placed = frame.crop_mask(mask) if lies == "original" else mask
    if not placed.any():
        raise MaskError(
            "a mask", "lies wholly outside what the model sees of the image", "Use the mode squash."
        )
    return placed


def turned(given: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What to add where the two sides are exchanged: an image that a camera turned is read upright."""
    if given == wanted or given != wanted[::-1]:
        return ""
    return " (the sides are exchanged: was it drawn before the image's EXIF orientation was applied?)"


def file_of(case: Case, files: Mapping[str, Path], folder: Path) -> Path:
    """The file of a case's mask.

    Raises:
        MaskError: there is none, it does not say which of several classes or images it is of, or it is no PNG.
    """
    image, name = _plain(case.image_id), _plain(case.target_name).replace("/", "_")
    stems = dict.fromkeys((image, *(() if case.shares_stem else (Path(image).stem,))))
    own = [f"{of}.{name}.png" for of in stems]
    shared = [f"{of}.png" for of in stems]
    wanted = [*own, *(f"{name}/{of}.png" for of in stems), *(shared if case.alone else ())]
    present = [file for file in wanted if file in files]
    if present:
        return files[present[0]]
    raise MaskError(
        f"the mask of {case.image_id} ({case.target_name})",
        _why_none(case, files, folder, shared),
        f"Put it there as {own[-1] if not case.alone else shared[-1]}.",
    )


def _why_none(case: Case, files: Mapping[str, Path], folder: Path, shared: list[str]) -> str:
    stem = Path(_plain(case.image_id)).stem
    if not case.alone and any(file in files for file in shared):
        return "the image has several target classes, and its mask does not say which it is of"
    if case.shares_stem and f"{stem}.png" in files:
        return f"several images are called {stem}, and {stem}.png does not say which it is of"
    near = [file for file in files if file.startswith(f"{stem}.") or file.rsplit("/", 1)[-1] == f"{stem}.png"]
    other = [file for file in near if not file.lower().endswith(".png")]
    if other:
        return f"{other[0]} is no PNG: lossy formats change a mask"
    if near:
        return f"there is none of this class in {folder}, but {near[0]}"
    return f"there is none in {folder}"


def says_class(case: Case, file: Path) -> bool:
    """Whether a mask's file says which class it is of."""
    image, name = _plain(case.image_id), _plain(case.target_name).replace("/", "_")
    unnamed = _plain(image_id(file)) in (f"{image}.png", f"{Path(image).stem}.png")
    return not unnamed or _plain(image_id(file.parent)) == name


def shared_stems(image_ids: Iterable[str]) -> set[str]:
    """The images whose name without its suffix is that of another one too."""
    names = list(image_ids)
    count = Counter(Path(name).stem for name in names)
    return {name for name in names if count[Path(name).stem] > 1}
