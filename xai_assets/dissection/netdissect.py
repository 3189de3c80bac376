"""Network Dissection (Bau et al. 2017): how far does a unit's on-region overlap each labelled concept?"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from xai_assets.dissection.probe import ProbeError, ProbeSet
from xai_assets.dissection.resampling import resampling_matrix
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent

CODE_VERSION = 1
"""Part of the key of kept tallies: raise it when their numbers change."""

MIN_IOU = 0.04
"""A unit is a detector above this IoU, as published."""


@dataclass(frozen=True)
class Tally:
    """Pixel counts of one layer over a probe set; tallies over parts of a probe set add up.

    Attributes:
        concepts: the probe's concepts; row j is column j below.
        both: int64 (u, c): pixels where the unit is on and the concept is present.
        unit: int64 (u, k): pixels where the unit is on, in images that show category k of `categories` at all.
        concept: int64 (c,): pixels that carry the concept.
        pixels: int64 (k,): pixels of the images that show category k.
        categories: the categories.
    """

    concepts: pd.DataFrame
    both: np.ndarray
    unit: np.ndarray
    concept: np.ndarray
    pixels: np.ndarray
    categories: tuple[str, ...]

    @property
    def _column(self) -> np.ndarray:
        return np.array([self.categories.index(name) for name in self.concepts["category"]], dtype=int)  # c

    @property
    def iou(self) -> np.ndarray:
        """float64 (u, c): intersection over union; 0 where both are empty."""
        union = self.unit[:, self._column] + self.concept - self.both  # u c
        return self.both / np.maximum(union, 1)

    @property
    def coverage(self) -> np.ndarray:
        """float64 (c,): share of the pixels counted for the concept's category that carry it."""
        return self.concept / np.maximum(self.pixels[self._column], 1)

    @property
    def attainable_iou(self) -> np.ndarray:
        """float64 (u, c): the largest IoU that a unit on for so many pixels can have with a concept on so many.

        One region within the other: min / max of the two areas. At the 0.5 % level a concept that covers more than
        12.5 % of the pixels stays below 0.04 however well a unit fits it. The bound holds exactly, since it takes
        the unit's own area after upsampling.
        """
        area = self.unit[:, self._column]  # u c
        return np.minimum(area, self.concept) / np.maximum(np.maximum(area, self.concept), 1)


def tally(
    maps: Mapping[str, np.ndarray],
    thresholds: Mapping[str, np.ndarray],
    probe: ProbeSet,
    *,
    boxes: np.ndarray | None = None,
    progress: Progress = silent,
) -> dict[str, Tally]:
    """Count overlaps of all layers' units with all the probe's concepts, reading every label once.

    The variant: thresholds on the low-resolution maps; maps upsampled bilinearly (align_corners=False) to the label
    size; a pixel is on when it is strictly above the threshold; for a concept of category C only images that show C
    count (the paper's rule; the authors' NetDissect-Lite code counts a unit's region only where it touches C).
    A concept's category is the one the probe's table gives, whichever label map a number stands in; a pixel that
    carries a number in two label maps counts once. An image-level label is on every pixel. Where the model saw only
    a part of the picture (a centre crop), only pixels whose centres lie in that part count.

    Args:
        maps: layer -> (n, u, h, w).
        thresholds: layer -> float32 (u,).
        probe: n images with labels.
        boxes: float32 (n, 4), as `Activations.boxes`; None: the whole pictures.
        progress: called after each image.

    Raises:
        XaiError: the probe has no labels, a number of images differs, a label number has no concept.
    """
    concepts = probe.concepts
    if concepts is None:
        raise ProbeError(
            "the probe set",
            "it has no labels, which Network Dissection needs",
            "Choose the embedded world or a Broden folder, or leave Network Dissection out.",
        )
    for name, values in maps.items():
        if len(values) != len(probe):
            raise XaiError(
                f"the maps of layer {name!r}",
                f"they are of {len(values)} images, the probe of {len(probe)}",
                "Collect them over this probe set.",
            )
    counter = _Counter(concepts, {name: values.shape[1] for name, values in maps.items()})
    levels = {name: torch.from_numpy(np.asarray(values, np.float32)) for name, values in thresholds.items()}
    for index in range(len(probe)):
        size = probe.label_size(index)
        box = np.array([0, 0, 1, 1], np.float32) if boxes is None else boxes[index]
        rows, columns = _seen(size[0], box[0], box[2]), _seen(size[1], box[1], box[3])
        planes = counter.planes(probe, index, size, rows, columns)
        for name, values in maps.items():
            low = torch.from_numpy(np.array(values[index], np.float32))  # u h w
            # Bilinear values are means of cells, so a map whose cells are all below the threshold stays below it.
            active = torch.nonzero(low.amax((1, 2)) > levels[name])[:, 0]  # ua
            if len(active):
                down = _matrix(low.shape[1], size[0], box[0], box[2])[rows]  # sh h
                across = _matrix(low.shape[2], size[1], box[1], box[3])[columns]  # sw w
                fine = down @ (low[active] @ across.T)  # ua h w -> ua h sw -> ua sh sw
                on = (fine > levels[name][active, None, None]).flatten(1)  # ua pixels
                counter.add(name, active.numpy(), on, planes)
        progress(index + 1, len(probe))
    return counter.tallies()


