"""The CSV files of Broden's layout."""

import csv
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xai_assets.world.labels import NUMBERS, WORDS
from xai_assets.world.synonyms import surface_forms
from xai_assets.world.vocabulary import CATEGORIES, SIDE

_INDEX_ORDER = ("color", "object", "part", "material", "scene", "texture")


class Row(NamedTuple):
    """A line of index.csv: the picture's file and a cell for each category."""

    image: str
    cells: dict[str, str]


Counts = dict[str, tuple[int, list[tuple[int, int]]]]
"""Of one image: category -> size of its label map, and (number, cells) of each label in it, by number."""


def counted(numbers: dict[str, np.ndarray]) -> Counts:
    """The counts of one image's label maps."""
    found: Counts = {}
    for category, values in numbers.items():
        cells = np.bincount(values.ravel())
        found[category] = values.size, [(n, int(cells[n])) for n in np.flatnonzero(cells).tolist() if n]
    return found


class Tally:
    """Frequency (pictures with a label) and coverage (shares of area, summed), by category and number."""

    def __init__(self) -> None:
        self.frequency: dict[str, dict[int, int]] = {category: defaultdict(int) for category in CATEGORIES}
        self.coverage: dict[str, dict[int, float]] = {category: defaultdict(float) for category in CATEGORIES}

    def add(self, counts: Counts) -> None:
        """Count one image's label maps."""
        for category, (size, by_number) in counts.items():
            for number, cells in by_number:
                self.frequency[category][number] += 1
                self.coverage[category][number] += cells / size


def write_tables(folder: Path, rows: list[Row], tally: Tally) -> None:
    """Write index.csv, label.csv, category.csv and c_<category>.csv for the labels that occur."""
    size = {"split": "val", "ih": SIDE, "iw": SIDE, "sh": SIDE // 2, "sw": SIDE // 2}
    _write(folder / "index.csv", ["image", *size, *_INDEX_ORDER],
           [{"image": row.image, **size, **row.cells} for row in rows])  # fmt: skip
    _write(
        folder / "label.csv", ["number", "name", "category", "frequency", "coverage", "syns"], _labels(tally)
    )
    categories: list[dict[str, object]] = []
    for category in CATEGORIES:
        frequency, coverage = tally.frequency[category], tally.coverage[category]
        if not frequency:
            continue
        categories.append(
            {"name": category, "first": min(frequency), "last": max(frequency), "count": len(frequency),
             "frequency": sum(frequency.values())}
        )  # fmt: skip
        dense = sorted(frequency, key=lambda number: (-frequency[number], -coverage[number], number))
        lines = [
            {"code": code, "number": number, "name": WORDS[number - 1], "frequency": frequency[number],
             "coverage": f"{coverage[number]:.6f}"}
            for code, number in enumerate(dense, start=1)
        ]  # fmt: skip
        _write(folder / f"c_{category}.csv", ["code", "number", "name", "frequency", "coverage"], lines)
    categories.sort(key=lambda line: int(str(line["first"])))
    _write(folder / "category.csv", ["name", "first", "last", "count", "frequency"], categories)


def _labels(tally: Tally) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for word, number in NUMBERS.items():
        used = {category: tally.frequency[category].get(number, 0) for category in CATEGORIES}
        used = {category: n for category, n in sorted(used.items(), key=lambda item: -item[1]) if n}
        if used:
            coverage = sum(tally.coverage[category].get(number, 0.0) for category in used)
            lines.append(
                {"number": number, "name": word, "category": ";".join(f"{c}({n})" for c, n in used.items()),
                 "frequency": sum(used.values()), "coverage": f"{coverage:.6f}",
                 "syns": ";".join(surface_forms(word)[1:])}
            )  # fmt: skip
    return lines


def _write(path: Path, fields: list[str], lines: list[dict[str, object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)
