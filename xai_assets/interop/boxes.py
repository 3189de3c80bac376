"""Ground-truth boxes of objects: a CSV file, or COCO's JSON (Lin et al. 2014, `instances_*.json`).

A row that is wrong is set aside with its reason, and the others are read: COCO's own instances_train2017.json has two
boxes of height 0.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.interop.coco import MAX_BYTES, CocoEntries, Key, read_coco
from xai_assets.interop.csv_rows import csv_rows

COLUMNS = ("image", "class", "left", "top", "right", "bottom")
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the original image: the first column's left edge is 0, its right edge 1."""

Boxes = dict[tuple[str, str], list[Box]]
"""By image (name in the file) and class."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class BoxError(XaiError):
    """A file of boxes that cannot be read; the message names the line or the entry."""


@dataclass
class BoxFile:
    """What a file of boxes holds.

    Attributes:
        boxes: by image and class.
        sizes: width and height of images, where the file says them: the size that the boxes were drawn on.
        images: the names of all images that the file lists, in order, also of those without a box.
        classes: the names of all classes.
        set_aside: rows that cannot be used: what each is, and why.
        unclear: images whose rows contradict each other, with the reason; they have no boxes.
    """

    boxes: Boxes = field(default_factory=dict)
    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    images: dict[str, None] = field(default_factory=dict)
    classes: dict[str, None] = field(default_factory=dict)
    set_aside: list[tuple[str, str]] = field(default_factory=list)
    unclear: dict[str, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many boxes it has."""
        return sum(map(len, self.boxes.values()))


def read_boxes(path: Path) -> BoxFile:
    """The boxes of a file: COCO's JSON where its name ends in `.json`, else CSV with the columns of COLUMNS.

    A row is set aside that has no area, values that are no finite numbers, or an image or class that the file does not
    list; a box of a crowd too (COCO's `iscrowd`), which is no single object.

    Raises:
        BoxError: no such file, too large, not of the format, not one row that can be used, or all edges between 0 and
            1: shares of the image, not pixels.
    """
    found = _coco(path) if path.suffix.lower() == ".json" else _csv(path)
    if found.set_aside and not found.boxes:
        row, why = found.set_aside[0]
        raise BoxError(
            str(path),
            f"none of its boxes can be used ({len(found.set_aside):,} set aside); {row}: {why}",
            "Correct the rows, or name another file.",
        )
    if found.boxes and all(max(box) <= 1 for of_image in found.boxes.values() for box in of_image):
        raise BoxError(
            str(path),
            f"all edges of its {found.count:,} boxes are between 0 and 1: shares of the image's sides?",
            "Give edges in pixels of the original image.",
        )
    return found


def _csv(path: Path) -> BoxFile:
    found = BoxFile()
    remedy = f"The columns are {', '.join(COLUMNS)}: edges in pixels of the original image."

    def wrong(line: int, why: str) -> None:
        found.set_aside.append((f"line {line}", why))

    rows = csv_rows(
        path, COLUMNS, filled=COLUMNS, remedy=remedy, error=BoxError, max_bytes=MAX_BYTES, wrong=wrong
    )
    for line, row in rows:
        image, name = row["image"].strip(), row["class"].strip()
        found.images.setdefault(image)
        found.classes.setdefault(name)
        try:
            box = _box([row[column] for column in COLUMNS[2:]])
        except ValueError as error:
            wrong(line, str(error))
        else:
            found.boxes.setdefault((image, name), []).append(box)
    return found


def _coco(path: Path) -> BoxFile:
    entries = _CocoBoxes()
    read_coco(path, entries, error=BoxError)
    return entries.finish()


class _CocoBoxes(CocoEntries):
    """COCO's boxes, and the sizes of its images."""

    def __init__(self) -> None:
        super().__init__()
        self._file = BoxFile()
        self._boxes: dict[Key, list[tuple[str, Box]]] = {}

    def image(self, name: str, entry: dict[str, Any]) -> None:
        self._file.images.setdefault(name)
        try:
            width, height = _side(entry, "width"), _side(entry, "height")
        except ValueError as error:
            self._file.unclear[name] = str(error)
            return
        if width is None or height is None:
            return
        before = self._file.sizes.setdefault(name, (width, height))
        if before != (width, height):
            self._file.unclear[name] = (
                f"it is listed with {before[0]} x {before[1]} and with {width} x {height} pixels"
            )

    def category(self, name: str) -> None:
        self._file.classes.setdefault(name)

    def annotation(self, entry: dict[str, Any], what: str) -> None:
        if _crowd(entry.get("iscrowd", 0)):
            raise ValueError("it is a crowd (iscrowd), no single object")
        given = entry.get("bbox")
        if not isinstance(given, list) or len(given) != 4:
            raise ValueError("its bbox is not left, top, width and height")
        left, top, width, height = (_real(value) for value in given)
        box = _box((left, top, left + width, top + height))
        self._boxes.setdefault(self.key(entry), []).append((what, box))

    def finish(self) -> BoxFile:
        """The file, once all entries are known."""
        self._file.set_aside = self.set_aside
        for numbers, found in self._boxes.items():
            if why := self.why_unclear(numbers):
                self._file.set_aside += [(what, why) for what, _ in found]
                continue
            key = self.images[numbers[0]], self.categories[numbers[1]]
            self._file.boxes.setdefault(key, []).extend(box for _, box in found)
        for name in self._file.unclear:
            for key in [key for key in self._file.boxes if key[0] == name]:
                del self._file.boxes[key]
        return self._file


def _side(entry: dict[str, Any], key: str) -> int | None:
    value = entry.get(key)
    if value is None:
        return None
    number = _real(value)
    if not math.isfinite(number) or number < 1 or number != int(number):
        raise ValueError(f"its {key} is {value!r}, no number of pixels")
    return int(number)


def _crowd(value: Any) -> bool:
    if value in (0, 1, "0", "1", None):  # also False and True
        return value in (1, "1")
    raise ValueError(f"its iscrowd is {str(value)[:40]!r}, neither 0 nor 1")


def _real(value: Any) -> float:
    """A number, or a text that is a plain decimal one: Python's own reading takes '1_0' and digits of all scripts."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"an edge is not a number ({str(value)[:40]!r})")
    try:
        return float(value)
    except OverflowError as error:
        raise ValueError("an edge is not a finite number") from error


def _box(edges: Iterable[Any]) -> Box:
    left, top, right, bottom = (_real(edge) for edge in edges)
    if not all(map(math.isfinite, (left, top, right, bottom))):
        raise ValueError("an edge is not a finite number")
    if left >= right or top >= bottom:
        raise ValueError(f"the box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) has no area")
    return left, top, right, bottom
