"""Every field that a study may have, as text: made from the schema, so that it is never behind it."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from xai_assets.study import Study
from xai_assets.study_words import PATTERNS

_WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "any value"}
_LIMITS = (
    (annotated_types.Gt, "gt", "above"),
    (annotated_types.Ge, "ge", "from"),
    (annotated_types.Lt, "lt", "below"),
    (annotated_types.Le, "le", "to"),
    (annotated_types.MaxLen, "max_length", "at most"),
)


def fields() -> Iterator[str]:
    """A line a field: its path, what it takes, and what it is for; the fields of a part follow its first use."""
    yield from _of(Study, "", {})


def _of(part: type[BaseModel], before: str, told: dict[type[BaseModel], str]) -> Iterator[str]:
    for name, info in part.model_fields.items():
        path = f"{before}{name}"
        taken = ", ".join(dict.fromkeys([*_taken(info.annotation), *_limits(info)]))
        yield f"{path}: {taken}; {_default(info)}. {(info.description or '').rstrip('.')}"
        for step, inner in _parts(info.annotation):
            place = f"{path}{step}{f'[{tag}]' if (tag := _tag(inner)) else ''}"
            if inner in told:
                yield f"{place}: the fields of {told[inner]}"
            else:
                told[inner] = place
                yield from _of(inner, f"{place}.", told)


def _taken(annotation: Any) -> Iterator[str]:
    """What a field takes, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _taken(inner[0])
    elif origin in (Union, UnionType):
        for one in inner:
            yield from _taken(one)
            for info in one.__metadata__ if get_origin(one) is Annotated else ():
                yield from _limits(info) if isinstance(info, FieldInfo) else ()
    elif origin is Literal:
        yield f"one of {', '.join(map(str, inner))}"
    elif origin in (tuple, list):
        yield f"list of: {' or '.join(dict.fromkeys(_taken(inner[0])))}"
    elif origin is dict:
        yield f"names with: {' or '.join(dict.fromkeys(_taken(inner[1])))}"
    elif annotation is type(None):
        yield "null"
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "fields"
    else:
        yield _WORDS.get(annotation, "a value")


def _limits(info: FieldInfo) -> Iterator[str]:
    for one in info.metadata:
        for kind, attribute, words in _LIMITS:
            if isinstance(one, kind):
                yield f"{words} {getattr(one, attribute)}"
        if (pattern := getattr(one, "pattern", None)) in PATTERNS:
            yield PATTERNS[pattern]


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "has to be written"
    default = info.get_default(call_default_factory=True, validated_data={})
    if default is None or isinstance(default, (BaseModel, dict)) or default == "":
        return "may be left out"
    shown = ", ".join(map(str, default)) if isinstance(default, tuple) else str(default)
    return f"{shown.lower() if isinstance(default, bool) else shown} unless written"


def _parts(annotation: Any, step: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """The parts that can stand in a field, each with the step that leads there."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _parts(inner[0], step)
    elif origin in (Union, UnionType):
        for one in inner:
            yield from _parts(one, step)
    elif origin in (tuple, list):
        yield from _parts(inner[0], f"{step}[]")
    elif origin is dict:
        yield from _parts(inner[1], f"{step}.NAME")
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield step, annotation


def _tag(part: type[BaseModel]) -> str | None:
    """The name by which one of several parts is chosen."""
    for info in part.model_fields.values():
        choices = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
        if len(choices) == 1:
            return str(choices[0])
    return None
