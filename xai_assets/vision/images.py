"""Reading pictures from files: RGB, upright, 8 bits, or a clear error. A broken file becomes no picture."""

import io
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
from xai_assets.text import printable
from xai_assets.vision.pixels import rgb_pixels

MAX_PIXELS = 64_000_000  # below Pillow's own alarm (89 million); 192 MB as RGB
MAX_BYTES = 256 * 2**20
# Formats decoded in the process. Pillow would hand an EPS file to Ghostscript: not from strangers.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF")
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
_decoding = threading.Lock()


class ImageError(XaiError):
    """A file that cannot be used as a picture."""


@dataclass(frozen=True)
class LoadedImage:
    """A picture and where it came from.

    Attributes:
        id: the file's name, or its path below the folder it was found in; unique within one `load_images`.
        pixels: uint8 (h, w, 3), RGB, turned upright as EXIF says; not writeable.
        sha256: of the file's bytes.
        path: where the file was read.
        mode: Pillow's mode of the file ("RGB", "CMYK", "P", "I;16"), so that conversions can be reported.
    """

    id: str
    pixels: np.ndarray = field(repr=False)
    sha256: str
    path: str
    mode: str


@dataclass(frozen=True)
class Quarantined:
    """A file that was left out, with the error's three parts."""

    path: str
    what: str
    why: str
    remedy: str


def read_image(path: str | Path, *, id: str | None = None, max_pixels: int = MAX_PIXELS) -> LoadedImage:
    """Read one picture.

    Grey, palette, CMYK, Lab, 1-bit and 16-bit pictures become 8-bit RGB, transparency is laid over white, and
    EXIF orientation is applied. Colour profiles are not, as torchvision and open_clip do not.

    Raises:
        ImageError: missing, empty, not a picture, truncated or damaged, animated or of several pages, more
            than `max_pixels`, or of a mode without an agreed white (floating point, 32-bit integers).
    """
    path = Path(path)
    data = _read_bytes(path)
    with warnings.catch_warnings():
        # Our own limit, checked below before any pixel is decoded, is an error and not a warning.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = _open(path, data, max_pixels)
    try:
        if image.format == "PNG":
            Image.open(io.BytesIO(data), formats=FORMATS).verify()  # decoding alone skips the checksums
        with _whole_pictures_only():
            image.load()
        mode = image.mode
        pixels = rgb_pixels(ImageOps.exif_transpose(image))
    except ImageError:
        raise
    except XaiError as error:
        raise ImageError(str(path), error.why, error.remedy) from error
    except (
        Exception
    ) as error:  # Pillow's decoders raise almost anything on damaged data; all of it means this
        raise ImageError(
            str(path), f"the picture is truncated or damaged ({_reason(error)})", "Get a whole copy of it."
        ) from error
    pixels.flags.writeable = False
    return LoadedImage(id or printable(path.name), pixels, sha256_bytes(data), str(path), mode)


def read_folder(folder: str | Path, *, recursive: bool = False) -> tuple[Path, ...]:
    """The picture files of a folder, told by their suffix and sorted by path; hidden files are left out.

    Raises:
        ImageError: the folder is missing, is not a folder, or holds no picture file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        why = "it is not a folder" if folder.exists() else "there is no such folder"
        raise ImageError(str(folder), why, "Name a folder of pictures.")
    pictures = sorted(
        path
        for path in (folder.rglob("*") if recursive else folder.iterdir())
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not pictures:
        raise ImageError(str(folder), "it holds no picture files", f"Put some there ({', '.join(SUFFIXES)}).")
    return tuple(pictures)


def load_images(
    paths: Iterable[str | Path], *, root: str | Path | None = None, max_pixels: int = MAX_PIXELS
) -> tuple[list[LoadedImage], list[Quarantined]]:
    """Read many pictures; what cannot be read is quarantined with its reason and does not stop the others.

    Args:
        paths: files.
        root: a folder; ids are then paths below it, else plain file names. A second file of the same id is
            quarantined, since every result is filed under the id.
        max_pixels: as for `read_image`.
    """
    loaded: dict[str, LoadedImage] = {}
    quarantined = []
    for path in map(Path, paths):
        name = path.name if root is None else path.resolve().relative_to(Path(root).resolve()).as_posix()
        try:
            image = read_image(path, id=printable(name), max_pixels=max_pixels)
            if image.id in loaded:
                raise ImageError(
                    str(path), f"its name is taken by {loaded[image.id].path}", "Rename one of the two."
                )
        except ImageError as error:
            quarantined.append(Quarantined(str(path), error.what, error.why, error.remedy))
        else:
            loaded[image.id] = image
    return list(loaded.values()), quarantined


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        why = "it is not a regular file" if path.exists() else "there is no such file"
        raise ImageError(str(path), why, "Check the path.")
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ImageError(str(path), f"it has {size:,} bytes, more than {MAX_BYTES:,}", "Save it smaller.")
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(
            str(path), f"it cannot be read ({_reason(error)})", "Check its permissions."
        ) from error
    if not data:
        raise ImageError(str(path), "the file is empty", "Get a whole copy of it.")
    return data


def _open(path: Path, data: bytes, max_pixels: int) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        frames = (
            1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        )  # MPO: a JPEG with previews behind
    except Image.DecompressionBombError as error:
        raise ImageError(str(path), _reason(error), "Save it smaller.") from error
    except Exception as error:  # as above: headers can be damaged in as many ways as pixels
        raise ImageError(
            str(path),
            f"it is not a picture in a known format, or its header is damaged ({_reason(error)})",
            f"Save it as one of {', '.join(FORMATS)}.",
        ) from error
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            str(path), f"{width} x {height} pixels are more than {max_pixels:,}", "Save it smaller."
        )
    if frames > 1:
        raise ImageError(
            str(path), f"it holds {frames} frames or pages", "Save the one that is meant as its own file."
        )
    return image


@contextmanager
def _whole_pictures_only() -> Iterator[None]:
    # WeasyPrint, once imported, has Pillow fill truncated pictures with grey in the whole process.
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
