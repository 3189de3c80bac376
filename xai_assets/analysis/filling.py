"""Artifacts put into blocks as they come: those that are there are not packed again, and few are in memory."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from xai_assets.analysis.workbench import Tally
from xai_assets.resources.block_file import Same, member
from xai_assets.resources.store import ArtifactStore

BLOCK = 200
"""Artifacts a file."""

BLOCK_BYTES = 2**26
"""Of arrays that wait to be packed, above which a block is written with fewer."""


class Filling:
    """Blocks of one kind, in the order in which their artifacts come.

    Args:
        store: where they are kept.
        kind: of the artifacts.
        tally: counts those that were there and those that were not; None: they are not the step's results.
    """

    def __init__(self, store: ArtifactStore, kind: str, tally: Tally | None = None) -> None:
        self._store, self._kind, self._tally = store, kind, tally
        self._waiting: dict[str, tuple[Mapping[str, np.ndarray], Mapping[str, Any], Mapping[str, Same]]] = {}
        self._count = self._bytes = 0

    def add(
        self,
        key: str,
        arrays: Mapping[str, np.ndarray],
        meta: Mapping[str, Any],
        same: Mapping[str, Same] | None = None,
    ) -> None:
        """Keep an artifact, arguments as of `block_file.member`; the last ones with `close`."""
        self._waiting[key] = arrays, meta, same or {}
        self._bytes += sum(array.nbytes for array in arrays.values())
        self._count += 1
        if self._count == BLOCK or self._bytes >= BLOCK_BYTES:
            self.close()

    def close(self) -> None:
        """Write what waits."""
        known = self._store.known(self._kind, self._waiting)
        new = [member([key], *of) for key, of in self._waiting.items() if key not in known]
        if new:
            self._store.put_block(self._kind, new)
        if self._tally is not None:
            self._tally.computed += len(new)
            self._tally.reused += self._count - len(new)
        self._waiting = {}
        self._count = self._bytes = 0
