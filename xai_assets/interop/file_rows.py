"""What the readers of result files share: checked values of a row, by file and line."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.interop.csv_rows import csv_rows

MAX_BYTES = 64 * 2**20
"""A result file with one row a unit is far smaller: 100,000 units of NetDissect are 60 MB."""

MAX_UNIT = 10**6
MAX_TEXT = 1000
"""Characters of a concept; MILAN's sentences have fewer than 200."""

_FORMULA = re.compile(r"[=+\-@\t\r]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ConceptFileError(XaiError):
    """A result file that cannot be read, or a result that cannot be written; the message names file and line."""


@dataclass(frozen=True)
class FileRow:
    """One row with its place, for errors."""

    path: Path
    line: int
    values: dict[str, str]

    def error(self, why: str, remedy: str) -> ConceptFileError:
        """An error of this row."""
        return ConceptFileError(f"{self.path}, line {self.line}", why, remedy)

    def unit(self, *, first: int) -> int:
        """The unit's number, counted from 0, of one counted from `first`."""
        text = self.values["unit"].strip()
        if not re.fullmatch(r"[0-9]{1,7}", text) or not first <= int(text) <= MAX_UNIT:
            raise self.error(
                f"unit is {text[:40]!r}, not a whole number from {first} to {MAX_UNIT:,}",
                f"This format counts units from {first}.",
            )
        return int(text) - first

    def number(self, column: str) -> float | None:
        """A finite number, or None for an empty value."""
        text = self.values[column].strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or "_" in text:
            raise self.error(f"{column} is {text[:40]!r}, not a finite number", "Mend the line.")
        return value

    def text(self, column: str) -> str | None:
        """A word or sentence, or None for an empty value."""
        text = self.values[column].strip()
        reason = unfit_text(self.values[column].strip(" ")) or unfit_text(text)
        if reason:
            raise self.error(
                f"{column} is {text[:40]!r}, which {reason}",
                "Concepts are plain words: mend the line.",
            )
        return text or None


def unfit_text(text: str) -> str | None:
    """Why a concept cannot go from file to file safely, or None: spreadsheets run what looks like a formula."""
    if _FORMULA.match(text):
        return "a spreadsheet would run as a formula"
    if _CONTROL.search(text):
        return "holds a control character"
    if len(text) > MAX_TEXT:
        return f"is longer than {MAX_TEXT} characters"
    return None


def file_rows(path: Path, needed: Sequence[str], remedy: str) -> Iterator[FileRow]:
    """The rows of a result file; at least one.

    Raises:
        ConceptFileError: as `csv_rows`, and for a file without rows.
    """
    empty = True
    for line, values in csv_rows(path, needed, remedy=remedy, error=ConceptFileError, max_bytes=MAX_BYTES):
        empty = False
        yield FileRow(path, line, values)
    if empty:
        raise ConceptFileError(str(path), "it has no rows", "Name the file that has one row a unit.")


class Seen:
    """Refuses a unit that a file names twice."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, int], int] = {}

    def check(self, row: FileRow, layer: str, unit: int) -> None:
        """Raise ConceptFileError where the unit was seen before."""
        first = self._lines.setdefault((layer, unit), row.line)
        if first != row.line:
            raise row.error(
                f"unit {row.values['unit'].strip()} of {layer} stands in line {first} already",
                "Keep one of the two.",
            )
