"""Arrays of numbers from files of strangers, .npy and safetensors, and how an array becomes a map of one value a pixel.

`np.load` would run what an array of objects has pickled; here the header is read first and nothing but numbers passes.
"""

import io
import math
from pathlib import Path

import numpy as np

from xai_assets.errors import XaiError
from xai_assets.reading import read_regular, shown
from xai_assets.vision.safetensors_file import read_some

MAX_BYTES = 512 * 2**20
"""Of an .npy file: float64 of MAX_VALUES."""

MAX_VALUES = 64_000_000
MAX_HEADER = 10_000
_NUMBERS = "biuf"


class MapFileError(XaiError):
    """A file of an attribution map that cannot be used."""


def numpy_array(path: Path) -> np.ndarray:
    """The array of an .npy file (NEP 1), of numbers or truth values.

    Raises:
        MapFileError: no regular file, larger than MAX_BYTES, no or a damaged .npy file, objects, fields or texts.
    """
    data = read_regular(path, MAX_BYTES, error=MapFileError)
    name = shown(path.name)
    if data[:2] == b"PK":
        raise MapFileError(name, "it is an archive (.npz) of arrays", "Save the one map with numpy.save.")
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        header = (
            np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = header(file, max_header_size=MAX_HEADER)
    except Exception as error:  # the header is parsed as Python's literals, which fail in many ways
        raise MapFileError(
            name,
            f"it is no .npy file, or its header is damaged ({_reason(error)})",
            "Save it with numpy.save.",
        ) from error
    _check(name, dtype, shape)
    if len(data) - file.tell() < math.prod(shape) * dtype.itemsize:
        raise MapFileError(name, "it is cut: fewer values than its header says", "Get a whole copy of it.")
    return np.load(io.BytesIO(data), allow_pickle=False, max_header_size=MAX_HEADER)


def tensor(path: Path, name: str, *, max_bytes: int) -> np.ndarray:
    """A tensor of a safetensors file; bfloat16 and float8 as float32.

    Raises:
        MapFileError: more than MAX_VALUES values, or complex ones.
        CheckpointError: no regular file, larger than `max_bytes`, or damaged.
    """
    found = read_some(path, [name], max_bytes=max_bytes)[name]
    if found.numel() > MAX_VALUES:
        raise MapFileError(
            f"{shown(path.name)}, tensor {shown(name[:80])}",
            f"it has {found.numel():,} values, more than {MAX_VALUES:,}",
            "Save maps of the image's size.",
        )
    array = (found.float() if found.is_floating_point() and found.element_size() < 4 else found).numpy()
    _check(f"{shown(path.name)}, tensor {shown(name[:80])}", array.dtype, array.shape)
    return array


def float_map(name: str, array: np.ndarray, channels: str | None) -> np.ndarray:
    """An array as a map, h w float32: axes of length 1 go, and of colour channels it is said how they become one.

    Raises:
        MapFileError: no map, or values that are not finite.
    """
    values = _squeezed(array)
    if values.ndim == 3 and 3 in (values.shape[0], values.shape[2]):
        axis = 0 if values.shape[0] == 3 else 2
        if channels is None:
            raise MapFileError(
                name,
                f"shape {array.shape}: one value for each colour channel of a pixel",
                "Say `channels: sum` or `channels: absolute`, or save their sum.",
            )
        values = values.astype(np.float64)
        values = (np.abs(values) if channels == "absolute" else values).sum(axis=axis)
    if values.ndim != 2:
        several = values.ndim == 3 or (values.ndim == 4 and values.shape[1] in (1, 3))
        raise MapFileError(
            name,
            f"shape {array.shape}: {f'a batch of {len(values)} maps' if several else 'no map of height and width'}",
            "Save each map in a file of its own." if several else "Save an array of height and width.",
        )
    if not values.size:
        raise MapFileError(name, f"shape {array.shape}: it is empty", "Save an array of height and width.")
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused below
        found = values.astype(np.float32)
    bad = int((~np.isfinite(found)).sum())
    if bad:
        raise MapFileError(
            name,
            f"{bad:,} of its {found.size:,} values are not finite",
            "Look at the tool and the checkpoint that made it.",
        )
    return found


def _squeezed(array: np.ndarray) -> np.ndarray:
    """Without the axes of length 1 of batch and channel: 1 h w, 1 1 h w, h w 1, 1 3 h w."""
    values = array
    while values.ndim > 2 and values.shape[0] == 1:
        values = values[0]
    return values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values


def _check(name: str, dtype: np.dtype, shape: tuple[int, ...]) -> None:
    if dtype.hasobject:
        why = "it holds pickled Python objects, which are not read"
        raise MapFileError(name, why, "Save an array of floats: numpy.save(file, numpy.asarray(map, float)).")
    if dtype.kind not in _NUMBERS:
        raise MapFileError(name, f"its values are of type {dtype}, no numbers", "Save an array of floats.")
    if math.prod(shape) > MAX_VALUES:
        raise MapFileError(
            name, f"shape {shape}: more than {MAX_VALUES:,} values", "Save maps of the image's size."
        )


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"
