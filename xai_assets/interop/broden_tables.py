"""Broden's CSV files: the index of images, and the labels with their categories."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xai_assets.dissection.probe import ProbeError
from xai_assets.interop.csv_rows import csv_rows

MAX_NUMBER = 65_535
"""Of a label: maps have 16 bits."""

MAX_ENTRIES = 256
"""Labels or label maps of a category that an image may have; Broden has at most some twenty."""


@dataclass(frozen=True)
class IndexRow:
    """One image of index.csv: its file, the size of its label maps (sh, sw), its labels, its line in the file."""

    image: str
    size: tuple[int, int]
    labels: dict[str, list[int | str]]
    line: int


def read_index(folder: Path, categories: Sequence[str], limit: int | None) -> list[IndexRow]:
    """The first `limit` rows of index.csv with the labels of these categories; raises ProbeError with the line."""
    path = folder / "index.csv"
    rows: list[IndexRow] = []
    seen: dict[str, int] = {}
    for line, row in _rows(path, ("image", "sh", "sw")):
        if limit is not None and len(rows) == limit:
            break
        name = row["image"]
        if name in seen:
            raise ProbeError(
                f"{path}, line {line}",
                f"the image {name} stands in line {seen[name]} already",
                "Name each image once.",
            )
        seen[name] = line
        size = _whole(row, "sh", path, line), _whole(row, "sw", path, line)
        labels: dict[str, list[int | str]] = {}
        for category in categories:
            entries = [entry.strip() for entry in (row.get(category) or "").split(";") if entry.strip()]
            if len(entries) > MAX_ENTRIES:
                why = f"{category} has {len(entries):,} entries, more than {MAX_ENTRIES}"
                raise ProbeError(f"{path}, line {line}", why, "Name the label maps of this image only.")
            if entries:
                labels[category] = [_entry(entry, category, path, line) for entry in entries]
        rows.append(IndexRow(name, size, labels, line))
    if not rows:
        raise ProbeError(str(path), "it lists no image", "Name another folder.")
    return rows


def read_concepts(folder: Path, categories: Sequence[str] | None) -> pd.DataFrame:
    """The labels as a table number, name, category, synonyms (tuple), in the order of label.csv.

    A label's category is the one in whose c_<category>.csv it has most coverage, the later one where equal, as
    NetDissect-Lite takes it.
    """
    known = []
    for line, row in _rows(folder / "category.csv", ("name",)):
        if not re.fullmatch(r"[\w .-]+", row["name"]):
            why = f"the category {row['name'][:80]!r} cannot be part of a file's name"
            raise ProbeError(f"{folder / 'category.csv'}, line {line}", why, "Use letters, digits and '_'.")
        known.append(row["name"])
    missing = [name for name in categories or () if name not in known]
    if missing:
        raise ProbeError(
            str(folder / "category.csv"), f"it has no category {missing[0]}", f"There are {', '.join(known)}."
        )
    best: dict[int, tuple[float, int]] = {}
    wanted = [name for name in known if categories is None or name in categories]
    for rank, category in enumerate(wanted):
        path = folder / f"c_{category}.csv"
        for line, row in _rows(path, ("number", "coverage")):
            number = _whole(row, "number", path, line)
            best[number] = max(best.get(number, (-1.0, 0)), (_real(row, "coverage", path, line), rank))
    found, path = [], folder / "label.csv"
    seen: set[int] = set()
    for line, row in _rows(path, ("number", "name")):
        number = _whole(row, "number", path, line)
        if number in seen:
            raise ProbeError(f"{path}, line {line}", f"the number {number} is given twice", "Give it once.")
        seen.add(number)
        if number in best and number > 0:
            synonyms = tuple(s.strip() for s in (row.get("syns") or "").split(";") if s.strip())
            found.append(
                {
                    "number": number,
                    "name": row["name"],
                    "category": wanted[best[number][1]],
                    "synonyms": synonyms,
                }
            )
    if not found:
        raise ProbeError(str(path), "no label of it stands in a c_<category>.csv", "Name another folder.")
    return pd.DataFrame(found)


def _rows(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and row of a CSV file; every row has a value in the needed columns."""
    layout = "Use a folder in Broden's published layout."
    return csv_rows(path, needed, filled=needed, remedy=layout, error=ProbeError)


def _entry(entry: str, category: str, path: Path, line: int) -> int | str:
    """A label that holds for the whole image, or the name of a label map."""
    if not re.fullmatch(r"[0-9]+", entry):
        return entry
    if len(entry) > 5 or int(entry) > MAX_NUMBER:
        why = f"{category} has the label {entry[:20]}, and labels are at most {MAX_NUMBER}"
        raise ProbeError(f"{path}, line {line}", why, "Correct the line.")
    return int(entry)


def _whole(row: dict[str, str], column: str, path: Path, line: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", row[column].strip()):
        raise ProbeError(
            f"{path}, line {line}",
            f"{column} is {row[column][:80]!r}, not a whole number",
            "Correct the line.",
        )
    return int(row[column])


def _real(row: dict[str, str], column: str, path: Path, line: int) -> float:
    try:
        value = float(row[column])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ProbeError(
            f"{path}, line {line}", f"{column} is {row[column][:80]!r}, not a number", "Correct the line."
        )
    return value
