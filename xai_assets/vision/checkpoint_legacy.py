"""The format of torch before 1.6: pickles one after another, and behind them the storages in the order of their names."""

import io
import struct
from typing import IO, Any

import torch

from xai_assets.vision.checkpoint_errors import CheckpointError, damaged
from xai_assets.vision.checkpoint_pickle import CheckpointMachine
from xai_assets.vision.checkpoint_zip import MAX_PICKLE, read_storage

MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


def read_legacy(file: IO[bytes], size: int, name: str) -> Any:
    """The value of a file of that format, its tensors filled.

    Args:
        file: open for reading.
        size: of the file in bytes; the storages may claim no more in all.
        name: what to call the file in errors.

    Raises:
        CheckpointError, PickleRefused: another format, damaged, or more than plain data and tensors.
    """
    file.seek(0)
    pickles = io.BytesIO(file.read(min(size, MAX_PICKLE)))
    claims: dict[str, torch.UntypedStorage] = {}
    left = size

    def claim(key: str, wanted: int) -> torch.UntypedStorage:
        nonlocal left
        if key not in claims:
            left -= wanted
            if left < 0:
                raise damaged(name, "its tensors claim more bytes than the file has")
            claims[key] = torch.UntypedStorage(wanted)
        if claims[key].nbytes() < wanted:
            raise damaged(name, f"the storage {key[:80]!r} is claimed in two sizes")
        return claims[key]

    def plain() -> Any:
        return CheckpointMachine(name, claim).run(pickles)

    if plain() != MAGIC or plain() != _PROTOCOL:
        raise damaged(name, "a pickle that is no torch checkpoint")
    system = plain()
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise CheckpointError(name, "it was saved on a big-endian machine", "Save it on another machine.")
    value, keys = plain(), plain()
    if not isinstance(keys, list) or {str(key) for key in keys} != claims.keys() or len(keys) != len(claims):
        raise damaged(name, "the storages at its end are not those of its tensors")
    at = pickles.tell()
    for key in map(str, keys):
        at = _fill(file, at, claims[key], name)
    return value


def _fill(file: IO[bytes], at: int, storage: torch.UntypedStorage, name: str) -> int:
    """Read a storage's length (in values) and bytes from `at`; returns where the next one begins."""
    file.seek(at)
    header = file.read(8)
    count = struct.unpack("<q", header)[0] if len(header) == 8 else -1
    # The length counts values, whose size is the type's; the claim in the pickle has been checked with it.
    if count < 0 or (count and storage.nbytes() % count) or (not count and storage.nbytes()):
        raise damaged(name, "a storage has another length than its tensors claim")
    storage.copy_(read_storage(file, at + 8, storage.nbytes(), name))
    return at + 8 + storage.nbytes()
