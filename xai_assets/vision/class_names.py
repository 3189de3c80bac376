"""Class names from a text file."""

import re
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.reading import read_text, shown, text_lines
from xai_assets.text import printable

MAX_BYTES = 1 << 24
MAX_CHARACTERS = 300
_REMEDY = "Put one name on each line, as UTF-8 text."
_PLACES_LINE = re.compile(r"/[a-z]/(\S+) (\d+)")


def read_class_names(path: Path) -> tuple[str, ...]:
    """One name a line, in the order of the model's outputs; empty lines at the end are ignored.

    Places365's own format (`/a/airfield 0`) is recognised, and its numbers must count the lines.

    Raises:
        XaiError: unreadable, no regular file, empty, larger than MAX_BYTES, not UTF-8, an empty line between names, a
            line longer than MAX_CHARACTERS or with characters that cannot be seen, or numbers out of order.
    """
    text = read_text(path, MAX_BYTES, remedy=_REMEDY)
    lines = [line.strip() for line in text_lines(text.rstrip())] if text.strip() else []
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_CHARACTERS:
            why = f"it has {len(line):,} characters, more than {MAX_CHARACTERS}"
            raise XaiError(f"{shown(path)}, line {number}", why, _REMEDY)
        if printable(line) != line:
            why = f"it has characters that cannot be seen: '{printable(line)}'"
            raise XaiError(f"{shown(path)}, line {number}", why, "Write the name without them.")
    if not lines or "" in lines:
        why = f"line {lines.index('') + 1} is empty" if lines else "it is empty"
        raise XaiError(
            shown(path), why, "Put one class name on each line, in the order of the model's outputs."
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
