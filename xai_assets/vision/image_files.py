"""The image files of a folder, and what else is there: nothing is left out without a word."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.reading import kind_of, shown
from xai_assets.vision.packaged import packaged_file

SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".webp",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".jp2",
    ".avif",
)

MAX_BELOW = 10_000
"""Image files that are named of the folders below; a folder may hold a whole data set."""

BELOW = "it is in a folder below"
"""Why an image file is left out where folders below are not read."""

NAMED = 3
"""Files that an error names."""


class ImageError(XaiError):
    """A file that cannot be used as an image."""


@dataclass(frozen=True)
class LeftOut:
    """A file or folder beside the images that is not read.

    Attributes:
        name: its path below the folder (`image_id`).
        why: the reason, the same for all of a kind.
    """

    name: str
    why: str


@dataclass(frozen=True)
class ImageFolder:
    """What a folder holds, or what was found of a list of files.

    Attributes:
        folder: the folder; None for files of installed packages.
        images: the image files by their suffix, sorted by path; at least one.
        left_out: everything else that is not hidden, sorted by name: files of other suffixes, what is named like an
            image and is no regular file, and, where they are not read, image files in folders below (the first
            MAX_BELOW of them).
    """

    folder: Path | None
    images: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


def image_id(path: str | Path, folder: str | Path | None = None) -> str:
    r"""The name of an image in tables and reports, with bytes that are not UTF-8 and controls escaped.

    It can be encoded in UTF-8 and has no line feeds, tabs or text direction overrides: `caf\xe9.png`.

    Args:
        path: its file.
        folder: where the image was found, as it is written in `path`: the name is the path below it (`dog/a.png`), so
            that two files of one name are two images. None: the file's name alone.
    """
    return shown(os.path.basename(path) if folder is None else Path(path).relative_to(folder).as_posix())


def list_folder(folder: str | Path, *, recursive: bool = False) -> ImageFolder:
    """The image files of a folder, and what is left out of it. Nothing is opened; hidden files do not count.

    Args:
        folder: the folder.
        recursive: the files of the folders below as well. Links to folders are not followed: they could form a circle.

    Raises:
        ImageError: the folder is missing, is not a folder, cannot be listed, or holds no image file.
    """
    folder = Path(folder)
    entries = _entries(folder)
    images, left_out = [], []
    for path in [*entries, *(_below(entries) if recursive else ())]:
        kind = kind_of(path)
        if path.suffix.lower() in SUFFIXES and path.is_file():
            images.append(path)
        elif path.suffix.lower() in SUFFIXES:
            left_out.append(LeftOut(image_id(path, folder), f"it is {kind or 'gone'}, not a regular file"))
        elif kind is None:
            left_out.append(LeftOut(image_id(path, folder), _other(path)))
    if not recursive:
        below = islice((path for path in _below(entries) if _is_image(path)), MAX_BELOW)
        left_out += [LeftOut(image_id(path, folder), BELOW) for path in below]
    if not images:
        beside = f"; beside them {_counted(left_out)}" if left_out else ""
        raise ImageError(
            shown(folder), f"it holds no image files{beside}", f"Put some there ({', '.join(SUFFIXES)})."
        )
    return ImageFolder(folder, tuple(sorted(images)), tuple(sorted(left_out, key=lambda one: one.name)))


def list_packaged(names: Sequence[str]) -> ImageFolder:
    """The image files of installed packages by names such as "skimage/data/coffee.png", in that order.

    Nothing of a package runs. A file that is not there is left out, with the reason.

    Raises:
        ImageError: not one is there.
    """
    found = [(name, packaged_file(*name.split("/", 1))) for name in names]
    left_out = tuple(LeftOut(name, "no installed package has it") for name, path in found if path is None)
    images = tuple(path for _, path in found if path is not None)
    if not images:
        raise ImageError(
            _counted(list(left_out)),
            "not one of the files is there",
            "Install the packages, or name other files.",
        )
    return ImageFolder(None, images, left_out)


def read_folder(folder: str | Path, *, recursive: bool = False) -> tuple[Path, ...]:
    """The image files of a folder, told by their suffix and sorted by path; arguments and errors as of `list_folder`."""
    return list_folder(folder, recursive=recursive).images


def _entries(folder: Path) -> list[Path]:
    """All that is in a folder and not hidden, sorted."""
    if not folder.is_dir():
        why = "it is not a folder" if folder.exists() else "there is no such folder"
        raise ImageError(shown(folder), why, "Name a folder of images.")
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise ImageError(
            shown(folder), f"it cannot be listed ({error.strerror})", "Check its permissions."
        ) from error


def _below(entries: list[Path]) -> Iterator[Path]:
    """The files in the folders among `entries` and below; hidden ones do not count."""
    for path in entries:
        if not path.is_dir() or path.is_symlink():
            continue
        for at, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from (Path(at, name) for name in sorted(files) if not name.startswith("."))


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _other(path: Path) -> str:
    suffix = shown(path.suffix.lower())
    return f"files of the suffix {suffix} are not read" if suffix else "it has no suffix, so it is not read"


def _counted(left_out: list[LeftOut]) -> str:
    named = ", ".join(f"{one.name} ({one.why})" for one in left_out[:NAMED])
    return named if len(left_out) <= NAMED else f"{named} and {len(left_out) - NAMED} more"
