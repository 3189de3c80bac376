"""The errors of weights files, and lists of names in their messages."""

from collections.abc import Sequence

from xai_assets.errors import XaiError
from xai_assets.reading import shown

_SHOWN = 8  # names listed; a wrong architecture has hundreds
_NAME_LENGTH = 120


class CheckpointError(XaiError):
    """A weights file that cannot be read, is not what it should be, or holds more than weights."""


class CheckpointMismatch(XaiError):
    """Weights that do not fit the network."""


def damaged(what: str, why: str) -> CheckpointError:
    """The error of a file that is cut, changed, or of another format."""
    return CheckpointError(what, f"it is damaged or of another format ({why})", "Get a whole copy.")


def listed(items: Sequence[object]) -> str:
    """The first few of many names, each cut to a length that a line can hold, and how many more there are."""
    first = ", ".join(_short(item) for item in items[:_SHOWN])
    return first if len(items) <= _SHOWN else f"{first} and {len(items) - _SHOWN} more"


def _short(item: object) -> str:
    if not isinstance(item, str | int | float | bytes):
        return f"a {type(item).__name__}"  # a container's text can be any number of times the file's size
    text = shown(item) if isinstance(item, str) else repr(item)
    return text if len(text) <= _NAME_LENGTH else f"{text[:_NAME_LENGTH]}..."
