"""The artifact store: arrays by the hash of everything that made them.

Nothing in it is ever changed; a key that exists is the result. Files are safetensors, which cannot run code, with
the metadata as JSON in their header. Where hosts share an address, that is the store, and the folder a copy of what this
host has used.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from xai_assets.errors import XaiError
from xai_assets.files import write_bytes
from xai_assets.resources.shared import Shared

_DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "U16": np.uint16, "I16": np.int16, "U32": np.uint32,
    "I32": np.int32, "U64": np.uint64, "I64": np.int64, "F16": np.float16, "F32": np.float32, "F64": np.float64,
}  # fmt: skip
"""Types of arrays, as safetensors calls them; all are little-endian."""


class ArtifactError(XaiError):
    """An artifact that is absent or cannot be read."""


@dataclass(frozen=True)
class ArtifactStore:
    """Content-addressed arrays below one folder.

    Attributes:
        root: the folder; each kind of artifact has a folder of its own in it.
        shared: the address that hosts share; None where this host is the only one.
    """

    root: Path
    shared: Shared | None = None

    def path(self, kind: str, key: str) -> Path:
        """Where the artifact stands, or would stand; keys are hexadecimal, so that no key leaves the folder."""
        if not (kind.isidentifier() and len(key) >= 8 and all(c in "0123456789abcdef" for c in key)):
            raise ValueError(f"not an artifact's kind and key: {kind!r}, {key!r}")
        return self.root / kind / key[:2] / f"{key}.safetensors"

    def has(self, kind: str, key: str) -> bool:
        """Whether the artifact exists, whole: files are renamed into place when they are complete.

        Who asks goes on to use it: the file's time of change is set to now, by which old ones are told.
        """
        here = self._used(self.path(kind, key))
        if self.shared is None:
            return here
        there = self.shared.has(self._name(kind, key))
        if here and not there:  # the process that wrote it here was killed before it sent it
            self.shared.send(self.path(kind, key), self._name(kind, key))
        return here or there

    def keys(self, kind: str, prefix: str) -> list[str]:
        """The artifacts of a kind whose keys begin so (8 hexadecimal digits or more), in order."""
        folder = self.path(kind, prefix).parent
        if self.shared is None:
            return sorted(file.stem for file in folder.glob(f"{prefix}*.safetensors"))
        names = self.shared.names(f"{kind}/{prefix[:2]}")
        return sorted(Path(n).stem for n in names if n.startswith(prefix) and n.endswith(".safetensors"))

    def put(self, kind: str, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Path:
        """Write `arrays` (any numeric dtype and shape) and `meta` (JSON, no NaN)."""
        header = {"meta": json.dumps(dict(meta), sort_keys=True, allow_nan=False)}
        tensors = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
        path = write_bytes(self.path(kind, key), save(tensors, metadata=header))
        if self.shared is not None:
            self.shared.send(path, self._name(kind, key))
        return path

    def get(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays and the metadata.

        Raises:
            ArtifactError: when the artifact is absent or damaged.
        """
        with self._opened(self._here(kind, key)) as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return arrays, json.loads((file.metadata() or {}).get("meta", "{}"))

    def mapped(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """As `get`, but the arrays are read-only views of the file, read where and when they are looked at.

        Raises:
            ArtifactError: when the artifact is absent or damaged.
        """
        path = self._here(kind, key)
        with self._opened(path) as file:  # checks the header and that the file is whole
            meta = json.loads((file.metadata() or {}).get("meta", "{}"))
        content = np.memmap(path, np.uint8, mode="r")
        length = int(content[:8].view("<u8")[0])
        header = json.loads(content[8 : 8 + length].tobytes())
        header.pop("__metadata__", None)
        arrays = {}
        for name, entry in header.items():
            first, last = (8 + length + offset for offset in entry["data_offsets"])
            arrays[name] = content[first:last].view(_DTYPES[entry["dtype"]]).reshape(entry["shape"])
        return arrays, meta

    def discard(self, kind: str, key: str) -> None:
        """Remove an artifact that only served to make another; nothing happens where there is none."""
        self.path(kind, key).unlink(missing_ok=True)
        if self.shared is not None:
            self.shared.remove(self._name(kind, key))

    def _name(self, kind: str, key: str) -> str:
        return self.path(kind, key).relative_to(self.root).as_posix()

    def _here(self, kind: str, key: str) -> Path:
        """The artifact's file on this host, brought here where only the shared address has it."""
        path = self.path(kind, key)
        if self.shared is not None and not path.is_file():
            self.shared.fetch(self._name(kind, key), path)
        return path

    @staticmethod
    def _used(path: Path) -> bool:
        try:
            os.utime(path)
        except FileNotFoundError:
            return False
        except PermissionError:  # another user's, or a store that is only read
            return path.is_file()
        return True

    @contextmanager
    def _opened(self, path: Path) -> Iterator[Any]:
        try:
            with safe_open(path, framework="numpy") as file:
                yield file
        except FileNotFoundError as error:
            raise ArtifactError(
                str(path), "does not exist", "Materialise the asset that makes it again."
            ) from error
        except SafetensorError as error:
            remedy = "Delete the file and materialise the asset that makes it again."
            raise ArtifactError(str(path), f"is damaged ({error})", remedy) from error
