"""One large JSON object read item by item: never more than one item of its lists is held as Python objects."""

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()


class NotJSON(ValueError):
    """The text is not one JSON object."""


def items(text: str, names: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Name and item, for each item of the lists that stand under `names` at the top; other values are passed over.

    A value under one of the names that is no list is one item.

    Raises:
        NotJSON: as soon as it is reached: the text is not JSON, nested too deeply, or no object at its top.
    """
    at = _skip(text, 0)
    if text[at : at + 1] != "{":
        raise NotJSON("no object at its top")
    at = _skip(text, at + 1)
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return
    while True:
        name, at = _value(text, at)
        if not isinstance(name, str):
            raise NotJSON(f"a name is expected at character {at:,}")
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        if name in names and text[at : at + 1] == "[":
            at = _skip(text, at + 1)
            while text[at : at + 1] != "]":
                item, at = _value(text, at)
                yield name, item
                at = _skip(text, at)
                if text[at : at + 1] == ",":
                    at = _skip(text, at + 1)
                    if text[at : at + 1] == "]":
                        raise NotJSON(f"an item is expected at character {at:,}")
                elif text[at : at + 1] != "]":
                    raise NotJSON(f"',' or ']' is expected at character {at:,}")
            at += 1
        else:
            found, at = _value(text, at)
            if name in names:
                yield name, found
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            _end(text, at + 1)
            return
        at = _skip(text, _expect(text, at, ","))


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError as error:
        raise NotJSON("it is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise NotJSON(str(error)) from error
    except ValueError as error:  # Python's limit of digits, with its advice to lift it
        raise NotJSON("a number has too many digits") from error


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # it matches nothing, too
    return found.end()


def _expect(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise NotJSON(f"{sign!r} is expected at character {at:,}")
    return at + 1


def _end(text: str, at: int) -> None:
    if _skip(text, at) != len(text):
        raise NotJSON(f"there is more behind its end, at character {at:,}")
