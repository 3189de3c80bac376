"""Class names from a text file."""

import re
from pathlib import Path

from xai_assets.errors import XaiError

MAX_BYTES = 1 << 24
_PLACES_LINE = re.compile(r"/[a-z]/(\S+) (\d+)")


def read_class_names(path: Path) -> tuple[str, ...]:
    """One name a line, in the order of the model's outputs; empty lines at the end are ignored.

    Places365's own format (`/a/airfield 0`) is recognised, and its numbers must count the lines.

    Raises:
        XaiError: unreadable, empty, larger than 16 MB, an empty line between names, or numbers out of order.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise XaiError(
                str(path), "it is too large for a list of class names", "Put one name on each line."
            )
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise XaiError(
            str(path), f"it cannot be read as UTF-8 text ({error})", "Put one name on each line."
        ) from error
    lines = [line.strip() for line in text.rstrip().splitlines()]
    if not lines or "" in lines:
        why = f"line {lines.index('') + 1} is empty" if lines else "it is empty"
        raise XaiError(
            str(path), why, "Put one class name on each line, in the order of the model's outputs."
        )
    places = [_PLACES_LINE.fullmatch(line) for line in lines]
    if not all(places):
        return tuple(lines)
    found = [(match.group(1), int(match.group(2))) for match in places if match]
    for index, (name, number) in enumerate(found):
        if number != index:
            raise XaiError(
                str(path),
                f"line {index + 1} ({name}) has the number {number}, not {index}",
                "Get a whole copy.",
            )
    return tuple(name for name, _ in found)
