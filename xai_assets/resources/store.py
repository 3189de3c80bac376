"""The artifact store: arrays by the hash of everything that made them.

An artifact is never changed. One that is damaged counts as absent: `has` reads the whole file before it says yes, so that
whoever asks computes it again, and it is reported. Where hosts share an address, that is the store, and the folder a copy
of what this host has used.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from xai_assets.errors import XaiError
from xai_assets.files import make_way, write_json, write_with
from xai_assets.reading import read_text
from xai_assets.resources import artifact_file
from xai_assets.resources.artifact_file import Layout, Unsound
from xai_assets.resources.shared import Shared

Signature = tuple[int, int, int, int]
_checked: dict[Path, Signature] = {}
"""Files that this process has checked, as they were then: what was neither replaced nor written to is not read again."""


COST = ".cost.json"
"""The suffix of the file beside an artifact that says what it took to compute it."""

ARTIFACT = "artifact"
MAX_COST = 2**16
"""Bytes."""


class ArtifactError(XaiError):
    """An artifact that is absent or cannot be read."""


@dataclass(frozen=True)
class Damage:
    """An artifact that is there and counts as absent.

    Attributes:
        path: its file.
        why: what is wrong.
        older: whether it is only that an older version kept no hash.
    """

    path: Path
    why: str
    older: bool


def unheard(damage: Damage) -> None:
    """Tell nobody: for a store that no step uses."""


@dataclass(frozen=True)
class ArtifactStore:
    """Content-addressed arrays below one folder.

    Attributes:
        root: the folder; each kind of artifact has a folder of its own in it.
        shared: the address that hosts share; None where this host is the only one.
        on_damage: called for an artifact that is there and counts as absent.
    """

    root: Path
    shared: Shared | None = None
    on_damage: Callable[[Damage], None] = field(default=unheard, compare=False)

    def path(self, kind: str, key: str) -> Path:
        """The artifact's file, there or not; keys are hexadecimal, so that no key leaves the folder."""
        if not (kind.isidentifier() and len(key) >= 8 and all(c in "0123456789abcdef" for c in key)):
            raise ValueError(f"not an artifact's kind and key: {kind!r}, {key!r}")
        return self.root / kind / key[:2] / f"{key}.safetensors"

    def has(self, kind: str, key: str) -> bool:
        """Whether the artifact is there, as it was written: the whole file is read, once in a process.

        Touches the file, so that `xai prune` knows it is in use.
        """
        path, name = self.path(kind, key), self._name(kind, key)
        here = self._sound(path, f"{kind}/{key}")
        if self.shared is None:
            return here
        there = self.shared.has(name)
        if here and not there:  # the process that wrote it here was killed before it sent it
            self.shared.send(path, name)
        elif there and not here:
            return self.shared.fetch(name, path) and self._sound(path, f"{kind}/{key}")
        return here

    def keys(self, kind: str, prefix: str) -> list[str]:
        """The artifacts of a kind whose keys begin so (8 hexadecimal digits or more), in order."""
        folder = self.path(kind, prefix).parent
        if self.shared is None:
            return sorted(file.stem for file in folder.glob(f"{prefix}*.safetensors"))
        names = self.shared.names(f"{kind}/{prefix[:2]}")
        return sorted(Path(n).stem for n in names if n.startswith(prefix) and n.endswith(".safetensors"))

    def put(self, kind: str, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Path:
        """Write `arrays` (any numeric dtype and shape) and `meta` (JSON, no NaN), in place of what was there."""
        path = self.path(kind, key)
        make_way(path)
        write_with(path, lambda file: artifact_file.write(file, f"{kind}/{key}", arrays, meta))
        if self.shared is not None:
            self.shared.send(path, self._name(kind, key))
        return path

    def put_cost(self, kind: str, key: str, cost: Mapping[str, Any]) -> None:
        """Keep what it took to compute an artifact (JSON, no NaN), beside it: it is no part of the result's content."""
        path = self._cost_path(kind, key)
        make_way(path)
        write_json(path, {ARTIFACT: f"{kind}/{key}", **cost})
        if self.shared is not None:
            self.shared.send(path, path.relative_to(self.root).as_posix())

    def cost(self, kind: str, key: str) -> dict[str, Any] | None:
        """What `put_cost` has kept; None where there is nothing, or nothing that can be read."""
        path = self._cost_path(kind, key)
        if self.shared is not None and not path.is_file():
            self.shared.fetch(path.relative_to(self.root).as_posix(), path)
        found = read_cost(path, f"{kind}/{key}")
        if found is not None:
            _touch(path)
        return found

    def _cost_path(self, kind: str, key: str) -> Path:
        return self.path(kind, key).with_suffix(COST)

    def get(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays and the metadata, checked.

        Raises:
            ArtifactError: the artifact is absent or damaged.
        """
        path = self._here(kind, key)
        try:
            with artifact_file.opened(path) as file:
                before = _signature(file.fileno())
                content, layout = artifact_file.read(
                    file, f"{kind}/{key}", trusted=_checked.get(path) == before
                )
                _remember(path, before, _signature(file.fileno()))
        except (FileNotFoundError, Unsound) as error:
            raise self._unusable(path, error) from error
        return _arrays(content, layout), layout.meta

    def mapped(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """As `get`, but the arrays are read-only views of the file, and it is read only once in a process.

        Raises:
            ArtifactError: the artifact is absent or damaged.
        """
        path = self._here(kind, key)
        try:
            with artifact_file.opened(path) as file:
                layout = _checked_layout(file, path, f"{kind}/{key}")
                content = np.memmap(file, np.uint8, mode="r")
        except (FileNotFoundError, Unsound) as error:
            raise self._unusable(path, error) from error
        return {
            name: content[layout.start + first : layout.start + last].view(dtype).reshape(shape)
            for name, (dtype, shape, first, last) in layout.arrays.items()
        }, layout.meta

    def discard(self, kind: str, key: str) -> None:
        """Remove an artifact that only served to make another, or is damaged; nothing happens where there is none."""
        path = self.path(kind, key)
        make_way(path)
        path.unlink(missing_ok=True)
        self._cost_path(kind, key).unlink(missing_ok=True)
        if self.shared is not None:
            self.shared.remove(self._name(kind, key))

    def _name(self, kind: str, key: str) -> str:
        return self.path(kind, key).relative_to(self.root).as_posix()

    def _here(self, kind: str, key: str) -> Path:
        """The artifact's file on this host, brought here where only the shared address has it whole."""
        path = self.path(kind, key)
        if self.shared is not None and not self._sound(path, f"{kind}/{key}"):
            self.shared.fetch(self._name(kind, key), path)
        return path

    def _sound(self, path: Path, artifact: str) -> bool:
        try:
            with artifact_file.opened(path) as file:
                _checked_layout(file, path, artifact)
        except FileNotFoundError:
            return False
        except Unsound as error:
            self.on_damage(Damage(path, str(error), error.older))
            return False
        _touch(path)
        return True

    def _unusable(self, path: Path, error: Exception) -> ArtifactError:
        if isinstance(error, Unsound):
            self.on_damage(Damage(path, str(error), error.older))
            why = f"is not usable: {error}" if error.older else f"is damaged: {error}"
        else:
            why = "does not exist"
        return ArtifactError(
            str(path), why, "Run the study again, or materialise the asset that makes it: it is made again."
        )


def read_cost(path: Path, artifact: str) -> dict[str, Any] | None:
    """The cost of this artifact in the file; None where there is no such file, or it is anything else."""
    try:
        if not path.is_file():
            return None
        found = json.loads(read_text(path, MAX_COST))
    except (XaiError, ValueError, RecursionError):
        return None  # whoever needs it computes the artifact again
    if not isinstance(found, dict) or found.pop(ARTIFACT, None) != artifact:
        return None
    return found


def _checked_layout(file: IO[bytes], path: Path, artifact: str) -> Layout:
    """The layout of a file that is as it was written; raises Unsound otherwise."""
    before = _signature(file.fileno())
    if _checked.get(path) == before:
        return artifact_file.layout_of(file)
    layout = artifact_file.check(file, artifact)
    _remember(path, before, _signature(file.fileno()))
    return layout


def _signature(file: int | Path) -> Signature:
    found = os.stat(file)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _remember(path: Path, before: Signature, after: Signature) -> None:
    if before == after:  # nobody wrote to it while it was read
        _checked[path] = after


def _touch(path: Path) -> None:
    """Set the time of use to now, and know the file by it from now on."""
    try:
        before = _signature(path)
        os.utime(path)
        if _checked.get(path) == before:
            _checked[path] = _signature(path)
    except (FileNotFoundError, PermissionError):
        return  # somebody is replacing it; or it is another user's, or the store is only read


def _arrays(content: bytes, layout: Layout) -> dict[str, np.ndarray]:
    arrays = {}
    for name, (dtype, shape, first, last) in layout.arrays.items():
        array = np.empty(shape, dtype)
        array.reshape(-1).view(np.uint8)[:] = np.frombuffer(
            content, np.uint8, last - first, layout.start + first
        )
        arrays[name] = array
    return arrays
