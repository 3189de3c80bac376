"""What a person probably meant by a name that does not exist."""

import difflib
from collections.abc import Iterable

_LONGEST = 200
"""Characters compared: the comparison is quadratic in them, and a longer word is no misspelt name."""


def did_you_mean(word: object, choices: Iterable[str], *, most: int = 3, cutoff: float = 0.6) -> str:
    """ " Did you mean 'layer4'?" with a space before it, or "" where no choice is spelt nearly so.

    Upper and lower case, hyphens, underscores and spaces count alike.

    Args:
        word: what was written; anything but text resembles its `str`.
        choices: the names that exist.
        most: how many to name at most, the nearest first.
        cutoff: how alike a choice has to be, from 0 to 1 (difflib's ratio).
    """
    text = str(word)
    if len(text) > _LONGEST:
        return ""
    spelt: dict[str, list[str]] = {}
    for choice in dict.fromkeys(choices):
        spelt.setdefault(_plain(choice), []).append(choice)
    close = difflib.get_close_matches(_plain(text), spelt, n=most, cutoff=cutoff)
    names = [name for plain in close for name in spelt[plain] if name != text][:most]
    return f" Did you mean {' or '.join(repr(name) for name in names)}?" if names else ""


def _plain(text: str) -> str:
    return text[:_LONGEST].casefold().replace("-", "_").replace(" ", "_")
