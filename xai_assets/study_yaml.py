"""The YAML of a study as plain values, each with the line where it is written.

Only what a study needs is read: text, numbers, true, false, null, lists, and mappings whose keys are text. A word means
what YAML 1.2's core schema says, where that is unambiguous: `no`, `2024-02-31`, `1:2:3` and `017` are text. PyYAML
splits the text into events, and builds no value: its constructors can raise any exception, or run for ever.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

MAX_DEPTH = 24
"""A study nests 8 deep."""

MAX_NODES = 60_000
"""Values and keys of one file."""

MAX_PROBLEMS = 20
"""Problems that are named; the rest is counted."""

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]{1,40}|(?:0|[1-9][0-9]{0,40})(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,3})?"
)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_TEXT_TAGS = {None, "!", "tag:yaml.org,2002:str"}
_PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}

_IN_PLAIN_WORDS = (
    ("found character '\\t'", "a tab indents the line; write spaces"),
    ("found character '%'", "a template's {% … %} has not been filled in; write the value"),
    ("found character '@'", "a value begins with @; put it in quotes"),
    ("found character '`'", "a value begins with `; put it in quotes"),
    ("found a tab character", "a tab indents the line; write spaces"),
    (
        "mapping values are not allowed",
        "a colon stands inside a value: put the value in quotes, or begin the field in a line of its own",
    ),
    ("could not find expected ':'", "a field has no colon; write `field: value`"),
    ("expected <block end>", "the indentation differs from that of the lines above"),
    ("expected ',' or", "a bracket or a brace is not closed, or a comma is missing"),
    ("found unexpected end of stream", "a quote is not closed"),
    ("expected a single document", "there are several documents (---); write one"),
)
"""How PyYAML's sentences begin, and the same as a person who writes a study needs it."""

Path = tuple[str | int, ...]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Problem:
    """Something wrong in one line.

    Attributes:
        line: from 1.
        path: of the field; empty for the file as a whole.
        said: what is wrong, and what to write instead.
    """

    line: int
    path: Path
    said: str


class NotPlain(Exception):
    """A text that is no plain YAML: the first problems, and how many there are."""

    def __init__(self, problems: list[Problem], count: int) -> None:
        self.problems, self.count = problems, count
        super().__init__(f"{count} problems")


@dataclass
class Spot:
    """Where a value is written: its line, and the spots of its fields or items."""

    line: int
    parts: dict[str | int, "Spot"] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """A mapping of fields, and where each is written."""

    content: dict[str, Any]
    spot: Spot


def parse(text: str) -> Document:
    """The fields of one YAML document.

    Raises:
        NotPlain: it is not YAML, or more than plain values, or too deep or too large, or no mapping of fields.
    """
    return _Builder(text).document()


