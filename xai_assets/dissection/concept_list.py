"""A list of concepts from a text file, one a line; a bad line is set aside by its number and the others go on."""

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.reading import read_text, shown, text_lines
from xai_assets.text import printable

MAX_BYTES = 16 * 2**20
"""CLIP-Dissect's largest list, of 20,000 words, has 160 kB."""

MAX_CONCEPTS = 100_000
"""Each is embedded, and compared with each unit."""

MAX_CHARACTERS = 300
"""Of a concept: text towers read some 70 tokens."""


@dataclass(frozen=True)
class ConceptList:
    """What a file names.

    Attributes:
        words: at least two different concepts, in order, in Unicode's composed form (NFC).
        left_out: file and line, and the reason, of lines that are no concept or name one again.
        alike: file and line, and what it is spelled like, of concepts that differ in capitals or spaces only; kept.
    """

    words: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    alike: tuple[tuple[str, str], ...]


def read_concept_list(path: Path) -> ConceptList:
    """The concepts of a UTF-8 file, with or without a byte order mark; blank lines are passed over.

    Only LF, CR LF and CR end a line. A line is left out where it is longer than MAX_CHARACTERS, has characters that
    cannot be seen, or names a concept again (also in another Unicode form). Time and memory are linear in the size.

    Raises:
        XaiError: no such file, no regular file, more than MAX_BYTES or MAX_CONCEPTS, not UTF-8 (with the line), or
            fewer than two concepts.
    """
    what = f"concept list {shown(path)}"
    if not path.exists():
        raise XaiError(what, "does not exist", "Put a text file there, one concept a line.")
    text = read_text(path, MAX_BYTES, remedy="Name a text file in UTF-8, one concept a line.")
    lines: dict[str, int] = {}
    spelled: dict[str, str] = {}
    left_out, alike = [], []
    for number, line in enumerate(text_lines(text), 1):
        place = f"{shown(path.name)}, line {number}"
        word = unicodedata.normalize("NFC", line.strip())
        if not word:
            continue
        if why := _unfit(word, lines):
            left_out.append((place, why))
            continue
        spelling = " ".join(word.casefold().split())
        if (first := spelled.setdefault(spelling, word)) != word:
            alike.append((place, f"it names {word!r}, which line {lines[first]} spells {first!r}"))
        lines[word] = number
        if len(lines) > MAX_CONCEPTS:
            raise XaiError(what, f"it names more than {MAX_CONCEPTS:,} concepts", "Name fewer.")
    if len(lines) < 2:
        bad = f"; {left_out[0][0]}: {left_out[0][1]}" if left_out else ""
        raise XaiError(
            what,
            f"it names {next(iter(lines))!r} only{bad}" if lines else f"it is empty{bad}",
            "Name at least two concepts, one a line: a best one needs another to be better than.",
        )
    return ConceptList(tuple(lines), tuple(left_out), tuple(alike))


def _unfit(word: str, lines: dict[str, int]) -> str | None:
    if len(word) > MAX_CHARACTERS:
        return f"it has {len(word):,} characters, more than {MAX_CHARACTERS}"
    if printable(word) != word:
        return f"it has characters that cannot be seen: '{printable(word)[:80]}'"
    return f"it names {word!r} again, as line {lines[word]} did" if word in lines else None
