"""Where the artifacts of a kind are that share files: an index of the blocks below a store's folder, and their reading.

The index is read from the blocks' headers when a key is asked for that it does not have, and once more only for blocks
that came since. It holds a key and a block's key for each artifact; of headers, the last few are kept.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from xai_assets.files import make_way, write_with
from xai_assets.resources import artifact_file, block_file, packing
from xai_assets.resources.artifact_file import Unsound
from xai_assets.resources.block_file import SUFFIX, Contents, Member
from xai_assets.resources.costs import COST
from xai_assets.resources.shared import Shared

Identity = tuple[int, int, int]
HEADERS = 16
"""How many headers are kept."""

HEADER_READ = 2**18
"""Bytes of a block at a shared address that are read first: most headers are shorter."""


class Blocks:
    """The blocks of one kind.

    Args:
        root: the store's folder.
        kind: of the artifacts.
    """

    def __init__(self, root: Path, kind: str) -> None:
        self.root, self.kind = root, f"{kind}{SUFFIX}"
        self._of: dict[str, tuple[str, ...]] = {}
        self._seen: set[str] = set()
        self._headers: OrderedDict[str, tuple[Identity, Contents]] = OrderedDict()

    def path(self, block: str) -> Path:
        """The file of a block, there or not."""
        return self.root / self.kind / block[:2] / f"{block}.safetensors"

    def places(self, key: str) -> tuple[str, ...]:
        """The blocks that have an artifact of that key, as far as it is known, the newest first."""
        return self._of.get(key, ())

    def look(self, shared: Shared | None, on_unsound: Callable[[Path, Unsound], None]) -> None:
        """Learn of blocks that came since; `on_unsound` is called with the path of one that has no header, and why."""
        here = {path.stem for path in (self.root / self.kind).glob("??/*.safetensors")}
        there: set[str] = set()
        if shared is not None:
            there = {Path(name).stem for name in shared.below(self.kind) if name.endswith(".safetensors")}
        for block in sorted((here | there) - self._seen):
            self._seen.add(block)
            try:
                if shared is not None and block not in here:
                    found = self._contents_there(shared, block)
                else:
                    found = self._contents_here(block)
            except FileNotFoundError:
                self._seen.discard(block)
            except Unsound as error:
                on_unsound(self.path(block), error)
            else:
                self._know(block, found.members)
                if shared is not None and block not in there:  # its writer was killed before it sent it
                    self.send(block, shared)

    def send(self, block: str, shared: Shared | None) -> None:
        """Put a block with its costs at the shared address, if there is one."""
        if shared is None:
            return
        path = self.path(block)
        for one in (path.with_suffix(COST), path):
            if one.is_file():
                shared.send(one, one.relative_to(self.root).as_posix())

    def read(self, key: str, block: str, shared: Shared | None) -> Member:
        """An artifact as a block has it.

        Raises:
            FileNotFoundError: the block is gone, or has no such artifact any more.
            Unsound: the artifact is damaged.
        """
        path = self.path(block)
        try:
            if shared is None:
                return self._read(key, block)
            if not path.is_file():
                shared.fetch(self._name(block), path)
            try:
                return self._read(key, block)
            except Unsound:
                if not shared.fetch(self._name(block), path):
                    raise
                return self._read(key, block)
        except FileNotFoundError:
            if not path.is_file():
                self._forget(block)
            raise

    def _read(self, key: str, block: str) -> Member:
        with artifact_file.opened(self.path(block)) as file:
            try:
                return block_file.read(file, self._contents_of(block, file), key)
            except KeyError:
                raise FileNotFoundError(self.path(block)) from None

    def destinations(self, members: Sequence[Member]) -> dict[str, dict[str, Member]]:
        """What has to be written, by block: its members by their first names, in order.

        Artifacts that no block has are one new block. Of a block that has one of them damaged, all is written again.
        """
        new: dict[str, dict[str, Member]] = {}
        for one in members:
            block = next((block for block in self.places(one.names[0]) if self.path(block).is_file()), "")
            new.setdefault(block, {})[one.names[0]] = one
        found: dict[str, dict[str, Member]] = {}
        fresh = new.pop("", {})
        for block, of in new.items():
            try:
                kept = {
                    one.names[0]: one for one in block_file.each(self.path(block), f"{self.kind}/{block}")
                }
            except (FileNotFoundError, Unsound):
                kept = {}
            if of.keys() <= kept.keys():
                found[block] = kept | of
            else:
                fresh |= of
        if fresh:
            fresh = {one.names[0]: one for one in members if one.names[0] in fresh}
            found[block_file.name_of(list(fresh))] = fresh
        return found

    def write(self, block: str, members: Mapping[str, Member]) -> Path:
        """Write a block, whole or not at all."""
        path, artifact = self.path(block), f"{self.kind}/{block}"
        arrays, meta = block_file.as_artifact(list(members.values()))
        make_way(path)
        write_with(path, lambda file: artifact_file.write(file, artifact, arrays, meta))
        self._headers.pop(block, None)
        self._seen.add(block)
        self._know(block, [name for one in members.values() for name in one.names])
        return path

    def _know(self, block: str, names: Collection[str]) -> None:
        for name in names:
            self._of[name] = (block, *(other for other in self._of.get(name, ()) if other != block))

    def _forget(self, block: str) -> None:
        """A block that is gone."""
        self._seen.discard(block)
        self._headers.pop(block, None)
        for name in [name for name, places in self._of.items() if block in places]:
            self._of[name] = tuple(other for other in self._of[name] if other != block)

    def _name(self, block: str) -> str:
        return self.path(block).relative_to(self.root).as_posix()

    def _contents_here(self, block: str) -> Contents:
        with artifact_file.opened(self.path(block)) as file:
            return self._contents_of(block, file)

    def _contents_of(self, block: str, file: IO[bytes]) -> Contents:
        now = os.fstat(file.fileno())
        identity = now.st_dev, now.st_ino, now.st_size
        known = self._headers.get(block)
        if known is None or known[0] != identity:
            layout = artifact_file.layout_of(file)
            known = identity, block_file.contents(layout, f"{self.kind}/{block}")
            self._headers[block] = known
            while len(self._headers) > HEADERS:
                self._headers.popitem(last=False)
        self._headers.move_to_end(block)
        return known[1]

    def _contents_there(self, shared: Shared, block: str) -> Contents:
        """Of a block that is at the shared address alone: no more than its header is read."""
        name = self._name(block)
        start, size = shared.start(name, HEADER_READ)
        end = artifact_file.header_end(start, size)
        if end > len(start):
            start, size = shared.start(name, end)
        return block_file.contents(artifact_file.layout_in(start[:end], size), f"{self.kind}/{block}")


def arrays_of(found: Member, elsewhere: Callable[[str, str, str], np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays of a packed artifact; `elsewhere(kind, key, name)` gives one that another artifact has.

    Raises:
        Unsound: they do not come out as they were.
    """
    said: Mapping[str, Any] = found.said["arrays"]
    parts, offset = {}, 0
    for name in sorted(said):
        parts[name] = found.content[offset : offset + said[name]["bytes"]]
        offset += said[name]["bytes"]
    arrays: dict[str, np.ndarray] = {}
    for name in packing.in_order(said):
        if said[name]["how"] == block_file.SAME:
            arrays[name] = elsewhere(*said[name]["of"])
        else:
            arrays[name] = packing.unpack(said[name], parts[name], arrays)
    return arrays
