"""Attribution maps that another tool saved: grey PNG files, NumPy's .npy, safetensors. Nothing in them is run.

A file holds the map of one image and class, and is named by the image: `cat.npy`, or `cat.dog.npy` and `dog/cat.npy`
where it says a class. A safetensors file may hold many: its tensors are named so.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from xai_assets.interop.rendered import (
    as_pixels,
    colour_map,
    is_coloured,
    transparent,
    what_is_coloured,
    white_margins,
)
from xai_assets.interop.saved_arrays import MapFileError, float_map, numpy_array, tensor
from xai_assets.reading import shown
from xai_assets.vision.bit_depth import WHITE_OF_16_BITS
from xai_assets.vision.images import FORMATS, ImageError, read_image
from xai_assets.vision.safetensors_file import tensor_shapes

__all__ = ["MapFileError", "SavedMap", "list_maps", "read_map_file"]

SUFFIXES = (".png", ".npy", ".safetensors")
MAX_FILES = 200_000
MAX_TENSOR_BYTES = 8 * 2**30
"""Of a safetensors file, of which one map at a time is read."""

PLAIN_NAMES = (
    "map", "maps", "values", "attribution", "attributions", "cam", "grayscale_cam", "heatmap", "mask", "saliency", "data",
    "array", "arr_0",
)  # fmt: skip
"""Names of a file's only tensor that say neither an image nor a class."""

Channels = Literal["sum", "absolute"]
_AS_ARRAY = "Save the map itself with numpy.save, one float a pixel, before it is drawn."


@dataclass(frozen=True)
class SavedMap:
    """A map in a folder, not read yet.

    Attributes:
        path: its file.
        names: what it may be called: its path below the folder without suffix, such as `cat`, `cat.dog` or `dog/cat`.
        tensor: its tensor in a safetensors file; None for the other formats.
    """

    path: Path
    names: tuple[str, ...]
    tensor: str | None = None

    @property
    def shown(self) -> str:
        """The file's name for messages, with the tensor."""
        name = shown(self.path.name)
        return name if self.tensor is None else f"{name}, tensor {shown(self.tensor[:80])}"


def list_maps(folder: Path) -> tuple[list[SavedMap], list[str]]:
    """The maps of a folder and the folders below, or of one safetensors file; and other files, by their path there.

    Raises:
        MapFileError: no such folder, or more than MAX_FILES files.
        CheckpointError: a safetensors file that cannot be read.
    """
    if folder.suffix.lower() == ".safetensors" and folder.is_file():
        return list(_tensors(folder, folder.stem)), []
    if not folder.is_dir():
        raise MapFileError(
            shown(folder), "there is no such folder of maps", "Name a folder, or a .safetensors file."
        )
    maps: list[SavedMap] = []
    others: list[str] = []
    for count, path in enumerate(_files(folder), 1):
        if count > MAX_FILES:
            raise MapFileError(
                shown(folder), f"it has more than {MAX_FILES:,} files", "Name a smaller folder."
            )
        name = plain(path.relative_to(folder).with_suffix("").as_posix())
        match path.suffix.lower():
            case ".safetensors":
                maps += _tensors(path, name)
            case ".png" | ".npy":
                maps.append(SavedMap(path, (name,)))
            case _:
                others.append(plain(path.relative_to(folder).as_posix()))
    return maps, others


def read_map_file(saved: SavedMap, channels: Channels | None = None) -> np.ndarray:
    """The map, h w float32, of any sign and scale; of PNG files grey from 0 to 1.

    Args:
        saved: which.
        channels: how values of each colour channel (3 h w or h w 3) become one: their sum, or the sum of their
            magnitudes. None: such an array is refused.

    Raises:
        MapFileError: an image that is not grey or not opaque, a rendered figure, an array that is no map of numbers,
            values that are not finite, or pickled objects.
        ImageError, CheckpointError: a file that cannot be read.
    """
    if saved.tensor is not None:
        return _of_array(saved, tensor(saved.path, saved.tensor, max_bytes=MAX_TENSOR_BYTES), channels)
    if saved.path.suffix.lower() == ".npy":
        return _of_array(saved, numpy_array(saved.path), channels)
    return _of_png(saved)


def plain(name: str) -> str:
    """Names are compared in one Unicode form: file systems and archives change it."""
    return unicodedata.normalize("NFC", name)


def _files(folder: Path, *, top: bool = True) -> Iterator[Path]:
    """Files but hidden ones. Links to folders are followed at the top only: they may form a circle."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if top or not path.is_symlink():
                yield from _files(path, top=False)
        else:
            yield path


def _tensors(path: Path, name: str) -> Iterator[SavedMap]:
    found = tensor_shapes(path, max_bytes=MAX_TENSOR_BYTES)
    for of in found:
        own = (name,) if len(found) == 1 and of.lower() in PLAIN_NAMES else (plain(of), f"{name}.{plain(of)}")
        yield SavedMap(path, own, of)


def _of_png(saved: SavedMap) -> np.ndarray:
    try:
        image = read_image(saved.path)
    except ImageError as error:
        raise ImageError(saved.shown, error.why, error.remedy) from error
    if is_coloured(image.pixels):
        raise MapFileError(
            saved.shown, _with_margins(what_is_coloured(image.pixels), image.pixels), _AS_ARRAY
        )
    if transparent(saved.path):
        raise MapFileError(
            saved.shown, "it has transparent pixels: the map may be in the alpha channel", _AS_ARRAY
        )
    _refuse_margins(saved, image.pixels[..., 0])
    if image.mode == "I" or image.mode.startswith("I;16"):
        return _of_16_bits(saved, image.pixels.shape[:2])
    return image.pixels[..., 0].astype(np.float32) / np.float32(255)


def _of_16_bits(saved: SavedMap, shape: tuple[int, ...]) -> np.ndarray:
    with Image.open(saved.path, formats=FORMATS) as raw:  # read_image has read it already
        values = np.asarray(raw).astype(np.float32) / np.float32(WHITE_OF_16_BITS)
    if values.shape != shape:
        raise MapFileError(
            saved.shown, "its EXIF entry turns it: a map is no photograph", "Save it without EXIF."
        )
    return values


def _of_array(saved: SavedMap, array: np.ndarray, channels: Channels | None) -> np.ndarray:
    drawn = as_pixels(array)
    if drawn is not None and (array.dtype == np.uint8 or array.shape[2] == 4 or colour_map(drawn)):
        why = what_is_coloured(drawn) if is_coloured(drawn) else "it has the channels of a grey picture"
        raise MapFileError(saved.shown, _with_margins(f"shape {array.shape}: {why}", drawn), _AS_ARRAY)
    found = float_map(saved.shown, array, channels)
    low, high = float(found.min()), float(found.max())
    if high > low:
        _refuse_margins(saved, np.round((found - low) / (high - low) * 255).astype(np.uint8))
    return found


def _refuse_margins(saved: SavedMap, grey: np.ndarray) -> None:
    if (widths := white_margins(grey)) is not None:
        raise MapFileError(
            saved.shown, f"it has {_said(widths)}: a figure or a screenshot, no map", _AS_ARRAY
        )


def _with_margins(why: str, pixels: np.ndarray) -> str:
    widths = white_margins(pixels.min(axis=2))
    return why if widths is None else f"{why}, with {_said(widths)}"


def _said(widths: tuple[int, int, int, int]) -> str:
    top, left, bottom, right = widths
    return f"white margins of {top}, {right}, {bottom} and {left} pixels (top, right, bottom, left)"
