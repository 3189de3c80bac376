"""ScoreCAM's batches as they are scored, so that a killed run goes on in the middle of an image."""

import numpy as np

from xai_assets.files import fingerprint
from xai_assets.resources.store import ArtifactStore

KIND = "scores"


class ScoreBatches:
    """The batches of one map, a file each until the map is whole.

    Args:
        store: where they are kept.
        key: the map's.
    """

    def __init__(self, store: ArtifactStore, key: str) -> None:
        self._store, self._key = store, key
        self._count = 0

    def get(self, batch: int) -> np.ndarray | None:
        """The scores (m k) float32 of a batch, where it was kept."""
        self._count = max(self._count, batch + 1)
        key = self._of(batch)
        return self._store.get(KIND, key)[0]["scores"] if self._store.has(KIND, key) else None

    def put(self, batch: int, scores: np.ndarray) -> None:
        """Keep a batch's scores, whole or not at all."""
        self._store.put(KIND, self._of(batch), {"scores": scores}, {})

    def discard(self) -> None:
        """Throw the batches away: the map is kept, or will never be."""
        for batch in range(self._count):
            self._store.discard(KIND, self._of(batch))

    def _of(self, batch: int) -> str:
        return fingerprint({"map": self._key, "batch": batch})
