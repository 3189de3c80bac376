"""Reading a checkpoint without running what the file may carry: safetensors, or torch's formats with plain data only."""

from pathlib import Path
from typing import IO, Any

from xai_assets.interop.plain_pickle import PickleRefused
from xai_assets.reading import open_regular, shown
from xai_assets.vision.checkpoint_errors import CheckpointError, CheckpointMismatch, damaged, listed
from xai_assets.vision.checkpoint_legacy import read_legacy
from xai_assets.vision.checkpoint_pickle import CheckpointMachine
from xai_assets.vision.checkpoint_zip import CheckpointZip
from xai_assets.vision.safetensors_file import (
    looks_like_safetensors,
    metadata_list,
    read_metadata,
    read_safetensors,
)

__all__ = [
    "MAX_BYTES",
    "CheckpointError",
    "CheckpointMismatch",
    "listed",
    "metadata_list",
    "read_metadata",
    "read_plain",
]

MAX_BYTES = 8 * 2**30
"""The largest classifiers have some 2.5 GB of weights."""

_SAVE = "Save its weights with torch.save(model.state_dict(), ...)."
_FORMATS = (
    (b"\x1f\x8b", 0, "it is compressed (gzip)", "Unpack it first."),
    (b"7z\xbc\xaf", 0, "it is compressed (7z)", "Unpack it first."),
    (b"Rar!", 0, "it is compressed (rar)", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", 0, "it is compressed (zstd)", "Unpack it first."),
    (b"ustar", 257, "it is a tar archive", "Unpack it, or save it again with a later torch than 0.1.10."),
    (b"\x89HDF", 0, "it is an HDF5 file, as Keras writes it", _SAVE),
    (
        b"version https://git-lfs",
        0,
        "it is a pointer of Git LFS, not the file",
        "Get the file itself: git lfs pull.",
    ),
    (b"<", 0, "it is a web page or other markup, not the file", "Get the file itself."),
    (b"\x93NUMPY", 0, "it is a NumPy array", _SAVE),
)
"""What is often found under a checkpoint's name: first bytes, their place, what it is, and what to do."""


def read_plain(path: str | Path, *, max_bytes: int = MAX_BYTES) -> Any:
    """What a checkpoint holds: tensors on the CPU by name (safetensors), or whatever plain containers torch saved.

    The format is told by the content, not by the file's name. Nothing of the file is run. Memory is bounded by the size
    of the file; time by it and by the limits of `checkpoint_zip`, `checkpoint_pickle` and `safetensors_file`.

    Returns:
        Nested dict, list (sets as well) and tuple of tensors, text, bytes, numbers, dtypes and None. A state dict that
        torch saved is an OrderedDict with the attribute `_metadata` (versions of its modules). Tensors may share memory.

    Raises:
        CheckpointError: missing, no regular file, larger than `max_bytes`, damaged, of another format, compressed,
            tensors that claim more values than the file has, or that are sparse, quantised, nested or without
            values, or a pickle with anything but tensors and plain containers.
    """
    name = shown(path)
    with open_regular(path, max_bytes, error=CheckpointError) as file:
        size = file.seek(0, 2)
        file.seek(0)
        start = file.read(512)
        if not start:
            raise CheckpointError(name, "the file is empty", "Get a whole copy of it.")
        for magic, place, why, remedy in _FORMATS:
            if start[place : place + len(magic)] == magic:
                raise CheckpointError(name, why, remedy)
        if not looks_like_safetensors(start, size):
            return _read_torch(file, size, name, start)
    return read_safetensors(path, max_bytes=max_bytes)


def _read_torch(file: IO[bytes], size: int, name: str, start: bytes) -> Any:
    try:
        if start.startswith(b"PK"):
            archive = CheckpointZip(file, size, name)
            return CheckpointMachine(name, archive.storage).run(archive.pickle())
        if start.startswith(b"\x80"):
            return read_legacy(file, size, name)
    except PickleRefused as error:
        raise CheckpointError(name, error.why, error.remedy) from error
    raise damaged(name, "neither torch nor safetensors begins so")
