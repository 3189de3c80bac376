"""What is wrong with a study's values, in the words of the person who writes it: never in those of a library."""

import re
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from xai_assets.suggest import did_you_mean
from xai_assets.text import printable

_LONGEST = 60
_QUOTED = re.compile(r"'([^']*)'")
_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*")

PATTERNS: dict[str, str] = {
    r"^[a-z0-9][a-z0-9-]{0,63}$": "lower-case letters, digits and hyphens, with a letter or a digit in front, at most 64",
    "^[0-9a-f]{64}$": "64 digits of a SHA-256, 0 to 9 and a to f",
    "^(torchvision|timm|diorama)/.+$": "torchvision/NAME, timm/NAME or diorama/NAME",
    r"^[^\r\n]*$": "a text in one line",
    r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$": "a package and a path in it: skimage/data/coffee.png",
    r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,31}$": "letters, digits and . _ + -, at most 32, with a letter or a digit in front",
    r"^\S+( \S+){4}$": "five fields with one space between them, such as 0 3 * * *",
}
"""The patterns of the schema, as a person writes what fits them."""

_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "of at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "of at most"),
}


def sentence(error: ErrorDetails, study: type[BaseModel]) -> str:
    """What is wrong with a value, and what to write instead.

    Args:
        error: one of a ValidationError's.
        study: the class that was validated.
    """
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    given = shown(value)
    if kind == "missing":
        return _missing(error["loc"], study)
    if kind == "extra_forbidden":
        names = field_names(study, error["loc"][:-1])
        return f"there is no such field.{did_you_mean(error['loc'][-1], names)} There are: {', '.join(names)}"
    if kind in ("value_error", "assertion_error"):
        return str(context["error"])
    if kind in ("literal_error", "enum"):
        return _none_of(value, context["expected"])
    if kind == "union_tag_invalid":
        return _none_of(context["tag"], context["expected_tags"])
    if kind == "union_tag_not_found":
        name = context["discriminator"].strip("'")
        return f"`{name}` is missing: one of {', '.join(_tags(study, error['loc'], name))}"
    if kind == "similarity":  # of our own, see dissection.parameters
        tags = _tags(study, error["loc"], kind)
        word = value.get(kind) if isinstance(value, Mapping) else value
        return f"{shown(word)} is none of {', '.join(tags)}.{did_you_mean(word, tags)}"
    if kind in _LIMITS:
        key, words = _LIMITS[kind]
        return f"{given} is out of range; write a number {words} {_number(context[key])}"
    return _shape(kind, value, context)


def _shape(kind: str, value: Any, context: Mapping[str, Any]) -> str:
    given = shown(value)
    if kind.startswith("int"):
        digits = isinstance(value, str) and _NUMBER.fullmatch(value)
        more = " without quotes, `_` or a leading 0, of at most 18 digits" if digits else ""
        return f"{given} is no whole number; write one{more}, such as 3"
    if kind.startswith("float"):
        return f"{given} is no number; write one without quotes, such as 0.5 or 1e-3"
    if kind == "finite_number":
        return f"{given} is not finite; write a number such as 0.5"
    if kind.startswith("bool"):
        return f"{given} is neither true nor false; write one of the two"
    if kind == "string_too_short":
        return "it is empty; write some text" if not value.strip() else f"{given} is too short"
    if kind == "string_too_long":
        return f"it has {len(value):,} characters; write at most {context['max_length']}"
    if kind == "string_pattern_mismatch":
        return f"{given} has another form than {PATTERNS.get(context['pattern'], 'this field takes')}"
    if kind.startswith("string"):
        quotes = "" if isinstance(value, (dict, list)) or value is None else "; put it in quotes"
        return f"{given} is not text{quotes}"
    if kind in ("too_short", "too_long"):
        least = kind == "too_short"
        wanted = f"at least {context['min_length']}" if least else f"at most {context['max_length']}"
        return f"it has {_entries(context['actual_length'] or len(value))}; write {wanted}"
    if kind in ("tuple_type", "list_type"):
        return f"{given} is no list; write its values in brackets, such as [a, b]"
    if kind in ("dict_type", "model_type", "model_attributes_type", "mapping_type"):
        return f"{given} stands where fields have to; write them below, indented, or in braces"
    return f"{given} does not fit here"


def shown(value: Any) -> str:
    """A value as a message shows it: short, on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping of fields"
    if isinstance(value, (list, tuple)):
        return "a list"
    text = printable(str(value))
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return f"'{text}'" if isinstance(value, str) else text


def field_names(study: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The fields that there are at a place of the study, in the order of the schema."""
    return [name for part in _parts(study, location) for name in part.model_fields]


def _missing(location: tuple[int | str, ...], study: type[BaseModel]) -> str:
    name = location[-1]
    for part in _parts(study, location[:-1]):
        if isinstance(name, str) and name in part.model_fields:
            said = part.model_fields[name].description
            return (
                f"it is missing; write `{name}:` and {said}" if said else f"it is missing; write `{name}: …`"
            )
    return "a value is missing; the list is too short"


def _none_of(value: Any, expected: str) -> str:
    choices = _QUOTED.findall(expected)
    return f"{shown(value)} is none of {', '.join(choices)}.{did_you_mean(value, choices)}".rstrip(".")


def _tags(study: type[BaseModel], location: Sequence[int | str], name: str) -> list[str]:
    parts = [part for part in _parts(study, location) if name in part.model_fields]
    return [tag for part in parts for tag in get_args(part.model_fields[name].annotation)]


def _parts(study: type[BaseModel], location: Sequence[int | str]) -> list[type[BaseModel]]:
    """The classes whose fields can stand at a place; a step that names the member of a union chooses it."""
    types: list[Any] = [study]
    for step in location:
        types = [found for one in types for found in _into(one, step)] or types
    return [one for one in types if isinstance(one, type) and issubclass(one, BaseModel)]


def _into(one: Any, step: int | str) -> Iterator[Any]:
    if isinstance(one, type) and issubclass(one, BaseModel):
        if isinstance(step, str) and step in one.model_fields:
            yield from _members(one.model_fields[step].annotation)
        elif any(step in get_args(info.annotation) for info in one.model_fields.values()):
            yield one
    elif get_origin(one) is dict:
        yield from _members(get_args(one)[1])
    elif get_origin(one) is tuple:
        yield from _members(get_args(one)[0])


def _members(annotation: Any) -> Iterator[Any]:
    """The types that an annotation allows."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    elif annotation is not type(None) and get_origin(annotation) is not Literal:
        yield annotation


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _entries(count: int) -> str:
    return f"{count} entry" if count == 1 else f"{count} entries"
