"""The file of one artifact: safetensors whose header holds the artifact's name and a SHA-256 of the whole file.

The hash is taken with its own 64 digits as zeros, so that it covers the header as well: a byte that changes anywhere in
the file is noticed. Files can be read by any reader of safetensors and cannot run code.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from xai_assets.reading import kind_of

DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16, "U32": np.uint32,
    "I32": np.int32, "U64": np.uint64, "I64": np.int64, "F16": np.float16, "F32": np.float32, "F64": np.float64,
}  # fmt: skip
"""Types of arrays, as safetensors names them; all are little-endian."""

NAMES = {np.dtype(kind): name for name, kind in DTYPES.items()}
LENGTH = 8
"""Bytes at the start of a file: the length of the header."""

MAX_HEADER = 100_000_000
"""Bytes of a header, the limit of safetensors as well."""

ALIGNMENT = 8
BLOCK = 2**20
ZEROS = b"0" * 64
_DIGEST = re.compile(
    rb'"sha256":"([0-9a-f]{64})"'
)  # quotes in text are escaped in JSON: only our entry is like this


class Unsound(Exception):
    """A file that is not the artifact that its name says; the message is the reason.

    Attributes:
        older: whether it was written by a version that kept no hash, so that nothing is known of its content.
    """

    def __init__(self, why: str, *, older: bool = False) -> None:
        super().__init__(why)
        self.older = older


@dataclass(frozen=True)
class Layout:
    """What the header says.

    Attributes:
        start: the offset of the first array's bytes.
        arrays: name -> dtype, shape, and the first and last offset from `start`.
        meta: the metadata.
        artifact: the name of the artifact.
    """

    start: int
    arrays: dict[str, tuple[np.dtype[Any], tuple[int, ...], int, int]]
    meta: dict[str, Any]
    artifact: str


def write(file: IO[bytes], artifact: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Write an artifact.

    Args:
        file: open for writing.
        artifact: its name, `kind/key`.
        arrays: by name; any boolean, integer or floating type and any shape.
        meta: JSON.

    Raises:
        ValueError: NaN or infinity in the metadata, or a type that the format does not have.
    """
    text = json.dumps(dict(meta), sort_keys=True, allow_nan=False)
    header: dict[str, Any] = {
        "__metadata__": {"artifact": artifact, "meta": text, "sha256": ZEROS.decode("ascii")}
    }
    parts, offset = [], 0
    for name, array in sorted(arrays.items(), key=lambda item: (-item[1].dtype.itemsize, item[0])):
        little = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        if little.dtype not in NAMES:
            raise ValueError(f"{artifact}: the array {name} is of type {array.dtype}, which is not kept")
        header[name] = {
            "dtype": NAMES[little.dtype],
            "shape": list(little.shape),
            "data_offsets": [offset, offset + little.nbytes],
        }
        parts.append(little.reshape(-1).view(np.uint8).data)
        offset += little.nbytes
    said = json.dumps(header, separators=(",", ":")).encode("ascii")
    said += b" " * (-len(said) % ALIGNMENT)
    start = len(said).to_bytes(LENGTH, "little") + said
    digest = hashlib.sha256(start)
    for part in parts:
        digest.update(part)
    place = _place(said)
    assert place is not None
    first = LENGTH + place
    file.write(start[:first] + digest.hexdigest().encode("ascii") + start[first + len(ZEROS) :])
    for part in parts:
        file.write(part)


def opened(path: Path) -> IO[bytes]:
    """The file, open for reading without waiting.

    Raises:
        FileNotFoundError: nothing is there.
        Unsound: a folder, a pipe, a device, a link that leads nowhere, or no permission.
    """
    if (kind := kind_of(path)) is not None:
        raise Unsound(f"it is {kind}")
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unsound(f"it cannot be read ({error.strerror})") from error
    return os.fdopen(handle, "rb")


