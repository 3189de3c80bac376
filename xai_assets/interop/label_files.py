"""Labels of images: a CSV file with a row an image and class, or the categories of COCO's JSON (Lin et al. 2014).

A row that is wrong is set aside with its line, and the others are read. An image may have several labels, a row each.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.interop.coco import CocoEntries, Key, read_coco
from xai_assets.interop.csv_rows import csv_header, csv_rows
from xai_assets.suggest import did_you_mean
from xai_assets.text import printable

COLUMNS = ("image", "label")
SPLIT = "split"
MAX_CHARACTERS = 300
"""Of an image's name or a label."""
MAX_LABELS = 1000
"""Of one image: more, and the columns are exchanged."""

REMEDY = "The first line is image,label or image,label,split; each further line names an image and its class."


class LabelError(XaiError):
    """Labels that cannot be used; the message names the file, and the line where there is one."""


@dataclass
class LabelFile:
    """What a file of labels holds.

    Attributes:
        labels: by image (its name in the file), its classes, each once and in order.
        places: by image, where it is first named: "line 7", "image 12".
        set_aside: rows that cannot be used: what each is, and why.
        splits: by name, how many images of the file are in it; empty where the file has none.
    """

    labels: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    set_aside: list[tuple[str, str]] = field(default_factory=list)
    splits: dict[str, int] = field(default_factory=dict)


def read_labels(path: Path, split: str | None = None) -> LabelFile:
    """The labels of a file: COCO's JSON where its name ends in `.json`, else CSV with the columns of COLUMNS.

    Args:
        path: the file.
        split: take the rows of this split only.

    Raises:
        LabelError: no such file, too large, not of the format, another header, not one row that can be used, or a
            split that the file does not have.
    """
    found = _coco(path, split) if path.suffix.lower() == ".json" else _csv(path, split)
    if split is not None and split not in found.splits:
        have = ", ".join(sorted(found.splits)) or "none"
        meant = did_you_mean(split, found.splits).strip() or "Name one that it has, or leave `split` out."
        raise LabelError(str(path), f"it has no split {split!r}; it has {have}", meant)
    if not any(found.labels.values()):
        row, why = found.set_aside[0] if found.set_aside else ("", "it has no rows")
        raise LabelError(
            str(path),
            f"none of its rows can be used: {row}: {why}" if row else why,
            "Correct the rows, or name another file.",
        )
    return found


def _csv(path: Path, split: str | None) -> LabelFile:
    _check_header(path, split)
    found, several = LabelFile(), dict[str, set[str]]()

    def wrong(line: int, why: str) -> None:
        found.set_aside.append((f"line {line}", why))

    for line, row in csv_rows(path, COLUMNS, remedy=REMEDY, error=LabelError, wrong=wrong):
        image, label = row["image"].strip(), row["label"].strip()
        of = (row.get(SPLIT) or "").strip()
        if why := _unfit(image, label):
            wrong(line, why)
            continue
        if of:
            several.setdefault(of, set()).add(image)
        if split is not None and of != split:
            continue
        found.places.setdefault(image, f"line {line}")
        known = found.labels.setdefault(image, [])
        if len(known) == MAX_LABELS:
            wrong(line, f"{image} has {MAX_LABELS} labels already")
        elif label not in known:
            known.append(label)
    found.splits = {name: len(images) for name, images in several.items()}
    return found


def _check_header(path: Path, split: str | None) -> None:
    if not path.exists():
        return  # csv_rows says so
    columns = csv_header(path, error=LabelError)
    needed = COLUMNS if split is None else (*COLUMNS, SPLIT)
    lacking = [name for name in needed if name not in columns]
    if not lacking:
        return
    named = ", ".join(printable(name[:40]) for name in columns[:8]) or "none"
    sign = next((sign for sign in (";", "\t") if len(columns) == 1 and sign in columns[0]), None)
    parted = ", parted by something else than commas" if sign else ""
    remedy = REMEDY if lacking != [SPLIT] else "Add the column split, or leave `split` out of the study."
    raise LabelError(
        f"{path}, line 1",
        f"it has no column {' and no column '.join(lacking)}; it has {named}{parted}",
        remedy,
    )


def _unfit(image: str, label: str) -> str | None:
    for what, text in (("image", image), ("label", label)):
        if not text:
            return f"it has no {what}"
        if len(text) > MAX_CHARACTERS:
            return f"its {what} has {len(text):,} characters, more than {MAX_CHARACTERS}"
        if printable(text) != text:
            return f"its {what} has characters that cannot be seen: '{printable(text)}'"
    return None


def _coco(path: Path, split: str | None) -> LabelFile:
    if split is not None:
        raise LabelError(
            str(path), "COCO's files have no splits", "Name the file of the split that is meant."
        )
    entries = _CocoLabels()
    read_coco(path, entries, error=LabelError)
    return entries.finish()


class _CocoLabels(CocoEntries):
    """The categories of COCO's images: also of crowds and of annotations without a box, which show the class as well."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[Key, str] = {}

    def annotation(self, entry: dict[str, Any], what: str) -> None:
        self._first.setdefault(self.key(entry), what)

    def finish(self) -> LabelFile:
        """The file, once all entries are known."""
        found = LabelFile(set_aside=self.set_aside)
        for number, name in self.images.items():
            found.labels.setdefault(name, [])
            found.places.setdefault(name, f"image {number}")
        for key, what in self._first.items():
            why = self.why_unclear(key) or _unfit(self.images[key[0]], self.categories[key[1]])
            if why:
                found.set_aside.append((what, why))
            elif (label := self.categories[key[1]]) not in (known := found.labels[self.images[key[0]]]):
                known.append(label)
        return found
