"""Reference masks from a folder of images: white is inside, one file an image, or one an image and class."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from xai_assets.analysis.mask_reading import MaskError, read_mask
from xai_assets.errors import XaiError
from xai_assets.vision.class_matching import folded
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
        alone: whether a mask that names no class is of this one: the image's only label or, where it has no label, its
            only target class.
        frame: how the model's frame lies in the image.
        names: what the image may be called by its masks and boxes, see `names_of_images`; none: its name, with and
            without suffix.
        label: the image's only label, where it has one.
        means: whether a word that a file has for a class means this one; None: where it is the class's name but for
            case, hyphens, underscores and spaces.
    """

    image_id: str
    target_name: str
    alone: bool
    frame: Frame
    names: tuple[str, ...] = ()
    label: str | None = None
    means: Callable[[str], bool] | None = None

    def says(self, word: str) -> bool:
        """Whether a word that a file has for a class means this one."""
        return folded(word) == folded(self.target_name) if self.means is None else self.means(word)

    @property
    def called(self) -> tuple[str, ...]:
        """What the image may be called, in one Unicode form."""
        names = self.names or (self.image_id, Path(self.image_id).stem)
        return tuple(dict.fromkeys(map(_plain, names)))


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
    """The image files of a folder by name, and those of the folders below by their path, such as `dog/cat.png`.

    Raises:
        MaskError: no such folder.
    """
    if not folder.is_dir():
        raise MaskError(str(folder), "there is no such folder of masks", "Name a folder of PNG files.")
    return {_plain(image_id(path, folder)): path for path in _images(folder)}


def _images(folder: Path, *, top: bool = True) -> Iterator[Path]:
    """The images of a folder and those below. Links to folders are followed at the top only: they may form a circle."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if top or not path.is_symlink():
                yield from _images(path, top=False)
        elif _is_image(path):
            yield path


def _plain(name: str) -> str:
    """Names are compared in one Unicode form: file systems and archives change it."""
    return unicodedata.normalize("NFC", name)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


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
    """The file of a case's mask: first by the class as the model writes it, then by any word that means the class.

    Raises:
        MaskError: there is none, it does not say which of several classes or images it is of, or it is no PNG.
    """
    present = matching(case, files, ".png")
    if present:
        return files[present[0]]
    name, called = _class_in_names(case), case.called
    raise MaskError(
        f"the mask of {case.image_id} ({case.target_name})",
        _why_none(case, files, folder, [f"{of}.png" for of in called]),
        f"Put it there as {f'{called[-1]}.{name}' if not case.alone else called[-1]}.png.",
    )


def matching(case: Case, names: Collection[str], suffix: str = "") -> list[str]:
    """The names of files that are of a case, the best first.

    By the class as the model writes it, then without a class where the case is the image's only one, and only where there
    is neither by any word that means the class.
    """
    name, called = _class_in_names(case), case.called
    wanted = [*(f"{of}.{name}{suffix}" for of in called), *(f"{name}/{of}{suffix}" for of in called)]
    # Where an image is `dog/a.jpg`, the file `dog/a.png` says a class as well, and need not be looked for by it.
    wanted += [f"{of}{suffix}" for of in called] if case.alone else []
    present = [file for file in wanted if file in names]
    return present or [file for file in names if _says(case, file, called, suffix)]


def _class_in_names(case: Case) -> str:
    return _plain(case.target_name).replace("/", "_")


def _says(case: Case, file: str, called: tuple[str, ...], suffix: str) -> bool:
    """Whether a file's name says an image by one of its names, and a class by a word that means it."""
    if not file.endswith(suffix):
        return False
    name = file[: len(file) - len(suffix)]
    for of in called:
        if name.startswith(f"{of}.") and len(name) > len(of) + 1:
            if case.says(name[len(of) + 1 :]):
                return True
        elif name.endswith(f"/{of}") and case.says(name[: -len(of) - 1]):
            return True
    return False


def _why_none(case: Case, files: Mapping[str, Path], folder: Path, shared: list[str]) -> str:
    stem = Path(_plain(case.image_id)).stem
    if not case.alone and any(file in files for file in shared):
        if case.label is not None:
            return f"its mask names no class, and is taken as of the image's label {case.label!r}"
        return "the image has several target classes, and its mask does not say which it is of"
    if stem not in case.called and f"{stem}.png" in files:
        return f"several images are called {stem}, and {stem}.png does not say which it is of"
    near = [file for file in files if file.startswith(f"{stem}.") or file.rsplit("/", 1)[-1] == f"{stem}.png"]
    other = [file for file in near if not file.lower().endswith(".png")]
    if other:
        return f"{other[0]} is no PNG: lossy formats change a mask"
    if near:
        return f"there is none of this class in {folder}, but {near[0]}"
    return f"there is none in {folder}"


def says_class(case: Case, file: Path, folder: Path) -> bool:
    """Whether a mask's file, found by `file_of` in that folder, says which class it is of."""
    return _plain(image_id(file, folder)) not in {f"{of}.png" for of in case.called}


def names_of_images(image_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What each image may be called by masks and boxes: its path and file name, with and without suffix.

    Names that are those of another image too are left out, but for the image's own.
    """
    all_names = {image: dict.fromkeys(map(_plain, _names(image))) for image in image_ids}
    count = Counter(name for names in all_names.values() for name in names)
    return {
        image: (image, *(name for name in names if count[name] == 1 and name != image))
        for image, names in all_names.items()
    }


def _names(image: str) -> tuple[str, ...]:
    path = PurePosixPath(image)
    return image, str(path.with_suffix("")), path.name, path.stem
