"""Network Dissection (Bau et al. 2017): how far does a unit's on-region overlap each labelled concept?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xai_assets.dissection.label_segments import LabelSegments
from xai_assets.dissection.resampling import covered, on_pixels
from xai_assets.dissection.sparse_maps import SparseMaps
from xai_assets.dissection.tally import Tally
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent

CODE_VERSION = 2
"""Part of the key of kept overlaps: raise it when their numbers change."""

MIN_IOU = 0.04
"""A unit is a detector above this IoU, as published."""

_BLOCK_IMAGES = 64
"""Images whose maps are upsampled together."""

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
    seen: "SeenLabels | None" = None,
    progress: Progress = silent,
) -> dict[str, Tally]:
    """Count overlaps of all layers' units with all the probe's concepts: `paired_tallies` with each image's own labels.

    The variant: thresholds on the low-resolution maps; maps upsampled bilinearly (align_corners=False) to the label
    size; a pixel is on when it is strictly above the threshold; for a concept of category C only images that show C
    count (the paper's rule; the authors' NetDissect-Lite code counts a unit's region only where it touches C).
    Where the model saw only a part of the picture (a centre crop), only pixels whose centres lie in that part count.
    """
    own = np.arange(len(labels))[None]
    found = paired_tallies(maps, thresholds, labels, own, boxes=boxes, seen=seen, progress=progress)
    return {name: tallies[0] for name, tallies in found.items()}


def paired_tallies(
    maps: Mapping[str, SparseMaps],
    thresholds: Mapping[str, np.ndarray],
    labels: LabelSegments,
    pairings: np.ndarray,
    *,
    boxes: np.ndarray | None = None,
    seen: "SeenLabels | None" = None,
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
        seen: these labels in these boxes, made before; None: made here.
        progress: called with images done and in all.

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
    if seen is None:
        seen = SeenLabels(labels, np.broadcast_to(WHOLE, (len(labels), 4)) if boxes is None else boxes)
    counts = _Counts(sum(values.shape[1] for values in maps.values()), len(pairings), labels)
    for start in range(0, len(labels), _BLOCK_IMAGES):
        block = range(start, min(start + _BLOCK_IMAGES, len(labels)))
        active = _Active(maps, thresholds, block)
        for geometry in seen.geometries(pairings[:, block]):
            pixels = _on_pixels(active, geometry)
            for row, partners in enumerate(pairings[:, block]):
                counts.add(row, active, pixels, seen.labels_of(partners, geometry))
        progress(block.stop, len(labels))
    found, first = {}, 0
    for name, values in maps.items():
        mine = slice(first, first := first + values.shape[1])
        found[name] = [
            Tally(labels.concepts, both[mine], unit[mine], seen.concept, seen.pixels, labels.categories)
            for both, unit in zip(counts.both, counts.unit, strict=True)
        ]
    return found


class _Active:
    """The maps of all layers on a block of images that have a cell above the threshold; others are on nowhere.

    Attributes:
        layers: cells float32 (k, h, w) and levels float32 (k,) of each layer.
        images: int (all k,), the image of each map, counted from the block's first.
        units: int (all k,), its unit, counted through all layers.
        of_image: int (k,) for each image of the block: its maps.
    """

    def __init__(
        self, maps: Mapping[str, SparseMaps], thresholds: Mapping[str, np.ndarray], block: range
    ) -> None:
        self.layers: list[tuple[np.ndarray, np.ndarray]] = []
        images, units, first = [], [], 0
        for name, values in maps.items():
            of_image, of_unit, cells = values.of_images(block.start, block.stop)
            above = cells.max(axis=(1, 2), initial=-np.inf) > thresholds[name][of_unit]
            self.layers.append((cells[above], thresholds[name][of_unit[above]]))
            images.append(of_image[above] - block.start)
            units.append(of_unit[above] + first)
            first += values.shape[1]
        self.images, self.units = np.concatenate(images).astype(np.int64), np.concatenate(units)
        order = np.argsort(self.images, kind="stable")
        self.of_image = np.split(order, np.searchsorted(self.images[order], np.arange(1, len(block))))


@dataclass(frozen=True)
class _Geometry:
    """The size of an image's labels and the part of it that the model saw: top, left, bottom, right."""

    size: tuple[int, int]
    corners: tuple[float, ...]

    @property
    def box(self) -> np.ndarray:
        return np.array(self.corners, np.float32)

    @property
    def pixels(self) -> int:
        rows, columns = covered(self.size, self.box)
        return (rows.stop - rows.start) * (columns.stop - columns.start)


@dataclass(frozen=True)
class _OnPixels:
    """The on-pixels of a block's active maps."""

    of_map: np.ndarray  # int (m,)
    place: np.ndarray  # int (m,): image of the block times pixels, and the pixel in what was seen
    area: np.ndarray  # int (k,): of each map


def _on_pixels(active: _Active, geometry: _Geometry) -> _OnPixels:
    found, first = [], 0
    for cells, levels in active.layers:
        of_map, place = on_pixels(cells, levels, geometry.size, geometry.box)
        found.append((of_map + first, place))
        first += len(cells)
    of_map, place = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    place += active.images[of_map] * geometry.pixels
    return _OnPixels(of_map, place, np.bincount(of_map, minlength=first))


@dataclass(frozen=True)
class _ImageLabels:
    """The labels that the model saw of an image."""

    segments: np.ndarray  # uint16 (pixels,)
    columns: np.ndarray  # int (p,), concepts
    carries: np.ndarray  # float64 (s, p), 0 or 1: the segments' concepts
    present: np.ndarray  # int (k,), the categories of which there are any


class SeenLabels:
    """What the model saw of all images' labels, and the counts that depend on no unit.

    Args:
        labels: of n images.
        boxes: float32 (n, 4), as `Activations.boxes`.
    """

    def __init__(self, labels: LabelSegments, boxes: np.ndarray) -> None:
        self._labels, self._boxes = labels, boxes
        self._of_image = lru_cache(maxsize=_REMEMBERED)(self._image_labels)
        self._geometries = [
            _Geometry(labels.size(i), tuple(map(float, boxes[i]))) for i in range(len(labels))
        ]
        self.concept = np.zeros(len(labels.concepts), np.int64)
        self.pixels = np.zeros(len(labels.categories), np.int64)
        for image in range(len(labels)):
            found = self._of_image(image)
            area = np.bincount(found.segments, minlength=len(found.carries)) @ found.carries  # s, s p -> p
            self.concept[found.columns] += area.astype(np.int64)
            self.pixels[found.present] += len(found.segments)

    def geometries(self, images: np.ndarray) -> list[_Geometry]:
        """The different ones of some images, in the order in which they come."""
        return list(dict.fromkeys(self._geometries[image] for image in images.ravel()))

    def labels_of(self, images: np.ndarray, geometry: _Geometry) -> list[_ImageLabels | None]:
        """The labels of images; None for those of another geometry."""
        return [
            self._of_image(int(image)) if self._geometries[image] == geometry else None for image in images
        ]

    def _image_labels(self, image: int) -> _ImageLabels:
        columns, carries = self._labels.membership(image)
        segments = self._labels.segments(image, self._boxes[image]).ravel()
        shown = carries[np.bincount(segments, minlength=len(carries)) > 0].any(axis=0)  # p
        present = np.unique(self._labels.category_of[columns[shown]])
        return _ImageLabels(segments, columns, carries, present)


class _Counts:
    """The counts of all units while they grow."""

    def __init__(self, units: int, pairings: int, labels: LabelSegments) -> None:
        most = int(labels.sizes.prod(axis=1, dtype=np.int64).sum())
        self._whole = np.int32 if most <= np.iinfo(np.int32).max else np.int64
        self.both = np.zeros((pairings, units, len(labels.concepts)), self._whole)
        self.unit = np.zeros((pairings, units, len(labels.categories)), self._whole)

    def add(
        self, pairing: int, active: _Active, pixels: _OnPixels, partners: list[_ImageLabels | None]
    ) -> None:
        """Add a block of images, each with the labels that the pairing brings it; None brings nothing."""
        there = [partner for partner in partners if partner is not None]
        most = max((len(partner.carries) for partner in there), default=0)
        if not there or not len(pixels.area):
            return
        nothing = np.zeros_like(there[0].segments)
        segments = np.concatenate([nothing if p is None else p.segments for p in partners])
        counted = np.bincount(
            pixels.of_map * most + segments[pixels.place], minlength=len(pixels.area) * most
        ).reshape(-1, most)  # k s
        for maps, partner in zip(active.of_image, partners, strict=True):
            if partner is not None and len(maps):
                units = active.units[maps][:, None]
                by_segment = counted[maps, : len(partner.carries)]
                both = by_segment @ partner.carries  # k s, s p -> k p, in float64: exact
                self.both[pairing][units, partner.columns] += both.astype(self._whole)
                self.unit[pairing][units, partner.present] += pixels.area[maps, None].astype(self._whole)
