"""A copy of the warehouse to ask at leisure: the file is held only while it is copied, so a long query stops no run."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xai_assets.resources.warehouse_file import Notice, connect, locked
from xai_assets.resources.warehouse_holders import Held

MOST_COPIED = 4 * 2**30
"""Bytes; a larger warehouse is read in place, and a run that would write to it waits."""

_BLOCK = 8 * 2**20


@contextmanager
def copied(path: Path, *, wait: float, notice: Notice) -> Iterator[Path | None]:
    """A copy of the file with all that was committed, in a temporary folder that goes at the end.

    None where the file is too large to copy, or there is no room for the copy.

    Raises:
        WarehouseError: as `opened`.
    """
    with tempfile.TemporaryDirectory(prefix="xai-sql-") as folder:
        copy = Path(folder, path.name)
        with locked(
            path, write=False, wait=wait, notice=notice, take=lambda file, write: _copy(file, copy)
        ) as done:
            pass
        yield copy if done else None


def _copy(path: Path, to: Path) -> bool | Held:
    log = path.with_name(path.name + ".wal")
    size = sum(file.stat().st_size for file in (path, log) if file.exists())
    if size > MOST_COPIED or 2 * size > shutil.disk_usage(to.parent).free:
        return False
    try:
        source = path.open("rb")
    except OSError:
        source = None
    if source is None:
        return _holder(path)  # which says why it cannot be opened
    with source:
        try:
            # DuckDB's own lock: a program that writes has it for itself, and cannot take it while we copy.
            fcntl.lockf(source, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return _holder(path)
        _write(source.fileno(), to)
        with suppress(FileNotFoundError), log.open("rb") as rest:
            _write(rest.fileno(), to.with_name(to.name + ".wal"))
    return True


def _write(source: int, to: Path) -> None:
    with to.open("wb") as target:
        while block := os.read(source, _BLOCK):
            target.write(block)


def _holder(path: Path) -> Held:
    found = connect(path, False)
    if isinstance(found, Held):
        return found
    found.close()
    return Held()  # gone by now: the next try finds it free
