"""The artifact store: arrays by the hash of everything that made them.

An artifact has a file of its own, or shares one with others of its kind (`put_block`): who reads it sees no difference.
An artifact is never changed. One that is damaged counts as absent: `has` reads the whole file before it says yes, so that
whoever asks computes it again, and it is reported. Where hosts share an address, that is the store, and the folder a copy
of what this host has used.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from xai_assets.errors import XaiError
from xai_assets.files import make_way, write_with
from xai_assets.resources import artifact_file, packing
from xai_assets.resources.artifact_file import Layout, Unsound
from xai_assets.resources.block_file import SAME, Member
from xai_assets.resources.blocks import Blocks, arrays_of
from xai_assets.resources.costs import COST, OF, members_of, read_cost, write_cost
from xai_assets.resources.shared import Shared

Signature = tuple[int, int, int, int]
_checked: dict[Path, Signature] = {}
"""Files that this process has checked, as they were then: what was neither replaced nor written to is not read again."""


_blocks: dict[tuple[Path, str], Blocks] = {}
"""The index of the blocks of each kind that this process has asked for, by the store's folder."""

USED_AGAIN = 3600.0
"""Seconds after which a block that is used is touched once more."""


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
        """Whether the artifact is there, as it was written: all of it is read, once in a process.

        Touches the file, so that `xai prune` knows it is in use.
        """
        return bool(self.known(kind, [key]))

    def known(self, kind: str, keys: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The metadata of those of these artifacts that are there as they were written, by key; touched as by `has`."""
        keys, blocks = list(dict.fromkeys(keys)), self._blocks_of(kind)
        if not all(blocks.places(key) for key in keys):
            blocks.look(self.shared, self._damaged)
        found: dict[str, Mapping[str, Any]] = {}
        for key in keys:
            own = os.path.lexists(self.path(kind, key))
            layout = self._in_own_file(kind, key) if own else None
            if layout is None and (member := self._member(kind, key, use=True)) is not None:
                found[key] = deepcopy(member.said["meta"])
            elif layout is not None or (not own and (layout := self._in_own_file(kind, key)) is not None):
                found[key] = layout.meta
        return found

    def keys(self, kind: str, prefix: str) -> list[str]:
        """The artifacts of a kind that have own files and keys that begin so (8 hexadecimal digits or more), in order."""
        folder = self.path(kind, prefix).parent
        if self.shared is None:
            return sorted(file.stem for file in folder.glob(f"{prefix}*.safetensors"))
        names = self.shared.names(f"{kind}/{prefix[:2]}")
        return sorted(Path(n).stem for n in names if n.startswith(prefix) and n.endswith(".safetensors"))

    def put(self, kind: str, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Path:
        """Write `arrays` (any numeric dtype and shape) and `meta` (JSON, no NaN), in place of what was there.

        An own file is read in place of what a block has.
        """
        path = self.path(kind, key)
        make_way(path)
        write_with(path, lambda file: artifact_file.write(file, f"{kind}/{key}", arrays, meta))
        if self.shared is not None:
            self.shared.send(path, self._name(kind, key))
        return path

    def put_block(
        self, kind: str, members: Sequence[Member], costs: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """Write artifacts that are not there, packed, whole or not at all: in one file but for those that are damaged.

        A damaged one is replaced in the file that has it, in which the others stay as they are.

        Args:
            kind: of all of them.
            members: from `block_file.member`, in an order that does not depend on how they were made.
            costs: as of `put_cost`, by one of the members' names each.
        """
        for one in members:
            for name in one.names:
                self.path(kind, name)
        blocks = self._blocks_of(kind)
        for block, of in blocks.destinations(members).items():
            if costs:
                path, artifact = blocks.path(block).with_suffix(COST), f"{blocks.kind}/{block}"
                before = members_of(read_cost(path, artifact))
                names = [name for one in of.values() for name in one.names if name in costs]
                write_cost(path, artifact, {OF: before | {name: costs[name] for name in names}})
            blocks.write(block, of)
            blocks.send(block, self.shared)

    def put_cost(self, kind: str, key: str, cost: Mapping[str, Any]) -> None:
        """Keep what it took to compute an artifact (JSON, no NaN), beside it: it is no part of the result's content."""
        path = self._cost_path(kind, key)
        write_cost(path, f"{kind}/{key}", cost)
        self._send(path)

    def cost(self, kind: str, key: str) -> dict[str, Any] | None:
        """What `put_cost` or `put_block` has kept; None where there is nothing, or nothing that can be read."""
        return self.costs(kind, [key]).get(key)

    def costs(self, kind: str, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The same of many, by key; without those of which there is nothing."""
        blocks = self._blocks_of(kind)
        files: dict[str, dict[str, dict[str, Any]]] = {}
        found: dict[str, dict[str, Any]] = {}
        for key in keys:
            for block in blocks.places(key):
                if block not in files:
                    path = blocks.path(block).with_suffix(COST)
                    files[block] = members_of(self._cost_of(path, f"{blocks.kind}/{block}"))
                if key in files[block]:
                    found.setdefault(key, files[block][key])
            if key not in found:
                path = self._cost_path(kind, key)
                cost = self._cost_of(path, f"{kind}/{key}")
                if cost is not None:
                    _touch(path)
                    found[key] = cost
        return found

    def _cost_of(self, path: Path, artifact: str) -> dict[str, Any] | None:
        if self.shared is not None and not path.is_file():
            self.shared.fetch(path.relative_to(self.root).as_posix(), path)
        return read_cost(path, artifact)

    def _cost_path(self, kind: str, key: str) -> Path:
        return self.path(kind, key).with_suffix(COST)

    def get(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays and the metadata, checked.

        Raises:
            ArtifactError: the artifact is absent or damaged.
        """
        own = os.path.lexists(self.path(kind, key))
        if not own and (found := self._unpacked(kind, key)) is not None:
            return found
        path = self._here(kind, key)
        try:
            with artifact_file.opened(path) as file:
                before = _signature(file.fileno())
                content, layout = artifact_file.read(
                    file, f"{kind}/{key}", trusted=_checked.get(path) == before
                )
                _remember(path, before, _signature(file.fileno()))
        except (FileNotFoundError, Unsound) as error:
            unusable = self._unusable(kind, key, error)
            if own and (found := self._unpacked(kind, key)) is not None:
                return found
            raise unusable from error
        return _arrays(content, layout), layout.meta

    def mapped(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """As `get`, but the arrays of an own file are read-only views of it, and it is read only once in a process.

        Raises:
            ArtifactError: the artifact is absent or damaged.
        """
        own = os.path.lexists(self.path(kind, key))
        if not own and (found := self._unpacked(kind, key)) is not None:
            for array in found[0].values():
                array.flags.writeable = False
            return found
        path = self._here(kind, key)
        try:
            with artifact_file.opened(path) as file:
                layout = _checked_layout(file, path, f"{kind}/{key}")
                content = np.memmap(file, np.uint8, mode="r")
        except (FileNotFoundError, Unsound) as error:
            raise self._unusable(kind, key, error) from error
        return {
            name: content[layout.start + first : layout.start + last].view(dtype).reshape(shape)
            for name, (dtype, shape, first, last) in layout.arrays.items()
        }, layout.meta

    def meta(self, kind: str, key: str) -> Mapping[str, Any]:
        """The metadata alone, checked as by `has`.

        Raises:
            ArtifactError: the artifact is absent or damaged.
        """
        found = self.known(kind, [key])
        if key not in found:
            raise self._unusable(kind, key, FileNotFoundError())
        return found[key]

    def discard(self, kind: str, key: str) -> None:
        """Remove an artifact that only served to make another, or is damaged; nothing happens where there is none."""
        path = self.path(kind, key)
        make_way(path)
        path.unlink(missing_ok=True)
        self._cost_path(kind, key).unlink(missing_ok=True)
        if self.shared is not None:
            self.shared.remove(self._name(kind, key))

    def _blocks_of(self, kind: str) -> Blocks:
        if (found := _blocks.get((self.root, kind))) is None:
            if not kind.isidentifier():
                raise ValueError(f"not an artifact's kind: {kind!r}")
            found = _blocks.setdefault((self.root, kind), Blocks(self.root, kind))
        return found

    def _member(self, kind: str, key: str, *, use: bool = False) -> Member | None:
        """The artifact from a block, as it was written; None where none has it so. `use`: touch the block."""
        blocks = self._blocks_of(kind)
        for block in blocks.places(key):
            try:
                found = blocks.read(key, block, self.shared)
                if use:
                    self._check_unpacked(found)
                    _use(blocks.path(block))
            except FileNotFoundError:
                continue
            except Unsound as error:
                self._damaged(blocks.path(block), error)
            else:
                return found
        return None

    def _check_unpacked(self, found: Member) -> None:
        """Raises Unsound where the packed bytes are as they were and the arrays may not be."""
        ways = {one["how"] for one in found.said["arrays"].values()}
        if packing.RESIZED in ways:
            arrays_of(found, lambda kind, key, name: np.empty(0))
        for one in found.said["arrays"].values():
            if one["how"] == SAME and not self.has(*one["of"][:2]):
                raise Unsound(f"of what it shares with {'/'.join(one['of'][:2])} there is nothing")

    def _unpacked(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
        blocks = self._blocks_of(kind)
        if not blocks.places(key):
            blocks.look(self.shared, self._damaged)
        found = self._member(kind, key)
        if found is None:
            return None
        try:
            return arrays_of(found, lambda *of: self.get(*of[:2])[0][of[2]]), deepcopy(found.said["meta"])
        except Unsound as error:
            self._damaged(blocks.path(blocks.places(key)[0]), error)
            return None

    def _damaged(self, path: Path, error: Unsound) -> None:
        self.on_damage(Damage(path, str(error), error.older))

    def _send(self, path: Path) -> None:
        if self.shared is not None:
            self.shared.send(path, path.relative_to(self.root).as_posix())

    def _name(self, kind: str, key: str) -> str:
        return self.path(kind, key).relative_to(self.root).as_posix()

    def _here(self, kind: str, key: str) -> Path:
        """The artifact's file on this host, brought here where only the shared address has it whole."""
        path = self.path(kind, key)
        if self.shared is not None and self._sound(path, f"{kind}/{key}") is None:
            self.shared.fetch(self._name(kind, key), path)
        return path

    def _in_own_file(self, kind: str, key: str) -> Layout | None:
        path, name = self.path(kind, key), self._name(kind, key)
        here = self._sound(path, f"{kind}/{key}")
        if self.shared is None:
            return here
        there = self.shared.has(name)
        if here and not there:  # the process that wrote it here was killed before it sent it
            self.shared.send(path, name)
        elif there and not here:
            return self._sound(path, f"{kind}/{key}") if self.shared.fetch(name, path) else None
        return here

    def _sound(self, path: Path, artifact: str) -> Layout | None:
        try:
            with artifact_file.opened(path) as file:
                layout = _checked_layout(file, path, artifact)
        except FileNotFoundError:
            return None
        except Unsound as error:
            self._damaged(path, error)
            return None
        _touch(path)
        return layout

    def _unusable(self, kind: str, key: str, error: Exception) -> ArtifactError:
        path = self.path(kind, key)
        if isinstance(error, Unsound):
            self._damaged(path, error)
            why = f"is not usable: {error}" if error.older else f"is damaged: {error}"
        elif places := self._blocks_of(kind).places(key):
            path, why = (
                self._blocks_of(kind).path(places[0]),
                f"is damaged: {key} in it is not as it was written",
            )
        else:
            why = "does not exist"
        return ArtifactError(
            str(path), why, "Run the study again, or materialise the asset that makes it: it is made again."
        )


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


def _use(path: Path) -> None:
    """Touch a file that many artifacts share, not for each of them."""
    try:
        if time.time() - path.stat().st_mtime > USED_AGAIN:
            os.utime(path)
            cost = path.with_suffix(COST)
            os.utime(cost)
    except (FileNotFoundError, PermissionError):
        return  # as of `_touch`, or it has no cost


def _arrays(content: bytes, layout: Layout) -> dict[str, np.ndarray]:
    arrays = {}
    for name, (dtype, shape, first, last) in layout.arrays.items():
        array = np.empty(shape, dtype)
        array.reshape(-1).view(np.uint8)[:] = np.frombuffer(
            content, np.uint8, last - first, layout.start + first
        )
        arrays[name] = array
    return arrays
