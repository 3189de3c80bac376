"""When do two concept labels mean the same? By spelling, and by a reviewed list of words with one meaning."""

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from xai_assets.errors import XaiError

MATCHES = "word_matches.txt"
"""The list, beside this module: how it is written and what was left out of it is said there."""

_BRODEN_SUFFIX = re.compile(r"-[sc]$")  # Broden marks scenes and colours: street-s, black-c
_SEPARATORS = re.compile(r"[/_\-\s]+")


def normalise_label(label: str) -> str:
    """A label as it is compared: its spelling in one form, and of names with one meaning the usual one.

    There is no rule for plurals: woods are no wood, and glasses no glass.
    """
    text = spelling(label)
    return _usual().get(text, text)


def spelling(label: str) -> str:
    """Lower case, words apart by one space ('/', '-', '_' and blanks separate), without Broden's endings -s and -c."""
    text = _BRODEN_SUFFIX.sub("", label.strip().lower())
    return _SEPARATORS.sub(" ", text).strip()


def usual_names(lines: Iterable[str]) -> dict[str, str]:
    """Every name of a list of meanings, in one spelling, with the usual name of its meaning.

    Args:
        lines: of the list; what begins with # is a comment.

    Raises:
        XaiError: a name that two lines have, or one line twice.
    """
    usual: dict[str, str] = {}
    for line in lines:
        if not line.strip() or line.startswith("#"):
            continue
        names = [spelling(name) for name in line.split(",")]
        for name in names:
            if name in usual:
                raise XaiError(
                    f"{MATCHES}: {name!r}", "it stands in two meanings", "Leave it in the one that it has."
                )
            usual[name] = names[0]
    return usual


@cache
def _usual() -> dict[str, str]:
    text = files("xai_assets.dissection").joinpath(MATCHES).read_text(encoding="utf-8")
    return usual_names(text.splitlines())
