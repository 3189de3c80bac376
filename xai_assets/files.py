"""Writing so that a killed process leaves the old file or the new one, and naming content by its hash."""

import fcntl
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

PART = ".part"
"""The suffix of a file that is being written."""


def write_with(path: Path, write: Callable[[IO[bytes]], object]) -> Path:
    """Call `write` with a temporary file beside `path`, fsync it and rename it into place.

    What killed processes have left of earlier tries at the same file is removed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_over(path)
    handle, temporary = _temporary(path)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            # mkstemp makes files private; results are for whoever may read the folder.
            os.chmod(temporary, 0o666 & ~_umask())
            os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
    return path


def left_over(part: Path) -> bool:
    """Whether nobody writes to this temporary file any more: its lock, which its writer has until it ends, is free."""
    try:
        handle = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(handle)


def _temporary(path: Path) -> tuple[int, str]:
    """A new temporary file, open and locked for as long as it is open."""
    while True:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(handle), os.stat(name)):
                return handle, name
        except FileNotFoundError:
            pass  # another process has taken it for left over before it was locked: once more
        except OSError:
            return handle, name  # a file system without locks
        os.close(handle)


def _remove_left_over(path: Path) -> None:
    pattern = re.compile(re.escape(f".{path.name}.") + r"\w{8}" + re.escape(PART))
    with os.scandir(path.parent) as entries:
        parts = [Path(entry.path) for entry in entries if pattern.fullmatch(entry.name)]
    for part in parts:
        if left_over(part):
            part.unlink(missing_ok=True)


def make_way(path: Path) -> None:
    """Rename a folder that is in the place of a file of ours to `NAME.aside`: what is in it is somebody's."""
    if not path.is_dir() or path.is_symlink():
        return
    number = 0
    while (aside := path.with_name(f"{path.name}.aside{number or ''}")).exists():
        number += 1
    path.rename(aside)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_bytes(path: Path, data: bytes) -> Path:
    """Write `data` to `path`, whole or not at all."""
    return write_with(path, lambda file: file.write(data))


def write_text(path: Path, text: str) -> Path:
    """Write `text` as UTF-8 to `path`, whole or not at all."""
    return write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> Path:
    """Write `value` as JSON to `path`; raises ValueError for NaN and infinities, which JSON does not have."""
    return write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def sha256_bytes(data: bytes) -> str:
    """The SHA-256 of `data`, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, read in blocks, 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(value: Any) -> str:
    """A name for `value` by its content: 32 hexadecimal digits of the SHA-256 of its canonical JSON.

    Raises:
        ValueError: for NaN and infinities.
        TypeError: for what JSON cannot say.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256_bytes(text.encode("utf-8"))[:32]
