"""CSV files from elsewhere, row by row with their line numbers; what is wrong is said by file, line and reason."""

import csv
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.reading import read_text

MAX_BYTES = 128 * 2**20
"""A larger file is something else: CLIP-Dissect writes some 40 bytes a unit, NetDissect some 600."""


def csv_header(path: Path, *, error: type[XaiError] = XaiError, max_bytes: int = MAX_BYTES) -> list[str]:
    """The names of the columns, in order; raises as `csv_rows`."""
    lines = csv.reader(io.StringIO(_text(path, error, max_bytes), newline=""))
    try:
        return [name.strip() for name in next(lines, [])]
    except csv.Error as found:
        raise error(f"{path}, line 1", f"it cannot be read as CSV ({found})", "Save it anew.") from found


def csv_rows(
    path: Path,
    needed: Sequence[str],
    *,
    filled: Sequence[str] = (),
    remedy: str,
    error: type[XaiError] = XaiError,
    max_bytes: int = MAX_BYTES,
    wrong: Callable[[int, str], None] | None = None,
) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number (of the row's last line) and row; lines without any character are passed over.

    Args:
        path: the file: UTF-8, with or without a byte order mark.
        needed: columns that it must have, with a value or an empty one in every row.
        filled: columns that may not be empty.
        remedy: what to do where the file or a column is missing.
        error: the class to raise.
        max_bytes: the largest file that is read.
        wrong: called with the line and the reason of a row that has too many or too few values, which is then passed
            over; None: it ends the reading.

    Raises:
        XaiError: no such file, too large, not UTF-8, a zero byte, a column missing or given twice, too many or too few
            values in a row, or no CSV.
    """
    try:
        text = _text(path, error, max_bytes)
    except FileNotFoundError as found:
        raise error(str(path), "there is no such file", remedy) from found
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        columns = [name.strip() for name in reader.fieldnames or ()]
        reader.fieldnames = columns
        lacking = [name for name in needed if name not in columns]
        if lacking:
            raise error(str(path), f"it has no column {lacking[0]}", remedy)
        twice = [name for name in needed if columns.count(name) > 1]
        if twice:
            raise error(
                f"{path}, line 1", f"the column {twice[0]} stands twice", "Keep the one that is meant."
            )
        for row in reader:
            if (
                None in row
                or any(row[name] is None for name in needed)
                or not all(row[name] for name in filled)
            ):
                why = "it has too many or too few values"
                if wrong is None:
                    columns_are = f"The columns are {', '.join(columns)}."
                    raise error(f"{path}, line {reader.line_num}", why, columns_are)
                wrong(reader.line_num, why)
                continue
            yield reader.line_num, row
    except csv.Error as found:
        raise error(
            f"{path}, line {reader.line_num + 1}", f"it cannot be read as CSV ({found})", "Save it anew."
        ) from found


def _text(path: Path, error: type[XaiError], max_bytes: int) -> str:
    """The whole file: only so is the line of a wrong byte known. Raises FileNotFoundError for the caller to explain."""
    if not os.path.lexists(path):
        raise FileNotFoundError(path)
    return read_text(path, max_bytes, error=error, remedy="Name the CSV file itself, or split it.")
