"""The rows of `xai sql` as a table, JSON or CSV.

JSON and CSV are printed whole or not at all: half a file looks like a whole one.
"""

import abc
import csv
import io
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from types import TracebackType
from typing import IO, Any

import click

from xai_assets.errors import XaiError
from xai_assets.text import printable

WIDEST = 48
"""Characters of a value in a table on the terminal; `--json` and `--csv` have all of it."""

MOST_SHOWN = 1000
"""Rows of a table on the terminal."""

_IN_MEMORY = 8 * 2**20
"""Bytes; what is longer goes to a temporary file until it is complete."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Starts of a text that a spreadsheet would run, full-width signs among them."""

Row = Sequence[Any]


class _Whole(abc.ABC):
    """Collects text in a file that goes, and prints it at the end."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 -- closed in __exit__

    def __enter__(self) -> "_Whole":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @abc.abstractmethod
    def add(self, rows: Sequence[Row]) -> bool:
        """Take rows; returns whether more are wanted."""

    def show(self) -> None:
        """Print all that was taken."""
        self._file.seek(0)
        out = sys.stdout.buffer
        while block := self._file.read(2**20):
            out.write(block)
        out.flush()

    def _put(self, text: str) -> None:
        self._file.write(text.encode("utf-8"))


class JsonOutput(_Whole):
    """A list of objects, by column; equal column names get a number."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(columns)
        self._names, self._any = unlike(columns), False

    def add(self, rows: Sequence[Row]) -> bool:
        """Take rows."""
        for row in rows:
            found = dict(zip(self._names, map(finite, row), strict=True))
            text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False).replace("\n", "\n ")
            self._put((",\n " if self._any else "[\n ") + text)
            self._any = True
        return True

    def show(self) -> None:
        """Print the list."""
        self._put("\n]\n" if self._any else "[]\n")
        super().show()


class CsvOutput(_Whole):
    """A header and rows; lists and objects are JSON in their cell."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(columns)
        self._count = 0
        self._line(columns, where="the header")

    def add(self, rows: Sequence[Row]) -> bool:
        """Take rows."""
        for row in rows:
            self._count += 1
            self._line(row, where=f"row {self._count}")
        return True

    def _line(self, row: Row, *, where: str) -> None:
        cells = [self._cell(value, name, where) for value, name in zip(row, self.columns, strict=True)]
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(cells)
        self._put(buffer.getvalue())

    def _cell(self, value: Any, column: str, where: str) -> Any:
        if isinstance(value, list | dict):
            return json.dumps(finite(value), ensure_ascii=False, allow_nan=False)
        if isinstance(value, str) and value.lstrip(" ").startswith(_FORMULA) and not _is_number(value):
            raise XaiError(
                f"{where}, column {printable(column)}",
                f"a spreadsheet would run {printable(value[:40])!r} as a formula",
                "Print it with --json, or leave such texts out, as with: WHERE NOT starts_with(column, '=').",
            )
        return value


class TableOutput(_Whole):
    """Aligned columns for people, shortened, and at most so many rows."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(columns)
        self._rows: list[list[str]] = []
        self._more = False

    def add(self, rows: Sequence[Row]) -> bool:
        """Take rows."""
        room = MOST_SHOWN - len(self._rows)
        self._rows += [[_shown(value) for value in row] for row in rows[:room]]
        self._more = len(rows) > room
        return not self._more

    def show(self) -> None:
        """Print the table, and on the other stream how many rows there are."""
        head = [_shown(column) for column in self.columns]
        widths = [max(map(len, column)) for column in zip(head, *self._rows, strict=True)]
        for line in [head, ["-" * width for width in widths], *self._rows]:
            self._put("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() + "\n")
        super().show()
        count = f"{len(self._rows)} row{'s' * (len(self._rows) != 1)}"
        click.echo(f"the first {count}; --csv or --json prints all" if self._more else count, err=True)


def finite(value: Any) -> Any:
    """A value as JSON takes it, to any depth: NaN and infinities are null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    return [finite(item) for item in value] if isinstance(value, list | tuple) else value


def unlike(names: list[str]) -> list[str]:
    """The names, those that came before with a number: `n`, `n_2`, `n_3`."""
    found: list[str] = []
    for name in names:
        number, fresh = 1, name
        while fresh in found or (number > 1 and fresh in names):
            number += 1
            fresh = f"{name}_{number}"
        found.append(fresh)
    return found


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _shown(value: Any) -> str:
    text = "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
    text = printable(" ".join(text.split()))
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
