"""Many artifacts of one kind in one file: a block, which is an artifact itself.

Its metadata list the members in order: their names, their metadata, how each array is packed, and a SHA-256 of all that
with the packed bytes, so that each member is told sound or damaged by itself. The bytes stand one after the other in the
only array. What two runs from nothing put into a block is the same to the byte.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from xai_assets.files import fingerprint
from xai_assets.resources import artifact_file, packing
from xai_assets.resources.artifact_file import Layout, Unsound

SUFFIX = "_blocks"
"""Of the kind of the blocks that hold artifacts of a kind."""

CONTENT, MEMBERS = "content", "members"

SAME = "same"
"""How an array is packed that another artifact has."""


class Member(NamedTuple):
    """An artifact, packed.

    Attributes:
        said: what the block's metadata say of it.
        content: its arrays' bytes.
    """

    said: Mapping[str, Any]
    content: bytes

    @property
    def names(self) -> tuple[str, ...]:
        """Its keys."""
        return tuple(self.said["names"])


class Same(NamedTuple):
    """An array that another artifact has already: it is kept there alone."""

    kind: str
    key: str
    name: str


@dataclass(frozen=True)
class Contents:
    """What a block's header says.

    Attributes:
        start: the offset in the file of the members' bytes.
        members: name -> what is said of the member; a member may have several names.
    """

    start: int
    members: Mapping[str, Mapping[str, Any]]


def member(
    names: Sequence[str],
    arrays: Mapping[str, np.ndarray],
    meta: Mapping[str, Any],
    same: Mapping[str, Same] | None = None,
) -> Member:
    """Pack an artifact.

    Args:
        names: its keys, the first the one that it is filed under; all of one kind.
        arrays: any boolean, integer or floating type and any shape.
        meta: JSON, no NaN.
        same: arrays that other artifacts have to the byte.

    Raises:
        ValueError: NaN or infinity in the metadata, or a type that is not kept.
    """
    said: dict[str, Any] = {"names": list(names), "meta": dict(meta), "arrays": {}}
    parts = []
    for name, array in arrays.items():
        packed = packing.pack(array, {other: beside for other, beside in arrays.items() if other != name})
        said["arrays"][name] = packed.said
        parts.append((name, packed.content))
    for name, other in (same or {}).items():
        said["arrays"][name] = {"how": SAME, "of": list(other), "bytes": 0}
    content = b"".join(part for _, part in sorted(parts))
    return Member(said | {"sha256": _digest(said, content)}, content)


def name_of(keys: Sequence[str]) -> str:
    """The block's key, from those of its members in order."""
    return fingerprint({"block": list(keys)})


def as_artifact(members: Sequence[Member]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the metadata of the block of these members."""
    content = np.frombuffer(b"".join(one.content for one in members), np.uint8)
    return {CONTENT: content}, {MEMBERS: [one.said for one in members]}


def contents(layout: Layout, artifact: str) -> Contents:
    """What the header of a block's file says.

    Raises:
        Unsound: it is not that block's header.
    """
    if layout.artifact != artifact:
        raise Unsound(f"it holds another artifact, {layout.artifact}")
    found: dict[str, Mapping[str, Any]] = {}
    try:
        offset = layout.arrays[CONTENT][2]
        for said in layout.meta[MEMBERS]:
            size = sum(int(one["bytes"]) for one in said["arrays"].values())
            if size < 0:
                raise Unsound("its header is damaged")
            place = {"said": said, "first": offset, "bytes": size}
            found.update((str(name), place) for name in said["names"])
            offset += size
        names = [str(said["names"][0]) for said in layout.meta[MEMBERS]]
        if offset > layout.arrays[CONTENT][3] or not artifact.endswith(f"/{name_of(names)}"):
            raise Unsound("its header is damaged")
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Unsound("its header is damaged") from error
    return Contents(layout.start, found)


def read(file: IO[bytes], found: Contents, name: str) -> Member:
    """A member, as it was written.

    Raises:
        KeyError: the block has no such member.
        Unsound: it has changed since.
    """
    place = found.members[name]
    try:
        content = os.pread(file.fileno(), place["bytes"], found.start + place["first"])
    except OSError as error:
        raise Unsound(f"it cannot be read ({error.strerror})") from error
    said = {key: value for key, value in place["said"].items() if key != "sha256"}
    if len(content) != place["bytes"]:
        raise Unsound("it is cut off")
    if _digest(said, content) != place["said"].get("sha256"):
        raise Unsound(f"of {name} the content has changed since it was written (SHA-256)")
    return Member(place["said"], content)


def each(path: Path, artifact: str) -> Iterator[Member]:
    """The members of a block's file, damaged ones as they are."""
    with artifact_file.opened(path) as file:
        found = contents(artifact_file.layout_of(file), artifact)
        for place in {id(one): one for one in found.members.values()}.values():
            content = os.pread(file.fileno(), place["bytes"], found.start + place["first"])
            yield Member(place["said"], content.ljust(place["bytes"], b"\0"))


def _digest(said: Mapping[str, Any], content: bytes) -> str:
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), allow_nan=False)
    digest = hashlib.sha256(text.encode("utf-8"))
    digest.update(content)
    return digest.hexdigest()
