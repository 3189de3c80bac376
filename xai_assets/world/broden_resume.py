"""How an interrupted rendering of a probe set goes on: a scene that is written is noted with its files' hashes."""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from xai_assets.files import sha256_bytes, sha256_file
from xai_assets.world.broden_tables import Counts, Row

SCENES = ".scenes"
"""The folder of the notes, in the temporary folder of a probe set."""

_OF = "of.json"


class WrittenScene(NamedTuple):
    """What the tables of a probe set say of one scene: its row of the index, and the counts of its labels."""

    row: Row
    counts: Counts


def keep_scene(part: Path, index: int, scene: WrittenScene, files: Mapping[str, bytes]) -> None:
    """Note that the files of a scene are written."""
    hashes = {name: sha256_bytes(content) for name, content in files.items()}
    said = {"image": scene.row.image, "cells": scene.row.cells, "counts": scene.counts, "sha256": hashes}
    _write(part / SCENES / f"{index}.json", said)


def read_scene(part: Path, index: int) -> WrittenScene | None:
    """The scene that an interrupted rendering has written; None where one of its files is not as it was written."""
    try:
        said = json.loads((part / SCENES / f"{index}.json").read_text(encoding="utf-8"))
        for name, sha256 in said["sha256"].items():
            if sha256_file(part / "images" / "diorama" / name) != sha256:
                return None
        counts = {
            category: (size, [(number, cells) for number, cells in by_number])
            for category, (size, by_number) in said["counts"].items()
        }
        return WrittenScene(Row(said["image"], said["cells"]), counts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # it is rendered again


@contextmanager
def only_one(part: Path, wanted: Mapping[str, Any]) -> Iterator[Path]:
    """The temporary folder `part`, for this process alone; emptied where it was begun for another probe set."""
    while True:
        part.mkdir(exist_ok=True)
        handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        fcntl.flock(handle, fcntl.LOCK_EX)  # freed by the kernel when the process ends, however it ends
        if _is_still(part, handle):
            break
        os.close(handle)  # whoever had it has renamed it into place
    try:
        if _read(part / SCENES / _OF) != dict(wanted):
            for path in part.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            (part / SCENES).mkdir()
            _write(part / SCENES / _OF, dict(wanted))
        yield part
    finally:
        os.close(handle)


def _is_still(part: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.lstat(part), os.fstat(handle))
    except FileNotFoundError:
        return False


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, value: Any) -> None:
    """Write without waiting for the disk: what a power failure loses is noticed by its hash, and rendered again."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(json.dumps(value), encoding="utf-8")
    os.replace(temporary, path)
