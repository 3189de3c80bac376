"""Reading images from files: RGB, upright, 8 bits, or a clear error. A broken file becomes no image."""

import io
import logging
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, ImageOps

from xai_assets.errors import XaiError
from xai_assets.files import sha256_bytes
from xai_assets.reading import read_regular, shown
from xai_assets.vision.bit_depth import declared_white, too_dark
from xai_assets.vision.image_files import SUFFIXES, ImageError, image_id, list_folder, read_folder
from xai_assets.vision.jpeg_excess import jpeg_excess
from xai_assets.vision.libtiff import libtiff_errors
from xai_assets.vision.pixels import rgb_pixels
from xai_assets.vision.png_text import without_text
from xai_assets.vision.webp_size import webp_canvas

__all__ = [
    "FORMATS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "SUFFIXES",
    "ImageError",
    "LoadedImage",
    "Quarantined",
    "image_id",
    "list_folder",
    "load_images",
    "open_image",
    "read_each",
    "read_folder",
    "read_image",
]

MAX_PIXELS = 64_000_000
"""Below Pillow's own alarm (89 million). A file of any size gives at most 192 MB of RGB; decoding it takes at most some
DECODING_BYTES a pixel, 1 GB."""
MAX_BYTES = 256 * 2**20
DECODING_BYTES = 16
"""Bytes a pixel that decoding and conversion take at most: JPEG 2000 has 12 and the result 4."""
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Decoded in the process. Pillow would hand an EPS file to Ghostscript: not from strangers."""
_OF_SUFFIX = {
    ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP",
    ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF", ".ppm": "PPM", ".pgm": "PPM", ".jp2": "JPEG2000",
    ".avif": "AVIF",
}  # fmt: skip
_PILLOW = logging.getLogger("PIL")
_decoding = threading.Lock()


@dataclass(frozen=True)
class LoadedImage:
    """An image and where it came from.

    Attributes:
        id: the file's name as text, or its path below the folder it was found in; unique within one `load_images`.
        pixels: uint8 (h, w, 3), RGB, turned upright as EXIF says; not writeable.
        sha256: of the file's bytes.
        path: where the file was read.
        mode: Pillow's mode of the file ("RGB", "CMYK", "P", "I;16"), so that conversions can be reported.
        notes: what is unusual about the file, a sentence each: a suffix of another format, 12 bits in 16.
    """

    id: str
    pixels: np.ndarray = field(repr=False)
    sha256: str
    path: str
    mode: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Quarantined:
    """A file that was left out, with the error's three parts."""

    path: str
    what: str
    why: str
    remedy: str


def read_image(path: str | Path, *, id: str | None = None, max_pixels: int = MAX_PIXELS) -> LoadedImage:
    """Read one image, of at most MAX_BYTES bytes and `max_pixels` pixels.

    Grey, palette, CMYK, Lab, 1-bit and 16-bit images become 8-bit RGB, transparency is laid over white, and
    EXIF orientation is applied. Colour profiles are not, as torchvision and open_clip do not. Time and memory are
    bounded by the two limits: of a second frame or page it is asked only whether there is one.

    Raises:
        ImageError: missing, no regular file, empty, not an image, truncated or damaged, animated or of several
            pages, more than `max_pixels`, or of a mode without an agreed white (floating point, 32-bit integers).
        MemoryError: too little memory to decode it, which says nothing about the file.
    """
    data = _read_bytes(path)
    with _quiet():
        image = open_image(path, data, max_pixels)
        notes = [*_misnamed(path, image)]
        white = declared_white(image)
        _reserve(path, *image.size)
        try:
            if image.format == "PNG":
                Image.open(
                    io.BytesIO(without_text(data)), formats=FORMATS
                ).verify()  # decoding alone skips the checksums
            with _whole_images_only(), libtiff_errors() as errors:
                image.load()
            if errors:
                raise OSError(errors[0])
            mode = image.mode
            if dark := too_dark(image, data):
                notes.append(dark)
            pixels = rgb_pixels(ImageOps.exif_transpose(image), white=white)
        except XaiError as error:
            raise ImageError(shown(path), error.why, error.remedy) from error
        except Exception as error:
            # Pillow's decoders raise almost anything on damaged data, and some of it where they get no memory. Where
            # there is memory, a MemoryError means damage too: the file claims more than its pixels need.
            _reserve(path, *image.size, times=2)
            raise ImageError(
                shown(path),
                f"the image is truncated or damaged ({_reason(error)})",
                "Get a whole copy of it.",
            ) from error
    pixels.flags.writeable = False
    return LoadedImage(id or image_id(path), pixels, sha256_bytes(data), str(path), mode, tuple(notes))


