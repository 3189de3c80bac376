"""The labels of a probe set, read once: each image cut into segments of pixels that carry the same labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import pandas as pd

from xai_assets.dissection.probe import ProbeError, ProbeSet
from xai_assets.dissection.resampling import covered
from xai_assets.progress import Progress, silent

CODE_VERSION = 1
"""Part of the key of kept segments: raise it when their numbers change."""


@dataclass(frozen=True)
class LabelSegments:
    """What every pixel of every image carries, at the labels' own size.

    An image has a few dozen different combinations of labels: one number a pixel says which, and counting pixels by
    segment counts them for all concepts together.

    Attributes:
        concepts: the probe's concepts; a concept's row here is its column below.
        sizes: int32 (n, 2): height and width of each image's labels.
        codes: uint16 (all pixels,): of each pixel of each image in turn, row by row, its segment in the image.
        first_segment: int64 (n + 1,): where each image's segments begin among all segments.
        first_column: int64 (n + 1,): where each image's concepts begin in `columns`.
        columns: int32 (p,): the concepts that each image shows, ascending.
        first_member: int64 (s + 1,): where each segment's concepts begin in `members`.
        members: int32 (m,): a segment's concepts, as places among its image's.
    """

    concepts: pd.DataFrame
    sizes: np.ndarray
    codes: np.ndarray
    first_segment: np.ndarray
    first_column: np.ndarray
    columns: np.ndarray
    first_member: np.ndarray
    members: np.ndarray

    def __len__(self) -> int:
        return len(self.sizes)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """In the order of the concepts."""
        return tuple(dict.fromkeys(self.concepts["category"]))

    @cached_property
    def category_of(self) -> np.ndarray:
        """int (c,): each concept's category."""
        return np.array([self.categories.index(name) for name in self.concepts["category"]], dtype=int)

    @cached_property
    def _first_pixel(self) -> np.ndarray:
        return np.cumsum([0, *self.sizes.prod(axis=1, dtype=np.int64)])  # n + 1

    def size(self, image: int) -> tuple[int, int]:
        """(sh, sw) of an image's labels."""
        height, width = self.sizes[image].tolist()
        return height, width

    def segments(self, image: int, box: np.ndarray) -> np.ndarray:
        """uint16 (rows, columns): the segment of every pixel whose centre lies in the box."""
        codes = self.codes[self._first_pixel[image] : self._first_pixel[image + 1]]
        return codes.reshape(self.size(image))[covered(self.size(image), box)]

    def membership(self, image: int) -> tuple[np.ndarray, np.ndarray]:
        """The concepts that an image shows: columns int (p,), and which segment carries which: float64 (s, p)."""
        columns = self.columns[self.first_column[image] : self.first_column[image + 1]]
        first, last = self.first_segment[image], self.first_segment[image + 1]
        starts = self.first_member[first : last + 1]
        carries = np.zeros((last - first, len(columns)))
        carries[np.repeat(np.arange(last - first), np.diff(starts)), self.members[starts[0] : starts[-1]]] = 1
        return columns, carries

    def shares(self) -> np.ndarray:
        """How much of each image carries each concept: float32 (n, c), shares of its label pixels."""
        found = np.zeros((len(self), len(self.concepts)), np.float32)
        for image in range(len(self)):
            codes = self.codes[self._first_pixel[image] : self._first_pixel[image + 1]]
            columns, carries = self.membership(image)  # p; s p
            pixels = np.bincount(codes, minlength=len(carries)) @ carries  # s, s p -> p
            found[image, columns] = pixels / len(codes)
        return found

    def select(self, images: Sequence[int]) -> "LabelSegments":
        """The labels of some of the images, in that order."""
        chosen = np.asarray(images, np.int64)
        segments = _spans(self.first_segment, chosen)
        return LabelSegments(
            concepts=self.concepts,
            sizes=self.sizes[chosen],
            codes=self.codes[_spans(self._first_pixel, chosen)],
            first_segment=_starts(self.first_segment, chosen),
            first_column=_starts(self.first_column, chosen),
            columns=self.columns[_spans(self.first_column, chosen)],
            first_member=_starts(self.first_member, segments),
            members=self.members[_spans(self.first_member, segments)],
        )

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As named arrays, for an artifact store; the concepts are the probe's."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "concepts"}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], concepts: pd.DataFrame) -> "LabelSegments":
        """What `to_arrays` gave, perhaps memory-mapped."""
        return cls(concepts=concepts, **arrays)


