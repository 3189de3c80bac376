"""Arrays packed without loss: the shortest of a few ways, each of which gives the array back to the byte.

An image becomes differences between neighbours, a mask bits, and a class activation map is worked out again from the
map at the target layer's resolution that lies beside it. All but the last are compressed (Zstandard).
"""

import zlib
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from xai_assets.resources.artifact_file import DTYPES, NAMES, Unsound

LEVEL = 1
"""Of Zstandard: higher ones make scenes and masks no shorter."""

MOST = 2**32
"""Bytes of an array."""

PLAIN, COMPRESSED, BITS, IMAGE, RESIZED = "plain", "zstd", "bits", "image", "resized"
LOW_RESOLUTION = "low_resolution"


class Packed(NamedTuple):
    """An array as it is kept.

    Attributes:
        said: how, and what the array is, as JSON has it.
        content: the bytes that are kept of it.
    """

    said: dict[str, Any]
    content: bytes


def pack(array: np.ndarray, beside: Mapping[str, np.ndarray]) -> Packed:
    """Pack an array; `beside`: the other arrays that it is kept with.

    Raises:
        ValueError: a type that is not kept.
    """
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    if little.dtype not in NAMES:
        raise ValueError(f"an array is of type {array.dtype}, which is not kept")
    how, content = _shortest(little, beside.get(LOW_RESOLUTION))
    said = {"how": how, "dtype": NAMES[little.dtype], "shape": list(little.shape), "bytes": len(content)}
    if how == RESIZED:
        said["crc32"] = zlib.crc32(little.tobytes())
    return Packed(said, content)


def unpack(said: Mapping[str, Any], content: bytes, beside: Mapping[str, np.ndarray]) -> np.ndarray:
    """The array; `beside`: those of the same artifact that are unpacked already, RESIZED ones come last.

    Raises:
        Unsound: it does not come out as it was.
    """
    try:
        dtype, shape = np.dtype(DTYPES[said["dtype"]]), tuple(int(side) for side in said["shape"])
        size = int(np.prod(shape, dtype=np.float64)) * dtype.itemsize
        if size > MOST or min(shape, default=0) < 0:
            raise Unsound("its header is damaged")
        if said["how"] == RESIZED:
            return _resized_again(beside[LOW_RESOLUTION], shape, said["crc32"])
        if said["how"] == PLAIN:
            return np.frombuffer(content, dtype).reshape(shape).copy()
        return _UNPACK[said["how"]](content, dtype, shape)
    except (KeyError, TypeError, ValueError, OSError, OverflowError) as error:
        raise Unsound(f"it cannot be unpacked ({error})") from error


def in_order(arrays: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The names of the packed arrays, those that are worked out from others last."""
    return sorted(arrays, key=lambda name: (arrays[name]["how"] == RESIZED, name))


def _shortest(array: np.ndarray, low: np.ndarray | None) -> tuple[str, bytes]:
    of_low = low is not None and _maps(low, array)
    if of_low and _resized(low, array.shape).tobytes() == array.tobytes():  # type: ignore[arg-type]
        return RESIZED, b""
    raw = array.tobytes()
    if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and array.size:
        how, content = IMAGE, _compressed(_differences(array).tobytes())
    elif array.dtype.kind in "bu" and array.dtype.itemsize == 1 and array.size and array.max() <= 1:
        how, content = BITS, _compressed(np.packbits(array).tobytes())
    else:
        how, content = COMPRESSED, _compressed(raw)
    return (how, content) if len(content) < len(raw) else (PLAIN, raw)


def _maps(*arrays: np.ndarray) -> bool:
    return all(one.dtype == np.float32 and one.ndim == 2 for one in arrays)


def _resized(low: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The map in the model's frame, as `attribution.cams` resizes it."""
    import cv2

    height, width = shape
    if not low.size or not height or not width:
        return np.zeros(0, np.float32)
    found = cv2.resize(np.maximum(low, 0), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(found, dtype=np.float32)


def _resized_again(low: np.ndarray, shape: tuple[int, ...], wanted: int) -> np.ndarray:
    found = _resized(low, shape)
    if zlib.crc32(found.tobytes()) != wanted:
        raise Unsound("it comes out otherwise with this version of OpenCV, or on this processor")
    return found


def _differences(image: np.ndarray) -> np.ndarray:
    """h w 3 -> 3 h w: differences to the pixel on the left, of red and blue to green's, modulo 256."""
    found = image.copy()
    found[:, 1:] -= image[:, :-1]
    found[..., 0] -= found[..., 1]
    found[..., 2] -= found[..., 1]
    return found.transpose(2, 0, 1)


def _image(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    height, width, _ = shape
    planes = _decompressed(content, height * width * 3).reshape(3, height, width)
    found = np.ascontiguousarray(planes.transpose(1, 2, 0))
    found[..., 0] += found[..., 1]
    found[..., 2] += found[..., 1]
    return np.cumsum(found, axis=1, dtype=np.uint8)


def _bits(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    count = int(np.prod(shape))
    bits = _decompressed(content, -(-count // 8))
    return np.unpackbits(bits, count=count).reshape(shape).astype(dtype, copy=False)


def _plain_again(content: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]) -> np.ndarray:
    return _decompressed(content, int(np.prod(shape)) * dtype.itemsize).view(dtype).reshape(shape)


_UNPACK = {IMAGE: _image, BITS: _bits, COMPRESSED: _plain_again}


@cache
def _codec() -> Any:
    from pyarrow import Codec

    return Codec("zstd", compression_level=LEVEL)


def _compressed(content: bytes) -> bytes:
    found: bytes = _codec().compress(content, asbytes=True)
    return found


def _decompressed(content: bytes, size: int) -> np.ndarray:
    """The bytes, writeable."""
    return np.frombuffer(bytearray(_codec().decompress(content, size, asbytes=True)), np.uint8)
