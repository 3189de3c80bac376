"""The largest values of every unit, of values that come in parts: exact, in one pass."""

import numpy as np

_BLOCK_VALUES = 2**22
"""Values partitioned at a time: 16 MiB as float32."""


class TopValues:
    """The `rank` largest values of each unit among all that were added; memory is units x rank x 4 bytes, twice.

    Args:
        units: how many units.
        rank: how many values of each are kept, at least 1.

    Attributes:
        bound: float32 (u,): the rank-th largest value of each unit when `settle` was last called, -inf where fewer
            were added. It only ever rises, so that what does not exceed it now never belongs to the largest.
    """

    def __init__(self, units: int, rank: int) -> None:
        self.rank = rank
        self.bound = np.full(units, -np.inf, np.float32)
        self._top = np.full((units, rank), -np.inf, np.float32)  # in no order
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self._count = 0

    def add(self, units: np.ndarray, values: np.ndarray) -> None:
        """Take values in.

        Args:
            units: int (m,), the unit of each row.
            values: float32 (m, k).
        """
        above = np.flatnonzero(values > self.bound[units][:, None])
        if len(above):
            self._waiting.append((units[above // values.shape[1]], values.ravel()[above]))
            self._count += len(above)
        if self._count > self._top.size // 2:
            self.settle()

    def settle(self) -> np.ndarray:
        """Bring `bound` up to date; returns it."""
        if not self._waiting:
            return self.bound
        units = np.concatenate([units for units, _ in self._waiting])
        # 16 bits where they do: NumPy sorts those by radix, several times faster.
        small = units.astype(np.uint16) if len(self.bound) <= 2**16 else units
        order = np.argsort(small, kind="stable")
        units = units[order]
        values = np.concatenate([values for _, values in self._waiting])[order]
        self._waiting, self._count = [], 0
        ends = np.searchsorted(units, np.arange(len(self.bound) + 1))
        start = 0
        while start < len(self.bound):
            stop = self._block_end(ends, start)
            part = slice(ends[start], ends[stop])
            self._merge(start, stop, units[part] - start, values[part], ends[start:stop] - ends[start])
            start = stop
        return self.bound

    def of(self, unit: int) -> np.ndarray:
        """The unit's largest values so far, float32 (at most rank,), in no order."""
        self.settle()
        return self._top[unit][self._top[unit] > -np.inf]

    def _block_end(self, ends: np.ndarray, start: int) -> int:
        """The last unit, exclusive, of a block from `start` that is partitioned at a time."""
        stop, widest = start, 0
        while stop < len(self.bound):
            widest = max(widest, int(ends[stop + 1] - ends[stop]))
            if stop > start and (stop + 1 - start) * (self.rank + widest) > _BLOCK_VALUES:
                break
            stop += 1
        return stop

    def _merge(self, start: int, stop: int, units: np.ndarray, values: np.ndarray, begin: np.ndarray) -> None:
        counts = np.bincount(units, minlength=stop - start)
        widest = int(counts.max(initial=0))
        if not widest:
            return
        both = np.full((stop - start, widest + self.rank), -np.inf, np.float32)
        both[:, : self.rank] = self._top[start:stop]
        both[units, self.rank + np.arange(len(units)) - begin[units]] = values
        both.partition(widest, axis=1)
        self._top[start:stop] = both[:, widest:]
        self.bound[start:stop] = both[:, widest]
