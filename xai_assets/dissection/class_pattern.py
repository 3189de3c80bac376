"""Patterns of file names that say the class of an image. No pandas here: studies import it."""

import re

CLASS = "{class}"
"""Where the class is in a pattern of file names."""

MOST_WILDCARDS = 3
"""More of them make the time of a match grow too fast with a name's length."""

_WILD = {"*": ".*?", "#": "[0-9]+"}


def is_pattern(text: str) -> bool:
    """Whether a study's `classes` is a pattern of file names, and not the path of a table."""
    return CLASS in text


def class_pattern(text: str) -> re.Pattern[str]:
    """A pattern such as `*_{class}.*` or `{class}_#.jpg`: `*` is any text, `#` one or more digits.

    Raises:
        ValueError: more than one `{class}`, or more than MOST_WILDCARDS wildcards.
    """
    if text.count(CLASS) != 1:
        raise ValueError(f"the pattern {text!r} names {CLASS} {text.count(CLASS)} times, not once")
    if sum(map(text.count, _WILD)) > MOST_WILDCARDS:
        raise ValueError(f"the pattern {text!r} has more than {MOST_WILDCARDS} of * and #")
    before, after = text.split(CLASS)
    return re.compile(f"{_as_regex(before)}(?P<name>.+?){_as_regex(after)}", re.DOTALL)


def _as_regex(text: str) -> str:
    return "".join(_WILD.get(sign) or re.escape(sign) for sign in text)
