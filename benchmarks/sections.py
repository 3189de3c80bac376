"""Documents that benchmarks write: sections, each of which can be written again in its place."""

from collections.abc import Sequence
from pathlib import Path

MARK = "\n## "


def in_their_place(document: Path, head: str, sections: Sequence[str]) -> str:
    """The text of the document with these sections in the place of those of the same title, or at the end.

    Args:
        document: the file as it is, if it is there.
        head: what stands before the first section, today.
        sections: each begins with its title in a line `## Title`.
    """
    old = document.read_text(encoding="utf-8").split(MARK)[1:] if document.is_file() else []
    kept = {_title(one): one for one in old}
    kept |= {_title(one): one for one in (section.strip().removeprefix(MARK.strip()) for section in sections)}
    return head.rstrip() + "\n" + "".join(f"{MARK}{one.strip()}\n" for one in kept.values())


def _title(section: str) -> str:
    return section.strip().partition("\n")[0]
