"""Activation maps of a layer, of which only the cells that can matter are kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

ABSENT = np.float32(-1e30)
"""Stands in a map for a cell that was not kept: below every threshold, and finite, so that 0 times it is 0."""

_BLOCK_VALUES = 2**22
"""Cells read at a time: 16 MiB as float32."""


@dataclass(frozen=True)
class SparseMaps:
    """Kept cells, by pairs of image and unit, sorted by image and, within an image, by unit.

    Of a map that exceeds its floor, all cells above the floor are kept with all their neighbours (8 at most): a
    bilinearly upsampled pixel lies between four cells that are neighbours of each other, so where it can exceed a
    threshold that is not below the floor, all four are here. A map that does not exceed its floor is not here at all.

    Attributes:
        shape: (n, u, h, w): what all maps would be.
        images, units: int32 (m,), the pair of each map.
        floors: float32 (m,).
        part: int32 (m,), start, stop: int64 (m,): where a map's cells stand: `parts[part]`, from start to stop.
        parts: (cells, values) each, possibly memory-mapped: cells uint16 or int32 (k,), the place in the map row by
            row, and values float32 (k,).
    """

    shape: tuple[int, int, int, int]
    images: np.ndarray
    units: np.ndarray
    floors: np.ndarray
    part: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    parts: tuple[tuple[np.ndarray, np.ndarray], ...]

    @classmethod
    def of_maps(
        cls,
        shape: tuple[int, int, int, int],
        images: np.ndarray,
        units: np.ndarray,
        maps: np.ndarray,
        floors: np.ndarray,
    ) -> "SparseMaps":
        """Keep what exceeds the floors, float32 (u,), of the maps, float32 (m, h, w), of some pairs."""
        positions = shape[2] * shape[3]
        near = np.flatnonzero(_neighbours(maps > floors[units][:, None, None]))  # of m h w
        count = np.bincount(near // positions, minlength=len(maps))
        here = count > 0
        stop = np.cumsum(count[here])
        return cls.of_cells(
            shape,
            images[here],
            units[here],
            floors[units[here]],
            stop,
            (near % positions).astype(np.uint16 if positions <= 2**16 else np.int32),
            maps.ravel()[near],
        )

    @classmethod
    def of_cells(
        cls,
        shape: tuple[int, int, int, int],
        images: np.ndarray,
        units: np.ndarray,
        floors: np.ndarray,
        stop: np.ndarray,
        cells: np.ndarray,
        values: np.ndarray,
    ) -> "SparseMaps":
        """Cells that stand in one pair of arrays, in the order of the pairs; a pair's end at its `stop`."""
        return cls(
            shape,
            images.astype(np.int32, copy=False),
            units.astype(np.int32, copy=False),
            floors.astype(np.float32, copy=False),
            np.zeros(len(images), np.int32),
            np.concatenate([[0], stop[:-1]]).astype(np.int64) if len(stop) else np.zeros(0, np.int64),
            stop.astype(np.int64, copy=False),
            ((cells, values),),
        )

    @classmethod
    def of_dense(cls, maps: np.ndarray, floors: np.ndarray | None = None) -> "SparseMaps":
        """What exceeds the floors, float32 (u,), of all maps (n, u, h, w); every cell where there are none."""
        count, units, height, width = maps.shape
        return cls.of_maps(
            (count, units, height, width),
            np.repeat(np.arange(count), units),
            np.tile(np.arange(units), count),
            np.asarray(maps, np.float32).reshape(-1, height, width),  # n u h w -> nu h w
            np.full(units, -np.inf, np.float32) if floors is None else floors,
        )

    @classmethod
    def gather(cls, sources: Sequence["SparseMaps"], source: np.ndarray, image: np.ndarray) -> "SparseMaps":
        """Maps whose i-th image is image `image[i]` of `sources[source[i]]`; no cell is read or copied."""
        first = np.cumsum([0, *(len(maps.images) for maps in sources)])
        parts_before = np.cumsum([0, *(len(maps.parts) for maps in sources)])
        begin, length = np.empty(len(image), np.int64), np.empty(len(image), np.int64)
        for at, maps in enumerate(sources):
            mine = source == at
            begin[mine] = maps._first_pair[image[mine]] + first[at]
            length[mine] = np.diff(maps._first_pair)[image[mine]]
        within = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
        chosen = np.repeat(begin, length) + within  # of all the sources' pairs, in a row

        def picked(name: str) -> np.ndarray:
            return np.concatenate([getattr(maps, name) for maps in sources])[chosen]

        part = np.concatenate([maps.part + parts_before[at] for at, maps in enumerate(sources)])
        return cls(
            (len(image), *sources[0].shape[1:]),
            np.repeat(np.arange(len(image), dtype=np.int32), length),
            picked("units"),
            picked("floors"),
            part[chosen].astype(np.int32),
            picked("start"),
            picked("stop"),
            tuple(arrays for maps in sources for arrays in maps.parts),
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As named arrays for an artifact store: images, units, floors, stop, cells, values, side (h w)."""
        cells, values, lengths = self._read(np.arange(len(self.units)))
        return {
            "images": self.images,
            "units": self.units,
            "floors": self.floors,
            "stop": np.cumsum(lengths),
            "cells": cells,
            "values": values,
            "side": np.array(self.shape[2:]),
        }

    @cached_property
    def _first_pair(self) -> np.ndarray:
        """int64 (n + 1,): where each image's pairs begin."""
        return np.searchsorted(self.images, np.arange(self.shape[0] + 1))

    def known(self, peak: np.ndarray) -> np.ndarray:
        """float32 (n, u): the level above which every cell of a pair is known; its peak where nothing was kept.

        Args:
            peak: float32 (n, u), the largest value of every map.
        """
        found = peak.copy()
        found[self.images, self.units] = self.floors
        return found

    def absent(self) -> np.ndarray:
        """int64 (n, u): how many cells of each map are not here."""
        height, width = self.shape[2:]
        found = np.full(self.shape[:2], height * width)
        found[self.images, self.units] -= self.stop - self.start
        return found

    def of_image(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """The maps of an image that are here: units (k,), float32 (k, h, w) with ABSENT where no cell was kept."""
        return self.of_images(image, image + 1)[1:]

    def of_images(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The maps that are here of images from `first` up to `last`: images (k,), units (k,), maps as `of_image`."""
        here = np.arange(self._first_pair[first], self._first_pair[last])
        return self.images[here], self.units[here], self._maps(here)

    def find(self, image: int, unit: int) -> np.ndarray | None:
        """The map (h, w) of a pair, ABSENT where no cell was kept; None where the whole map was not."""
        first, last = self._first_pair[image : image + 2]
        at = first + int(np.searchsorted(self.units[first:last], unit))
        return self._maps(np.array([at]))[0] if at < last and self.units[at] == unit else None

    def blocks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All kept cells, a few at a time: units (k,) and values float32 (k,)."""
        length = self.stop - self.start
        total = int(length.sum())
        inner = np.searchsorted(np.cumsum(length), np.arange(_BLOCK_VALUES, total, _BLOCK_VALUES))
        for first, last in pairwise([0, *inner.tolist(), len(length)]):
            chosen = np.arange(first, last)
            yield np.repeat(self.units[chosen], length[chosen]), self._read(chosen)[1]

    def _maps(self, chosen: np.ndarray) -> np.ndarray:
        height, width = self.shape[2:]
        found = np.full((len(chosen), height * width), ABSENT)
        cells, values, lengths = self._read(chosen)
        found[np.repeat(np.arange(len(chosen)), lengths), cells] = values
        return found.reshape(-1, height, width)  # k hw -> k h w

    def _read(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cells and values of the chosen pairs in a row, and how many each has."""
        lengths = self.stop[chosen] - self.start[chosen]
        found = []
        for pairs in np.split(chosen, self._breaks(chosen)):
            if len(pairs):
                cells, values = self.parts[self.part[pairs[0]]]
                run = slice(self.start[pairs[0]], self.stop[pairs[-1]])
                found.append((cells[run], values[run]))
        if len(found) == 1:
            return *found[0], lengths
        empty = (np.zeros(0, np.int32), np.zeros(0, np.float32))
        cells, values = (np.concatenate(arrays) for arrays in zip(*(found or [empty]), strict=True))
        return cells, values, lengths

    def _breaks(self, chosen: np.ndarray) -> np.ndarray:
        """Where the cells of one pair do not stand right behind those of the pair before."""
        before, after = chosen[:-1], chosen[1:]
        apart = (self.part[before] != self.part[after]) | (self.stop[before] != self.start[after])
        return np.flatnonzero(apart) + 1


def _neighbours(cells: np.ndarray) -> np.ndarray:
    """The cells that are true and those beside them, across corners as well: bool (m, h, w)."""
    return _beside(_beside(cells, 1), 2)


def _beside(cells: np.ndarray, axis: int) -> np.ndarray:
    """The cells that are true and those before and behind them on an axis.

    The whole array is shifted in one piece, a cell at the edge cleared first so that it does not wrap around: rows of a
    few cells, one by one, would cost ten times as much.
    """
    step = 1 if axis == 2 else cells.shape[2]
    found, inner = cells.ravel().copy(), cells.copy()
    np.moveaxis(inner, axis, 0)[-1] = False
    found[step:] |= inner.ravel()[:-step]
    np.copyto(inner, cells)
    np.moveaxis(inner, axis, 0)[0] = False
    found[:-step] |= inner.ravel()[step:]
    return found.reshape(cells.shape)
