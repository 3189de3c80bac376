"""Measures of every map with every map or truth of a block of images at once: what chance is measured from.

Each is the measure that `overlap`, `equal_area` and `ranking` have for one pair, for all pairs. A matrix is float64
(a b), its rows of the first side and its columns of the second. Maps are pixels in a row; all of a call are of one shape.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Matrix = np.ndarray


@dataclass(frozen=True)
class OrderedMap:
    """What is kept of a map: the order of its pixels, and its mask.

    Attributes:
        above: int32 (pixels), how many pixels are strictly higher than each.
        packed: uint8 (pixels / 8), the mask, eight pixels in a byte.
        pixels: how many there are.
    """

    above: np.ndarray
    packed: np.ndarray
    pixels: int

    @classmethod
    def of(cls, values: np.ndarray, mask: np.ndarray) -> "OrderedMap":
        """Of a map (h w, finite) and its mask (h w bool)."""
        flat = values.ravel()
        order = np.argsort(-flat, kind="stable")
        ordered = flat[order]
        begins = np.append(True, ordered[1:] != ordered[:-1])
        places = np.flatnonzero(begins)
        above = np.empty(flat.size, np.int32)
        above[order] = places[np.cumsum(begins) - 1]
        return cls(above, np.packbits(mask.ravel()), flat.size)

    @property
    def mask(self) -> np.ndarray:
        """The mask, pixels bool."""
        return np.unpackbits(self.packed, count=self.pixels).astype(bool)

    def tied(self) -> np.ndarray:
        """How many pixels are as high as each, itself counted: int32 (pixels)."""
        return np.bincount(self.above, minlength=self.pixels).astype(np.int32)[self.above]


def iou_and_dice(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> tuple[Matrix, Matrix]:
    """IoU and Dice of masks (pixels bool); 0 where both are empty."""
    common, sizes_a, sizes_b = _common(a, b)
    total = sizes_a[:, None] + sizes_b[None, :]
    return _ratio(common, total - common), _ratio(2 * common, total)


def attainable_iou(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> np.ndarray:
    """The largest IoU that the sizes of two masks (pixels bool) allow, one with one: float64 (n,); 0 for empty ones."""
    sizes = np.array([[np.count_nonzero(x), np.count_nonzero(y)] for x, y in zip(a, b, strict=True)], float)
    return _ratio(sizes.min(axis=1), sizes.max(axis=1)) if len(sizes) else np.zeros(0)


def rank_correlations(a: Sequence[OrderedMap], b: Sequence[OrderedMap]) -> Matrix:
    """Spearman's correlation of maps that are not constant."""
    return np.clip(_unit_ranks(a) @ _unit_ranks(b).T, -1, 1)


def matched_ious(a: Sequence[OrderedMap], b: Sequence[OrderedMap]) -> Matrix:
    """IoU of both maps' highest pixels, as many as the smaller mask of the two has; 0 where it has none."""
    sizes_a = np.array([np.count_nonzero(one.mask) for one in a])
    sizes_b = np.array([np.count_nonzero(one.mask) for one in b])
    found = np.zeros((len(a), len(b)))
    _match(found, a, b, sizes_a, sizes_a[:, None] <= sizes_b[None, :])
    _match(found.T, b, a, sizes_b, sizes_b[:, None] < sizes_a[None, :])
    return found


def _match(
    found: Matrix,
    first: Sequence[OrderedMap],
    second: Sequence[OrderedMap],
    sizes: np.ndarray,
    asked: np.ndarray,
) -> None:
    """Fill in the matched IoU where it is asked for and the smaller mask is the first's."""
    runs = [np.unique(one.above) for one in second]
    for i, size in enumerate(sizes.tolist()):
        if not size:
            continue
        whole, part, weight = _whole_and_part(first[i], size)
        for j in np.flatnonzero(asked[i]).tolist():
            # Of the second map's runs of equal values, only the one at the cut counts in part.
            after = int(np.searchsorted(runs[j], size))
            cut = int(runs[j][after - 1])
            end = int(runs[j][after]) if after < len(runs[j]) else second[j].pixels
            share = min((size - cut) / (end - cut), 1.0)
            common = 0.0
            for places, counts in ((whole, 1.0), (part, weight)):
                theirs = second[j].above[places]
                common += counts * (np.count_nonzero(theirs < cut) + share * np.count_nonzero(theirs == cut))
            found[i, j] = common / (2 * size - common)


