"""What is said of a warehouse that cannot be opened, read or written: the file, the reason, and what to do."""

import errno
import os
from pathlib import Path

import duckdb

from xai_assets.errors import XaiError
from xai_assets.text import printable

_HEAD = 16
"""Bytes from the file's start by which another format is known; DuckDB's own files have their name at bytes 8 to 11."""

_FORMATS = {
    b"SQLite format 3": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"PK\x03\x04": "a zip archive",
}

_LOST = (
    "Runs make the tables again; rows of `xai concepts import` are not made again, so keep the file and import them "
    "anew."
)


class WarehouseError(XaiError):
    """Rows that do not fit their table, or a warehouse that is not there, held, damaged, or of another version."""


def of_file(error: duckdb.Error) -> bool:
    """Whether an error is about the file (damage, a full disk, no permission), not about the query or the rows."""
    about = (
        duckdb.IOException,
        duckdb.InternalException,
        duckdb.FatalException,
        duckdb.SerializationException,
    )
    return isinstance(error, about) and not isinstance(error, duckdb.HTTPException)


def file_error(path: Path, error: duckdb.Error, *, write: bool) -> WarehouseError:
    """DuckDB's error about the file in our words; raise it from the error, whose text is the cause."""
    text = str(error)
    for code in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO):
        if os.strerror(code) in text:
            return unreadable(path, OSError(code, os.strerror(code)), write=write)
    what = f"warehouse {path}"
    if "we can only read versions" in text or "newer version of DuckDB" in text:
        return WarehouseError(
            what,
            f"a newer DuckDB than this one ({duckdb.__version__}) wrote it",
            "Upgrade the `duckdb` package to the version that wrote it, or move the file aside.",
        )
    if (
        "not a valid DuckDB database" in text or "external extensions is disabled" in text
    ):  # SQLite would need one
        return WarehouseError(what, f"it is no DuckDB database: {_content(path)}", _aside(path))
    log = path.with_name(path.name + ".wal")
    if "WAL" in text and log.exists():
        return WarehouseError(
            what, f"its write-ahead log {log.name} cannot be read: {first_line(error)}", _aside(path, log)
        )
    return WarehouseError(what, f"it is damaged or cut off: {first_line(error)}", _aside(path))


def unreadable(path: Path, error: OSError, *, write: bool) -> WarehouseError:
    """The operating system's refusal in our words."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WarehouseError(
            f"warehouse {path}",
            f"the disk is full ({reason})",
            "Free some room (`xai prune`), then re-execute the run from failure: what it computed is kept.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        able = "written" if write else "read"
        needed = "write the file and its folder" if write else "read the file and enter its folder"
        return WarehouseError(
            f"warehouse {path}",
            f"it may not be {able} by this user ({reason})",
            f"Ask its owner for the permission to {needed}, or set XAI_WAREHOUSE to a file of your own.",
        )
    return WarehouseError(
        f"warehouse {path}",
        f"it cannot be opened ({reason})",
        "Correct XAI_WAREHOUSE, or move the file aside.",
    )


def _content(path: Path) -> str:
    """What the file is instead, in words."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return "its start cannot be read"
    if not head:
        return "it is empty (0 bytes)"
    known = [name for start, name in _FORMATS.items() if head.startswith(start)]
    return f"it is {known[0]}" if known else f"it begins with {head!r}"


def _aside(path: Path, *also: Path) -> str:
    names = " and ".join(file.name for file in (path, *also))
    return f"Move {names} aside (to {path.name}.damaged, say) and run the studies again. {_LOST}"


def first_line(error: duckdb.Error) -> str:
    """The first line of DuckDB's message, without its stack and advice."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return printable(lines[0].removeprefix("IO Error: "))[:200].rstrip(".!")