def _spans(first: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The places that `chosen` items fill, one after the other: int (m,), given where each item begins."""
    spans = [np.arange(first[at], first[at + 1]) for at in chosen]
    return np.concatenate(spans) if spans else np.zeros(0, np.int64)


def _starts(first: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Where each of the chosen items begins once they stand alone: int64 (len(chosen) + 1,)."""
    return np.concatenate([[0], np.cumsum(np.asarray(first)[chosen + 1] - np.asarray(first)[chosen])]).astype(
        np.int64
    )


def read_labels(probe: ProbeSet, *, progress: Progress = silent) -> LabelSegments:
    """Decode every label map of the probe set once.

    A concept's category is the one the probe's table gives, whichever label map a number stands in; a pixel that
    carries a number in two label maps carries it once. An image-level label is on every pixel.

    Raises:
        ProbeError: the probe has no labels, a label map has another size than the image's labels, a label number has
            no concept, an image has more than 65,535 combinations of labels.
    """
    concepts = probe.concepts
    if concepts is None:
        raise ProbeError(
            "the probe set",
            "it has no labels, which Network Dissection needs",
            "Choose the embedded world or a Broden folder, or leave Network Dissection out.",
        )
    column_of = np.full(np.iinfo(np.uint16).max + 1, -1)
    column_of[concepts["number"]] = np.arange(len(concepts))
    sizes = [probe.label_size(index) for index in range(len(probe))]
    codes: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    members: list[np.ndarray] = []
    segments = []
    for index, size in enumerate(sizes):
        name = probe.ids[index]
        of_pixel, numbers = _segments(_planes(probe, index, size), size, name)  # pixels; s planes
        found = np.unique(numbers[numbers > 0])
        unknown = found[column_of[found] < 0]
        if len(unknown):
            raise ProbeError(
                f"the labels of {name}",
                f"number {unknown[0]} names no concept",
                "Add it to the probe's table of concepts.",
            )
        columns.append(np.sort(column_of[found]).astype(np.int32))
        for combination in numbers:
            shown = column_of[np.unique(combination[combination > 0])]
            members.append(np.sort(np.searchsorted(columns[-1], shown)).astype(np.int32))
        codes.append(of_pixel)
        segments.append(len(numbers))
        progress(index + 1, len(probe))
    return LabelSegments(
        concepts,
        np.array(sizes, np.int32).reshape(-1, 2),
        np.concatenate(codes),
        np.cumsum([0, *segments]),
        np.cumsum([0, *map(len, columns)]),
        np.concatenate(columns),
        np.cumsum([0, *map(len, members)]),
        np.concatenate(members),
    )


def _planes(probe: ProbeSet, index: int, size: tuple[int, int]) -> list[np.ndarray]:
    """All label maps of an image, of whatever category: uint16 (sh, sw) or (1, 1) each."""
    planes = []
    for category, layers in probe.labels(index).items():
        if layers.shape[1:] not in ((1, 1), size):
            raise ProbeError(
                f"the {category} labels of {probe.ids[index]}",
                f"they have the size {layers.shape[1:]}, the image's labels {size}",
                "Make all of one size.",
            )
        planes += list(layers)
    return planes


def _segments(planes: list[np.ndarray], size: tuple[int, int], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Every pixel's combination of labels, uint16 (pixels,), and the combinations' numbers (segments, planes)."""
    pixels = size[0] * size[1]
    combined, combinations = np.zeros(pixels, np.int64), 1
    for plane in planes:
        if plane.size == 1:
            continue
        used = np.bincount(plane.ravel()) > 0
        combined = combined * int(used.sum()) + (np.cumsum(used) - 1)[plane.ravel()]
        combinations *= int(used.sum())
        if combinations > np.iinfo(np.uint16).max:  # numbered anew, so that no product of many maps overflows
            found, combined = np.unique(combined, return_inverse=True)
            combinations = len(found)
    _, example, of_pixel = np.unique(combined, return_index=True, return_inverse=True)
    if len(example) > np.iinfo(np.uint16).max:
        raise ProbeError(
            f"the labels of {name}", f"they have {len(example)} combinations", "Leave a category out."
        )
    flat = [np.broadcast_to(plane, size).ravel()[example] for plane in planes]
    numbers = np.stack(flat, axis=1) if flat else np.zeros((len(example), 0), np.uint16)
    return of_pixel.astype(np.uint16), numbers