def _whole_and_part(one: OrderedMap, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """The pixels that are among the `size` highest, those that tie at the cut, and how far each of these counts."""
    places, weight = _highest(one.above, one.tied(), size)
    part = weight < 1
    return places[~part], places[part], float(weight[part][0]) if part.any() else 0.0


def ious_at_area(a: Sequence[OrderedMap], b: Sequence[OrderedMap], area: float) -> Matrix:
    """IoU of both maps' highest pixels, this share of the frame of each; 0 where it comes to no pixel."""
    if not a or not b or not (count := round(area * a[0].pixels)):
        return np.zeros((len(a), len(b)))
    common = _shares(a, count) @ _shares(b, count).T
    return np.asarray(common / (2 * count - common), dtype=np.float64)


def average_precisions(maps: Sequence[OrderedMap], truths: Sequence[np.ndarray]) -> Matrix:
    """Pixel average precision of maps for true masks (pixels bool, none empty)."""
    inside = [np.flatnonzero(truth) for truth in truths]
    found = np.zeros((len(maps), len(truths)))
    for i, one in enumerate(maps):
        ends = one.above + one.tied()  # all of a run of equal values enter at once
        for j, places in enumerate(inside):
            entered = np.sort(ends[places])
            last = np.append(entered[1:] != entered[:-1], True)
            hits = np.flatnonzero(last) + 1
            found[i, j] = float(np.sum(np.diff(hits, prepend=0) * (hits / entered[last]))) / len(places)
    return found


def matched_to_truths(maps: Sequence[OrderedMap], truths: Sequence[np.ndarray]) -> Matrix:
    """IoU with true masks (pixels bool, none empty) of each map's highest pixels, as many as the truth has."""
    inside = [np.flatnonzero(truth) for truth in truths]
    found = np.zeros((len(maps), len(truths)))
    for i, one in enumerate(maps):
        tied = one.tied()
        for j, places in enumerate(inside):
            size = len(places)
            common = float(np.clip((size - one.above[places]) / tied[places], 0, 1).sum())
            found[i, j] = common / (2 * size - common)
    return found


def pointing(maps: Sequence[OrderedMap], truths: Sequence[np.ndarray]) -> Matrix:
    """Whether each map's highest pixel lies in true masks (pixels bool); of several highest, the share that does."""
    stacked = _stack(truths)
    return np.array([stacked[:, one.above == 0].mean(axis=1) for one in maps], dtype=np.float64).reshape(
        len(maps), len(truths)
    )


def energies(maps: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> Matrix:
    """The share of each map's (raw) positive values in true masks (pixels bool); NaN where it has none."""
    inside = [np.flatnonzero(truth) for truth in truths]
    found = np.full((len(maps), len(truths)), np.nan)
    for i, values in enumerate(maps):
        positive = np.maximum(values.ravel(), 0).astype(np.float64)
        total = positive.sum()
        if total:
            found[i] = np.array([positive[places].sum() for places in inside]) / total
    return found


def _common(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """Pixels in common of every two masks, and the masks' sizes. Exact: single precision counts to 16 million."""
    first, second = _stack(a).astype(np.float32), _stack(b).astype(np.float32)
    return (
        (first @ second.T).astype(np.float64),
        first.sum(axis=1).astype(float),
        second.sum(axis=1).astype(float),
    )


def _stack(masks: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([mask.ravel() for mask in masks]) if masks else np.zeros((0, 0), bool)


def _unit_ranks(maps: Sequence[OrderedMap]) -> np.ndarray:
    """Ranks about their mean, of length 1, float64 (maps pixels); the highest pixel has the highest."""
    ranks = np.empty((len(maps), maps[0].pixels if maps else 0))
    for row, one in zip(ranks, maps, strict=True):
        centred = (one.pixels - 1) / 2 - (one.above + (one.tied() - 1) / 2)
        row[:] = centred / np.sqrt(centred @ centred)
    return ranks


def _shares(maps: Sequence[OrderedMap], count: int) -> np.ndarray:
    """Of each pixel, the share of it that is among the `count` highest: float32 (maps pixels)."""
    shares = np.zeros((len(maps), maps[0].pixels), np.float32)
    for row, one in zip(shares, maps, strict=True):
        places, weight = _highest(one.above, one.tied(), count)
        row[places] = weight
    return shares


def _highest(above: np.ndarray, tied: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The pixels that are among the `count` highest, or tie at the cut, and the share of each that is needed."""
    places = np.flatnonzero(above < count)
    return places, np.minimum((count - above[places]) / tied[places], 1.0)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
