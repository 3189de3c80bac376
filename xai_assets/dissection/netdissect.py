"""Network Dissection (Bau et al. 2017): how far does a unit's on-region overlap each labelled concept?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xai_assets.dissection.label_segments import LabelSegments
from xai_assets.dissection.resampling import on_regions
from xai_assets.dissection.sparse_maps import SparseMaps
from xai_assets.dissection.tally import Tally
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent

CODE_VERSION = 2
"""Part of the key of kept overlaps: raise it when their numbers change."""

MIN_IOU = 0.04
"""A unit is a detector above this IoU, as published."""

_REMEMBERED = 4096
"""Images whose labels are held ready, since every pairing meets them again: some 50 MiB in the embedded world."""

WHOLE = np.array([0, 0, 1, 1], np.float32)
"""The box of a model that sees whole pictures."""


def tally(
    maps: Mapping[str, SparseMaps],
    thresholds: Mapping[str, np.ndarray],
    labels: LabelSegments,
    *,
    boxes: np.ndarray | None = None,
    progress: Progress = silent,
) -> dict[str, Tally]:
    """Count overlaps of all layers' units with all the probe's concepts: `paired_tallies` with each image's own labels.

    The variant: thresholds on the low-resolution maps; maps upsampled bilinearly (align_corners=False) to the label
    size; a pixel is on when it is strictly above the threshold; for a concept of category C only images that show C
    count (the paper's rule; the authors' NetDissect-Lite code counts a unit's region only where it touches C).
    Where the model saw only a part of the picture (a centre crop), only pixels whose centres lie in that part count.
    """
    own = np.arange(len(labels))[None]
    found = paired_tallies(maps, thresholds, labels, own, boxes=boxes, progress=progress)
    return {name: tallies[0] for name, tallies in found.items()}


def paired_tallies(
    maps: Mapping[str, SparseMaps],
    thresholds: Mapping[str, np.ndarray],
    labels: LabelSegments,
    pairings: np.ndarray,
    *,
    boxes: np.ndarray | None = None,
    progress: Progress = silent,
) -> dict[str, list[Tally]]:
    """Count overlaps of the on-regions on image i with the labels of image `pairings[s, i]`, for every pairing s.

    Every map is upsampled once, to the size and box of the labels that it meets, and only where a cell of it is above
    the threshold. On-pixels are counted by unit and segment of the labels, and the counts of segments are then summed
    for each concept: all integers, so that nothing depends on an order.

    Args:
        maps: layer -> maps of n images.
        thresholds: layer -> float32 (u,).
        labels: of n images.
        pairings: int (s, n), a permutation of the images in each row.
        boxes: float32 (n, 4), as `Activations.boxes`; None: the whole pictures.
        progress: called after each image.

    Raises:
        XaiError: a number of images differs.
    """
    for name, values in maps.items():
        if values.shape[0] != len(labels):
            raise XaiError(
                f"the maps of layer {name!r}",
                f"they are of {values.shape[0]} images, the probe of {len(labels)}",
                "Collect them over this probe set.",
            )
    seen = _Seen(labels, np.broadcast_to(WHOLE, (len(labels), 4)) if boxes is None else boxes)
    counts = _Counts(sum(values.shape[1] for values in maps.values()), len(pairings), labels)
    for image in range(len(labels)):
        active = {name: _active(values, thresholds[name], image) for name, values in maps.items()}
        for geometry, rows in seen.by_geometry(pairings[:, image]).items():
            units, pixels = _on_pixels(maps, thresholds, active, geometry)
            counts.add(units, pixels, rows, [seen.labels_of(int(at)) for at in pairings[rows, image]])
        progress(image + 1, len(labels))
    found, first = {}, 0
    for name, values in maps.items():
        mine = slice(first, first := first + values.shape[1])
        found[name] = [
            Tally(labels.concepts, both[mine], unit[mine], seen.concept, seen.pixels, labels.categories)
            for both, unit in zip(counts.both, counts.unit, strict=True)
        ]
    return found


def _active(maps: SparseMaps, levels: np.ndarray, image: int) -> tuple[np.ndarray, np.ndarray]:
    """Units and maps (k, h, w) with a cell above the threshold; a bilinear value is a mean of cells, so no others."""
    units, cells = maps.of_image(image)
    above = cells.max(axis=(1, 2), initial=-np.inf) > levels[units]
    return units[above], cells[above]


def _on_pixels(
    maps: Mapping[str, SparseMaps],
    thresholds: Mapping[str, np.ndarray],
    active: Mapping[str, tuple[np.ndarray, np.ndarray]],
    geometry: "_Geometry",
) -> tuple[np.ndarray, np.ndarray]:
    """All on-pixels of an image: unit, counted through all layers, and pixel, row by row in what was seen: int (m,)."""
    first, of_unit, of_pixel = 0, [], []
    for name, (units, cells) in active.items():
        if len(units):
            on = on_regions(cells, thresholds[name][units], geometry.size, geometry.box)  # k sh sw
            flat = np.flatnonzero(on)
            at, pixel = np.divmod(flat, on[0].size)
            of_unit.append(units[at] + first)
            of_pixel.append(pixel)
        first += maps[name].shape[1]
    if not of_unit:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate(of_unit), np.concatenate(of_pixel)


@dataclass(frozen=True)
class _Geometry:
    size: tuple[int, int]
    corners: tuple[float, ...]  # top, left, bottom, right

    @property
    def box(self) -> np.ndarray:
        return np.array(self.corners, np.float32)


@dataclass(frozen=True)
class _ImageLabels:
    """The labels that the model saw of an image."""

    segments: np.ndarray  # uint16 (pixels,)
    columns: np.ndarray  # int (p,), concepts
    carries: np.ndarray  # float64 (s, p), 0 or 1: the segments' concepts
    present: np.ndarray  # bool (k,), categories


class _Seen:
    """What the model saw of all images' labels, and the counts that depend on no unit."""

    def __init__(self, labels: LabelSegments, boxes: np.ndarray) -> None:
        self._labels, self._boxes = labels, boxes
        self._geometries = [
            _Geometry(labels.size(i), tuple(map(float, boxes[i]))) for i in range(len(labels))
        ]
        self.labels_of = lru_cache(maxsize=_REMEMBERED)(self._labels_of)
        self._single = len(set(self._geometries)) == 1
        self.concept = np.zeros(len(labels.concepts), np.int64)
        self.pixels = np.zeros(len(labels.categories), np.int64)
        self._present = np.zeros((len(labels), len(labels.categories)), bool)
        for image in range(len(labels)):
            segments = labels.segments(image, boxes[image])
            columns, carries = labels.membership(image)
            area = np.bincount(segments.ravel(), minlength=len(carries)) @ carries  # p
            self.concept[columns] += area.astype(np.int64)
            self._present[image, labels.category_of[columns[area > 0]]] = True
            self.pixels[self._present[image]] += segments.size

    def by_geometry(self, partners: np.ndarray) -> dict[_Geometry, np.ndarray]:
        """The pairings, by the size and box of the labels that they bring: int (r,) each."""
        if self._single:
            return {self._geometries[0]: np.arange(len(partners))}
        found: dict[_Geometry, list[int]] = {}
        for row, partner in enumerate(partners):
            found.setdefault(self._geometries[partner], []).append(row)
        return {geometry: np.array(rows) for geometry, rows in found.items()}

    def _labels_of(self, image: int) -> _ImageLabels:
        columns, carries = self._labels.membership(image)
        segments = self._labels.segments(image, self._boxes[image]).ravel()
        return _ImageLabels(segments, columns, carries, self._present[image])


class _Counts:
    """The counts of all units while they grow."""

    def __init__(self, units: int, pairings: int, labels: LabelSegments) -> None:
        most = int(labels.sizes.prod(axis=1, dtype=np.int64).sum())
        whole = np.int32 if most <= np.iinfo(np.int32).max else np.int64
        self.both = np.zeros((pairings, units, len(labels.concepts)), whole)
        self.unit = np.zeros((pairings, units, len(labels.categories)), whole)

    def add(
        self, of_unit: np.ndarray, pixel: np.ndarray, rows: np.ndarray, partners: list[_ImageLabels]
    ) -> None:
        """Add an image's on-pixels (units ascending), with the labels that each pairing of `rows` brings."""
        starts = np.flatnonzero(np.diff(of_unit, prepend=-1))
        units, area = of_unit[starts][:, None], np.diff(starts, append=len(of_unit))[:, None]  # k 1
        most = max(len(partner.carries) for partner in partners)
        base = np.repeat(np.arange(len(units)) * most, area[:, 0])
        for row, partner in zip(rows, partners, strict=True):
            counted = np.bincount(base + partner.segments[pixel], minlength=len(units) * most)
            by_segment = counted.reshape(len(units), most)[:, : len(partner.carries)]  # k s
            both = by_segment @ partner.carries  # k s, s p -> k p, in float64: exact
            self.both[row][units, partner.columns] += both.astype(self.both.dtype)
            self.unit[row][units, np.flatnonzero(partner.present)] += area.astype(self.unit.dtype)
