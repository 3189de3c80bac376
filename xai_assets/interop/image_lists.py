"""Lists of images in one CSV value: Python's own list of strings, or names between '|'. Nothing is evaluated."""

import ast
import re
from collections.abc import Sequence

MAX_CHARACTERS = 20_000
MAX_IMAGES = 100

_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""")


def parse_images(text: str) -> list[str]:
    r"""The images of `['a.jpg', 'b.jpg']` or `a.jpg|b.jpg`; Windows paths become paths with '/'.

    Only string literals between brackets and commas are read; `\\` of a literal is one backslash, as Python writes it.

    Raises:
        ValueError: too long, too many, no such list, an empty name, or one with control characters.
    """
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"has {len(text):,} characters, more than {MAX_CHARACTERS:,}")
    if not text or text == "[]":
        return []
    names = _literals(text) if text.startswith("[") else [name.strip() for name in text.split("|")]
    if len(names) > MAX_IMAGES:
        raise ValueError(f"names {len(names)} images, more than {MAX_IMAGES}")
    for name in names:
        if not name or not name.isprintable():
            raise ValueError(f"names an image {name[:40]!r}")
    return [name.replace("\\", "/") for name in names]


def format_images(names: Sequence[str]) -> str:
    """The list as Python writes it, which `parse_images` and `ast.literal_eval` read."""
    return repr(list(names))


def _literals(text: str) -> list[str]:
    names, at = [], 1
    while True:
        at = _blank(text, at)
        found = _STRING.match(text, at)
        if not found:
            raise ValueError("is no list of names between quotes")
        try:
            # One string literal, matched above: it can be nothing else.
            names.append(str(ast.literal_eval(found.group())))
        except (SyntaxError, ValueError) as error:
            raise ValueError(f"has a name that cannot be read: {found.group()[:40]}") from error
        at = _blank(text, found.end())
        if text[at:] == "]":
            return names
        if text[at : at + 1] != ",":
            raise ValueError("is no list of names between quotes")
        at += 1


def _blank(text: str, at: int) -> int:
    while text[at : at + 1] == " ":
        at += 1
    return at