def load_images(
    paths: Iterable[str | Path], *, root: str | Path | None = None, max_pixels: int = MAX_PIXELS
) -> tuple[list[LoadedImage], list[Quarantined]]:
    """Read many images; what cannot be read is quarantined with its reason and does not stop the others.

    Args:
        paths: files.
        root: the folder that the paths begin with; ids are then paths below it, else plain file names. A second file of
            the same id is quarantined, since every result is filed under the id.
        max_pixels: as for `read_image`.

    Raises:
        MemoryError: too little memory to decode one of them: what is set aside must not depend on it.
    """
    found = [one for _, one in read_each(paths, root=root, max_pixels=max_pixels)]
    return (
        [one for one in found if isinstance(one, LoadedImage)],
        [one for one in found if isinstance(one, Quarantined)],
    )


def read_each(
    paths: Iterable[str | Path], *, root: str | Path | None = None, max_pixels: int = MAX_PIXELS
) -> Iterator[tuple[str, LoadedImage | Quarantined]]:
    """As `load_images`, one at a time with its id; the pixels are the caller's to keep."""
    taken: dict[str, str] = {}
    for path in map(Path, paths):
        id = image_id(path, root)
        try:
            image = read_image(path, id=id, max_pixels=max_pixels)
            if id in taken:
                why = f"its name is taken by {taken[id]}"
                raise ImageError(shown(path), why, "Rename one of the two.")
        except ImageError as error:
            yield id, Quarantined(shown(path), error.what, error.why, error.remedy)
        else:
            taken[id] = shown(path)
            yield id, image


def open_image(path: str | Path, data: bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """The image of a file's bytes with its header read and no pixel decoded.

    Raises:
        ImageError: not an image of FORMATS, a damaged header, several frames or pages, more than `max_pixels`.
        MemoryError: too little memory.
    """
    if excess := jpeg_excess(data):
        raise ImageError(shown(path), excess, "Save it again.")
    try:
        image = Image.open(io.BytesIO(without_text(data)), formats=FORMATS)
        # An MPO is a JPEG with previews behind. Counting frames would read them all: asked is for the second.
        several = image.format != "MPO" and bool(getattr(image, "is_animated", False))
    except Image.DecompressionBombError as error:
        why = f"its header claims too many pixels ({_reason(error)})"
        raise ImageError(shown(path), why, "Save it smaller, or get a whole copy of it.") from error
    except Exception as error:  # as above: headers can be damaged in as many ways as pixels
        width, height = webp_canvas(data) or (0, 0)  # WebP gets its memory when it is opened
        if width * height <= max_pixels:
            _reserve(path, width, height)
        raise ImageError(
            shown(path),
            f"it is not an image in a known format, or its header is damaged ({_reason(error)})",
            f"Save it as one of {', '.join(FORMATS)}.",
        ) from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            shown(path), f"{width} x {height} pixels are more than {max_pixels:,}", "Save it smaller."
        )
    if several:
        raise ImageError(
            shown(path), "it holds several frames or pages", "Save the one that is meant as its own file."
        )
    return image


def _read_bytes(path: str | Path) -> bytes:
    data = read_regular(path, MAX_BYTES, error=ImageError)
    if not data:
        raise ImageError(shown(path), "the file is empty", "Get a whole copy of it.")
    return data


def _misnamed(path: str | Path, image: Image.Image) -> Iterator[str]:
    expected = _OF_SUFFIX.get(Path(path).suffix.lower())
    found = "JPEG" if image.format == "MPO" else image.format
    if expected and expected != found:
        yield f"its content is {found} and its suffix {Path(path).suffix} says {expected}; read as {found}"


def _reserve(path: str | Path, width: int, height: int, *, times: int = 1) -> None:
    """Raise MemoryError where the process may not have the memory that decoding takes; it is given back at once."""
    size = width * height * DECODING_BYTES * times
    try:
        np.empty(size, np.uint8)
    except MemoryError as error:
        raise MemoryError(
            f"{shown(path)}: decoding {width} x {height} pixels takes up to {size // 2**20:,} MiB, more than this "
            "process can get; the file itself is no problem"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Pillow warns of its own limit, which is above ours, and of odd metadata, which is not used; some of it it logs."""
    before = _PILLOW.level
    _PILLOW.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        _PILLOW.setLevel(before)


@contextmanager
def _whole_images_only() -> Iterator[None]:
    # WeasyPrint, once imported, has Pillow fill truncated images with grey in the whole process.
    with _decoding:
        before = ImageFile.LOAD_TRUNCATED_IMAGES
        ImageFile.LOAD_TRUNCATED_IMAGES = False
        try:
            yield
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = before


def _reason(error: Exception) -> str:
    # Pillow quotes the memory address of our buffer, which would make two runs differ.
    text = str(error).split(" <_io.BytesIO")[0].strip() or "no reason given"
    return f"{type(error).__name__}: {text[:200]}"
