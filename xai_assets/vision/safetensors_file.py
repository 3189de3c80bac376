"""Safetensors files: their header within limits, their metadata, and their tensors.

The layout (huggingface.co/docs/safetensors): 8 bytes with the header's length, a JSON object from name to dtype, shape
and place, and the values.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from xai_assets.reading import open_regular, shown
from xai_assets.vision.checkpoint_errors import CheckpointError, damaged

MAX_HEADER = 16 * 2**20
"""Bytes: some 100 a tensor, and the metadata."""

MAX_TENSORS = 20_000

MAX_JSON = 16 * 2**20
"""Characters of a value of the metadata that is JSON itself."""


def looks_like_safetensors(start: bytes, size: int) -> bool:
    """Whether a file of `size` bytes begins as such a file does; `start`: at least its first 9 bytes."""
    return len(start) > 8 and start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= size - 8


def read_safetensors(path: str | Path, *, max_bytes: int) -> dict[str, Tensor]:
    """The tensors by name, on the CPU.

    Raises:
        CheckpointError: no regular file, larger than `max_bytes`, damaged, a header beyond MAX_HEADER, more than
            MAX_TENSORS tensors, or one name twice.
    """
    return read_some(path, tensor_shapes(path, max_bytes=max_bytes), max_bytes=max_bytes)


def read_some(path: str | Path, names: Iterable[str], *, max_bytes: int) -> dict[str, Tensor]:
    """The tensors of these names alone, on the CPU; of the others no value is read. Raises as `read_safetensors`."""
    _header(path, max_bytes)
    try:
        with safe_open(str(path), framework="pt") as file:
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, TypeError, ValueError, KeyError, AttributeError, RuntimeError) as error:
        raise damaged(shown(path), f"{type(error).__name__}: {str(error)[:200]}") from error


def tensor_shapes(path: str | Path, *, max_bytes: int) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors by name, of the header alone, in the file's order. Raises as `read_safetensors`."""
    header = _header(path, max_bytes)
    header.pop("__metadata__", None)
    if len(header) > MAX_TENSORS:
        raise CheckpointError(
            shown(path),
            f"it has {len(header):,} tensors, more than {MAX_TENSORS:,}",
            "Save the weights alone.",
        )
    found = {}
    for name, entry in header.items():
        shape = entry.get("shape") if isinstance(entry, dict) else None
        if not isinstance(shape, list) or not all(isinstance(side, int) and side >= 0 for side in shape):
            raise damaged(shown(path), f"its header has no shape of {name[:60]!r}")
        found[name] = tuple(shape)
    return found


def read_metadata(path: str | Path, *, max_bytes: int = 8 * 2**30) -> dict[str, str]:
    """The metadata, empty where the file has none. Raises CheckpointError as `read_safetensors` does."""
    found = _header(path, max_bytes).get("__metadata__") or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise damaged(shown(path), "its metadata are not names and texts")
    return dict(found)


def metadata_list(path: str | Path, key: str) -> tuple[str, ...]:
    """A JSON list of strings in the metadata, of at most MAX_JSON characters.

    Raises:
        CheckpointError: the file has no such entry, or it is something else.
    """
    text = read_metadata(path).get(key, "")
    try:
        value = json.loads(text) if len(text) <= MAX_JSON else None
    except (ValueError, RecursionError):  # no JSON, a number of too many digits, or nested too deep
        value = None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CheckpointError(
            shown(path), f"its metadata has no list of strings under {key!r}", "Make the file again."
        )
    return tuple(value)


def _header(path: str | Path, max_bytes: int) -> dict[str, Any]:
    with open_regular(path, max_bytes, error=CheckpointError) as file:
        return _parsed(file, shown(path))


def _parsed(file: IO[bytes], name: str) -> dict[str, Any]:
    start = file.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8:
        raise damaged(name, "it has no header")
    if length > MAX_HEADER:
        raise damaged(name, f"its header has {length:,} bytes, more than {MAX_HEADER:,}")
    data = file.read(length)
    if len(data) < length:
        raise damaged(name, "its header is cut")
    try:
        header = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise damaged(
            name, f"its header cannot be read: {type(error).__name__}: {str(error)[:120]}"
        ) from error
    if not isinstance(header, dict):
        raise damaged(name, "its header is no JSON object")
    return header


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found