def read(file: IO[bytes], artifact: str, *, trusted: bool = False) -> tuple[bytes, Layout]:
    """All bytes of an artifact's file, checked, and its layout.

    Args:
        file: open for reading, at its start.
        artifact: the name that it has to have.
        trusted: leave the hash out, since this process has checked the same file before.

    Raises:
        Unsound: the content is not what was written, or is another artifact's.
    """
    try:
        content = file.read()
    except OSError as error:
        raise Unsound(f"it cannot be read ({error.strerror})") from error
    layout, place = _layout(content[: LENGTH + _header_length(content[:LENGTH], len(content))], len(content))
    if not trusted:
        digest = hashlib.sha256(content[:place])
        digest.update(ZEROS)
        digest.update(memoryview(content)[place + len(ZEROS) :])
        _same(digest.hexdigest(), content[place : place + len(ZEROS)])
    _named(layout, artifact)
    return content, layout


def check(file: IO[bytes], artifact: str) -> Layout:
    """The layout of an artifact's file, once all of it was read, block by block, and found as it was written.

    Raises:
        Unsound: the content is not what was written, or is another artifact's.
    """
    try:
        size = os.fstat(file.fileno()).st_size
        start = file.read(LENGTH)
        start += file.read(_header_length(start, size))
        layout, place = _layout(start, size)
        digest = hashlib.sha256(start[:place] + ZEROS + start[place + len(ZEROS) :])
        while block := file.read(BLOCK):
            digest.update(block)
    except OSError as error:
        raise Unsound(f"it cannot be read ({error.strerror})") from error
    _same(digest.hexdigest(), start[place : place + len(ZEROS)])
    _named(layout, artifact)
    return layout


def layout_of(file: IO[bytes]) -> Layout:
    """What a file's header says, without a look at the arrays.

    Raises:
        Unsound: it is not an artifact's header.
    """
    try:
        size = os.fstat(file.fileno()).st_size
        start = file.read(LENGTH)
        return _layout(start + file.read(_header_length(start, size)), size)[0]
    except OSError as error:
        raise Unsound(f"it cannot be read ({error.strerror})") from error


def header_end(start: bytes, size: int) -> int:
    """The offset of a file's first byte behind the header, from the file's first LENGTH bytes and its size.

    Raises:
        Unsound: there is no such header.
    """
    return LENGTH + _header_length(start[:LENGTH], size)


def layout_in(start: bytes, size: int) -> Layout:
    """What a header says: the bytes of a file of that size before `header_end`.

    Raises:
        Unsound: it is not an artifact's header.
    """
    return _layout(start, size)[0]


def _header_length(start: bytes, size: int) -> int:
    length = int.from_bytes(start, "little")
    if len(start) < LENGTH or length > size - LENGTH:
        raise Unsound("it is cut off" if size else "it is empty")
    if length > MAX_HEADER:
        raise Unsound("it has a header that is too long")
    return length


def _place(header: bytes) -> int | None:
    found = _DIGEST.search(header)
    return None if found is None else found.start(1)


def _layout(start: bytes, size: int) -> tuple[Layout, int]:
    """The layout, and the offset of the hash's digits in the file."""
    place = _place(start)
    try:
        header = json.loads(start[LENGTH:])
        said = header.pop("__metadata__")
        meta = json.loads(said["meta"])
        if place is None and "sha256" not in said:
            raise Unsound("it was made by an older version, which kept no hash", older=True)
        arrays = {name: _array(entry, size - len(start)) for name, entry in header.items()}
        artifact = str(said["artifact"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unsound("its header is damaged") from error
    if place is None or not isinstance(meta, dict):
        raise Unsound("its header is damaged")
    return Layout(len(start), arrays, meta, artifact), place


def _array(entry: dict[str, Any], available: int) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    dtype = np.dtype(DTYPES[entry["dtype"]])
    shape = tuple(int(side) for side in entry["shape"])
    first, last = (int(offset) for offset in entry["data_offsets"])
    values = 1
    for side in shape:
        values *= side
    if (
        not 0 <= first <= last <= available
        or min(shape, default=0) < 0
        or last - first != values * dtype.itemsize
    ):
        raise Unsound("it is cut off" if last > available else "its header is damaged")
    return dtype, shape, first, last


def _same(found: str, written: bytes) -> None:
    if found.encode("ascii") != written:
        raise Unsound("its content has changed since it was written (SHA-256)")


def _named(layout: Layout, artifact: str) -> None:
    if layout.artifact != artifact:
        raise Unsound(f"it holds another artifact, {layout.artifact}")
