"""The record of what the product wrote into a folder that people may use as well: reports, and the UI's copies.

By it a file of ours is known by its content: `xai prune` removes no other, and a report that was cut or edited is made
again. The record is a file of the folder itself, `.xai_assets.written.json`.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from xai_assets.errors import XaiError
from xai_assets.files import sha256_file, write_json
from xai_assets.reading import kind_of, read_text

NAME = ".xai_assets.written.json"
MAX_BYTES = 64 * 2**20


def record(root: Path, files: Mapping[Path, str]) -> None:
    """Note that files below `root` were written with these hashes (SHA-256)."""
    new = {path.relative_to(root).as_posix(): sha256 for path, sha256 in files.items()}
    with _locked(root):
        known = recorded(root)
        if any(known.get(name) != sha256 for name, sha256 in new.items()):
            write_json(root / NAME, {**known, **new})


def forget(root: Path, files: list[Path]) -> None:
    """Note that files below `root` are gone."""
    gone = {path.relative_to(root).as_posix() for path in files}
    with _locked(root):
        known = recorded(root)
        if gone & known.keys():
            write_json(root / NAME, {name: sha256 for name, sha256 in known.items() if name not in gone})


def recorded(root: Path) -> dict[str, str]:
    """Path below `root` -> SHA-256 of what was written; empty where there is no record or it cannot be read."""
    try:
        if not (root / NAME).is_file():
            return {}
        found = json.loads(read_text(root / NAME, MAX_BYTES))
    except (XaiError, ValueError, RecursionError):
        return {}  # no file is known then: nothing is removed, and reports are made again
    if not isinstance(found, dict):
        return {}
    return {str(name): str(sha256) for name, sha256 in found.items() if _below(str(name))}


def as_written(root: Path, path: Path, known: Mapping[str, str]) -> bool:
    """Whether the file has the content that the record says; False for a link, and for what is not in the record."""
    sha256 = known.get(path.relative_to(root).as_posix())
    if sha256 is None or path.is_symlink() or kind_of(path) is not None or not path.exists():
        return False
    try:
        return sha256_file(path) == sha256
    except OSError:
        return False  # it cannot be read: not known to be as it was written


def _below(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    root.mkdir(parents=True, exist_ok=True)
    lock = os.open(root / f"{NAME}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
