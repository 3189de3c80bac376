"""The address that all hosts of a distributed run share, through fsspec; each host keeps its own copy of what it uses.

A name appears there whole or not at all: files go up under another name and are moved. On an object store that is a
copy on its side.
"""

import shutil
import uuid
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.files import write_with


@dataclass(frozen=True)
class Shared:
    """Files below one URL, by their names relative to it.

    Attributes:
        url: such as s3://bucket/folder, gs://bucket/folder or file:///mnt/shared; its driver has to be installed.
    """

    url: str

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        try:
            system, root = url_to_fs(self.url, use_listings_cache=False)
        except (ImportError, ValueError) as error:
            raise XaiError(
                f"XAI_ARTIFACTS {self.url}",
                str(error).rstrip("."),
                "Install the driver of its protocol (s3fs, gcsfs, adlfs, ...), or give a folder.",
            ) from error
        return system, str(root).rstrip("/")

    def _at(self, name: str) -> str:
        return f"{self._opened[1]}/{name}"

    def has(self, name: str) -> bool:
        """Whether the file is there."""
        return bool(self._opened[0].isfile(self._at(name)))

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder, without it; none where there is no such folder."""
        try:
            found = self._opened[0].ls(self._at(folder), detail=False)
        except FileNotFoundError:
            return []
        return [str(path).rsplit("/", 1)[1] for path in found]

    def below(self, folder: str) -> list[str]:
        """The names of the files in a folder and in those in it, without their folders."""
        try:
            found = self._opened[0].find(self._at(folder))
        except FileNotFoundError:
            return []
        return [str(path).rsplit("/", 1)[1] for path in found]

    def start(self, name: str, count: int) -> tuple[bytes, int]:
        """The first bytes of a file, as many as there are of `count`, and the file's size.

        Raises:
            FileNotFoundError: there is none.
        """
        system, at = self._opened[0], self._at(name)
        size = int(system.info(at)["size"])
        return bytes(system.cat_file(at, start=0, end=min(count, size))), size

    def send(self, path: Path, name: str) -> None:
        """Put a copy of a file of this host there, in place of what was there."""
        system, at = self._opened[0], self._at(name)
        if _is_local(system):
            with path.open("rb") as source:
                write_with(Path(at), lambda target: shutil.copyfileobj(source, target))
            return
        folder, _, last = at.rpartition("/")
        system.makedirs(folder, exist_ok=True)
        temporary = f"{folder}/.{last}.{uuid.uuid4().hex}.part"
        system.put_file(str(path), temporary)
        system.mv(temporary, at)

    def fetch(self, name: str, path: Path) -> bool:
        """Put a copy of a file from there on this host, whole or not at all; False where there is none."""
        try:
            with self._opened[0].open(self._at(name), "rb") as source:
                write_with(path, lambda target: shutil.copyfileobj(source, target))
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Take the file away; nothing happens where there is none."""
        try:
            self._opened[0].rm_file(self._at(name))
        except FileNotFoundError:
            return


def _is_local(system: Any) -> bool:
    from fsspec.implementations.local import LocalFileSystem

    return isinstance(system, LocalFileSystem)
