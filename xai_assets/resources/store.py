"""The artifact store: arrays by the hash of everything that made them.

Nothing in it is ever changed; a key that exists is the result. Files are safetensors, which cannot run code, with
the metadata as JSON in their header.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from xai_assets.errors import XaiError
from xai_assets.files import write_bytes


class ArtifactError(XaiError):
    """An artifact that is absent or cannot be read."""


@dataclass(frozen=True)
class ArtifactStore:
    """Content-addressed arrays below one folder.

    Attributes:
        root: the folder; each kind of artifact has a folder of its own in it.
    """

    root: Path

    def path(self, kind: str, key: str) -> Path:
        """Where the artifact stands, or would stand; keys are hexadecimal, so that no key leaves the folder."""
        if not (kind.isidentifier() and len(key) >= 8 and all(c in "0123456789abcdef" for c in key)):
            raise ValueError(f"not an artifact's kind and key: {kind!r}, {key!r}")
        return self.root / kind / key[:2] / f"{key}.safetensors"

    def has(self, kind: str, key: str) -> bool:
        """Whether the artifact exists, whole: files are renamed into place when they are complete."""
        return self.path(kind, key).is_file()

    def put(self, kind: str, key: str, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> Path:
        """Write `arrays` (any numeric dtype and shape) and `meta` (JSON, no NaN)."""
        header = {"meta": json.dumps(dict(meta), sort_keys=True, allow_nan=False)}
        tensors = {name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())}
        return write_bytes(self.path(kind, key), save(tensors, metadata=header))

    def get(self, kind: str, key: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays and the metadata.

        Raises:
            ArtifactError: when the artifact is absent or damaged.
        """
        path = self.path(kind, key)
        try:
            with safe_open(path, framework="numpy") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                return arrays, json.loads((file.metadata() or {}).get("meta", "{}"))
        except FileNotFoundError as error:
            raise ArtifactError(
                str(path), "does not exist", "Materialise the asset that makes it again."
            ) from error
        except SafetensorError as error:
            remedy = "Delete the file and materialise the asset that makes it again."
            raise ArtifactError(str(path), f"is damaged ({error})", remedy) from error