class _Builder:
    def __init__(self, text: str) -> None:
        self._text = text
        self._nodes = 0
        self._count = 0
        self._problems: list[Problem] = []

    def document(self) -> Document:
        bad = _UNSEEN.search(self._text.replace("\r\n", "\n").replace("\r", "\n"))
        if bad:
            line = self._text.count("\n", 0, bad.start()) + 1
            raise self._fatal(line, f"the character {bad.group()!a} cannot be read; remove it")
        self._loader: Any = self._asked(1, lambda: yaml.SafeLoader(self._text))
        try:
            self._next()  # the stream begins
            if isinstance(self._next(), yaml.StreamEndEvent):
                raise self._fatal(
                    1, "the file is empty; write at least a title, and an attribution or a dissection"
                )
            spot = Spot(1)
            content = self._value(self._next(), (), spot, 0)
            self._next()  # the document ends
            after = self._next()
            if not isinstance(after, yaml.StreamEndEvent):
                raise self._fatal(_line(after), "there are several documents (---); write one")
        finally:
            self._loader.dispose()
        if self._count:
            raise NotPlain(self._problems, self._count)
        if not isinstance(content, dict):
            raise self._fatal(spot.line, "not a mapping of fields; write `title: …` and the other fields")
        return Document(content, spot)

    def _asked(self, line: int, ask: Callable[[], _T]) -> _T:
        """What PyYAML answers; all that it can raise at a text is a problem with its line."""
        try:
            return ask()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            cause = str(getattr(error, "problem", None) or error).splitlines()[0][:200]
            ours = next((said for begins, said in _IN_PLAIN_WORDS if cause.startswith(begins)), "")
            said = f"{ours} ({cause})" if ours else cause
            raise self._fatal(mark.line + 1 if mark else line, f"not valid YAML: {said}") from error
        # Its scanner makes characters and numbers of what is written, such as "\U99999999" and `%YAML 1…1.1`.
        except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise self._fatal(
                line, "not valid YAML: a character or a number is written that does not exist"
            ) from error

    def _next(self) -> Any:
        return self._asked(self._loader.line + 1, self._loader.get_event)

    def _value(self, event: Any, path: Path, spot: Spot, depth: int) -> Any:
        """The value that begins with `event`; None where there is a problem with it."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._fatal(_line(event), f"there are more than {MAX_NODES:,} values; this is no study")
        if depth > MAX_DEPTH:
            raise self._fatal(
                _line(event), f"the values are nested more than {MAX_DEPTH} deep; this is no study"
            )
        spot.line = _line(event) if not path else spot.line
        if isinstance(event, yaml.AliasEvent):
            self._add(
                event,
                path,
                f"aliases (*{_short(str(event.anchor))}) are not read; write the value here again",
            )
            return None
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if event.tag not in _PLAIN_TAGS:
            self._add(event, path, _tagged(event.tag))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path, spot, depth)
        return self._mapping(event, path, spot, depth)

    def _list(self, path: Path, spot: Spot, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            part = spot.parts[len(items)] = Spot(_line(event))
            items.append(self._value(event, (*path, len(items)), part, depth + 1))
        return items

    def _mapping(self, begins: Any, path: Path, spot: Spot, depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            part = Spot(_line(event))
            key = self._key(event, begins, path, depth)
            value = self._value(self._next(), (*path, "?" if key is None else key), part, depth + 1)
            if key is None:
                continue
            if key in fields:
                self._add(
                    event, (*path, key), f"stands twice, first in line {spot.parts[key].line}; remove one"
                )
                continue
            fields[key], spot.parts[key] = value, part
        return fields

    def _key(self, event: Any, begins: Any, path: Path, depth: int) -> str | None:
        """A field's name; None, with a problem, where it is none."""
        if not isinstance(event, yaml.ScalarEvent):
            self._value(event, (*path, "?"), Spot(_line(event)), depth + 1)
            index = begins.start_mark.index
            if self._text[index : index + 2] == "{{":
                self._add(event, path, "a template's {{ … }} has not been filled in; write the value")
            elif not isinstance(event, yaml.AliasEvent):
                self._add(
                    event, path, "a list or a mapping stands where a field's name has to be; write text"
                )
            return None
        plain = event.implicit[0]
        if plain and event.value in _NULL:
            self._add(event, path, "a field has no name; write `name: value`")
        elif plain and event.value == "<<":
            self._add(event, path, "merge keys (<<) are not read; write the fields here again")
        else:
            key = self._scalar(event, (*path, event.value), as_text=True)
            return key if isinstance(key, str) else None
        return None

    def _scalar(self, event: Any, path: Path, *, as_text: bool = False) -> Any:
        if event.tag not in _TEXT_TAGS:
            self._add(event, path, _tagged(event.tag))
            return None
        bad = _UNSEEN.search(event.value)
        if bad:
            self._add(
                event, path, f"the text holds the character {bad.group()!a}, which cannot be seen; remove it"
            )
            return None
        if as_text or event.tag is not None or not event.implicit[0]:
            return event.value
        return plain_value(event.value)

    def _add(self, event: Any, path: Path, said: str) -> None:
        self._count += 1
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(Problem(_line(event), path, said))

    def _fatal(self, line: int, said: str) -> NotPlain:
        return NotPlain([*self._problems, Problem(line, (), said)], self._count + 1)


def plain_value(text: str) -> str | int | float | bool | None:
    """What a word without quotes stands for; text where it is no number of at most 18 digits, true, false or null."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return text if number in (float("inf"), float("-inf")) else number
    return text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _short(text: str) -> str:
    return text if len(text) <= 40 else text[:39] + "…"


def _tagged(tag: str) -> str:
    name = tag.replace("tag:yaml.org,2002:", "!!")
    return f"the tag {_short(name)} is not read; write the plain value"