@dataclass(frozen=True)
class _Planes:
    """An image's labels: which concepts it shows, where, and which categories are thereby present."""

    columns: np.ndarray  # p: columns of the tally
    pixels: Tensor  # float32 (p + 1, pixels), 0 or 1; the last row is all ones and gives the unit's area
    present: np.ndarray  # bool (k,)


class _Counter:
    """The counts while they grow, in integers."""

    def __init__(self, concepts: pd.DataFrame, units: Mapping[str, int]) -> None:
        self.concepts = concepts
        self.categories = tuple(dict.fromkeys(concepts["category"]))
        self.column_of = np.full(int(concepts["number"].max()) + 1, -1)
        self.column_of[concepts["number"]] = np.arange(len(concepts))
        self.category_of = np.array([self.categories.index(name) for name in concepts["category"]])  # c
        self.both = {name: np.zeros((count, len(concepts)), np.int64) for name, count in units.items()}
        self.unit = {name: np.zeros((count, len(self.categories)), np.int64) for name, count in units.items()}
        self.concept = np.zeros(len(concepts), np.int64)
        self.pixels = np.zeros(len(self.categories), np.int64)

    def planes(
        self, probe: ProbeSet, index: int, size: tuple[int, int], rows: np.ndarray, columns: np.ndarray
    ) -> _Planes:
        """Read an image's labels and count them."""
        found: dict[int, np.ndarray] = {}
        seen = np.ix_(rows, columns)
        for category, layers in probe.labels(index).items():
            if layers.shape[1:] not in ((1, 1), size):
                raise ProbeError(
                    f"the {category} labels of {probe.ids[index]}",
                    f"they have the size {layers.shape[1:]}, the image's labels {size}",
                    "Make all of one size.",
                )
            for layer in layers:
                plane = np.broadcast_to(layer, size)[seen].ravel()  # pixels
                for number in np.flatnonzero(np.bincount(plane)).tolist():
                    if number:
                        where = plane == number
                        found[number] = found[number] | where if number in found else where
        numbers = sorted(found)
        known = [n < len(self.column_of) and self.column_of[n] >= 0 for n in numbers]
        if not all(known):
            raise ProbeError(
                f"the labels of {probe.ids[index]}",
                f"number {numbers[known.index(False)]} names no concept",
                "Add it to the probe's table of concepts.",
            )
        count = int(rows.sum() * columns.sum())
        stacked = np.ones((len(numbers) + 1, count), np.float32)
        for row, number in enumerate(numbers):
            stacked[row] = found[number]
        at = self.column_of[numbers]
        present = np.zeros(len(self.categories), bool)
        present[self.category_of[at]] = True
        self.concept[at] += stacked[:-1].sum(1, dtype=np.float64).astype(np.int64)
        self.pixels[present] += count
        return _Planes(at, torch.from_numpy(stacked), present)

    def add(self, layer: str, units: np.ndarray, on: Tensor, planes: _Planes) -> None:
        """Add the overlaps of one image; `on` is bool (len(units), pixels)."""
        # float32 counts are exact up to 2^24 pixels an image.
        counts = (on.float() @ planes.pixels.T).numpy().astype(np.int64)  # ua pixels, pixels p+1 -> ua p+1
        self.both[layer][np.ix_(units, planes.columns)] += counts[:, :-1]
        self.unit[layer][np.ix_(units, np.flatnonzero(planes.present))] += counts[:, -1:]

    def tallies(self) -> dict[str, Tally]:
        """One tally a layer."""
        return {
            name: Tally(
                self.concepts, self.both[name], self.unit[name], self.concept, self.pixels, self.categories
            )
            for name in self.both
        }


def _seen(count: int, start: float, stop: float) -> np.ndarray:
    return _resampling(1, count, float(start), float(stop))[1]


def _matrix(length: int, count: int, start: float, stop: float) -> Tensor:
    return torch.from_numpy(_resampling(length, count, float(start), float(stop))[0])


_resampling = lru_cache(maxsize=256)(resampling_matrix)  # the same few for all images of one size
