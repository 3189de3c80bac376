"""Reading a study's YAML: what is wrong is said as file, line and field, and what to write instead."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, SchemaValidator

from xai_assets.errors import XaiError
from xai_assets.reading import as_text, read_regular
from xai_assets.settings import Settings
from xai_assets.study import Study
from xai_assets.study_folder import odd_files, study_paths
from xai_assets.study_words import sentence, shown
from xai_assets.study_yaml import MAX_PROBLEMS, Document, NotPlain, Spot, parse
from xai_assets.suggest import did_you_mean
from xai_assets.text import printable

__all__ = [
    "MAX_BYTES",
    "StudyError",
    "StudyFile",
    "find_study",
    "read_study",
    "runnable_study",
    "study_from",
    "study_paths",
]

MAX_BYTES = 1 << 20
"""A study is written by hand; a larger file is something else."""

_FIELDS = "`xai studies --fields` lists every field."
_LONGEST_STEP = 60
_LONGEST_SENTENCE = 400


class StudyError(XaiError):
    """A study's file that cannot be used.

    Attributes:
        problems: one line for each thing that is wrong: `file.yaml:line: field: what is wrong, and what to write`.
    """

    def __init__(self, what: str, why: str, remedy: str, problems: tuple[str, ...] = ()) -> None:
        self.problems = problems or (f"{what}: {why}",)
        super().__init__(what, why, remedy)

    def __reduce__(self) -> tuple[type["StudyError"], tuple[object, ...]]:
        return type(self), (self.what, self.why, self.remedy, self.problems)

    @property
    def lines(self) -> tuple[str, ...]:
        """The problems with the file's whole path, for terminals."""
        path = re.sub(r":\d+$", "", self.what)
        name = Path(path).name
        return tuple(
            f"{path}{one.removeprefix(name)}" if one.startswith(f"{name}:") else one for one in self.problems
        )


@dataclass(frozen=True)
class StudyFile:
    """A valid study, the folder that its relative paths start from, and the text that it was read from.

    Attributes:
        study: as it is run.
        path: of the file.
        data: its text.
        effort: quick or full, where it is run so, see `effort`; the study is then not what the text says.
    """

    study: Study
    path: Path
    data: bytes = b""
    effort: str | None = None

    def resolve(self, path: str) -> Path:
        """A path of the study: `~` and absolute paths as they are, others from the study's own folder."""
        named = self.path.parent / path
        try:
            return (self.path.parent / Path(path).expanduser()).resolve()
        except (RuntimeError, OSError):  # a user without a home folder, links in a circle, a name too long
            return named


def find_study(name: str, settings: Settings) -> StudyFile:
    """The study of that name, or at that path.

    Raises:
        StudyError: when there is none, or when it is not valid.
    """
    paths = study_paths(settings)
    if name in paths:
        return read_study(paths[name])
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and ("/" in name or path.exists() or path.is_symlink()):
        return read_study(path)
    for odd in odd_files(settings):
        if name in (odd.path.stem, odd.path.name):
            raise StudyError(f"study {shown(name)}", odd.why, "`xai studies` lists those that can be run.")
    known = ", ".join(paths) or "none"
    raise StudyError(
        f"study {shown(name)}",
        "there is no such study",
        f"{did_you_mean(name, paths).strip()} Known studies: {known}. Their folder is {settings.studies}.".strip(),
    )


def runnable_study(name: str, settings: Settings) -> StudyFile:
    """The study of that name, or at that path, where runs find it: they know studies by name, in the folders of studies.

    Raises:
        StudyError: as `find_study`; or the file is not in a folder of studies, or another one there has its name.
    """
    file = find_study(name, settings)
    read = study_paths(settings).get(file.path.stem)
    if read is None or read.resolve() != file.path:
        other = f"; {read} is the study of that name there" if read else ""
        raise StudyError(
            printable(str(file.path)),
            f"it is in no folder of studies, where a run looks for it by name{other}",
            f"Put it into {settings.studies}, under a name of its own, or set XAI_STUDIES to its folder.",
        )
    return file


def read_study(path: Path) -> StudyFile:
    """Read and validate one file.

    Raises:
        StudyError: naming file, line and field of what is wrong: the first problems, and how many more there are.
    """
    path = Path(path)
    try:
        data = read_regular(path, MAX_BYTES)
    except XaiError as error:
        remedy = f"Write the study as a text file of at most {MAX_BYTES:,} bytes, and check its permissions."
        raise StudyError(printable(error.what), f"cannot be read: {error.why}", remedy) from error.__cause__
    return study_from(data, path)


def study_from(data: bytes, path: Path) -> StudyFile:
    """The study that `data` is, as read from `path`.

    Raises:
        StudyError: as `read_study`.
    """
    study = _parsed(data, path.name, path.stem)
    if isinstance(study, Study):
        return StudyFile(study, path.resolve(), data)
    name = printable(path.name)
    problems = tuple(f"{name}{problem}" for problem in study)
    line, _, first = study[0].partition(": ")
    others = [re.sub(r"^:(\d+)", r"line \1", problem).removeprefix(": ") for problem in study[1:]]
    raise StudyError(printable(str(path)) + line, "; ".join([first, *others]), _FIELDS, problems)


@lru_cache(maxsize=64)
def _parsed(data: bytes, name: str, stem: str) -> Study | tuple[str, ...]:
    """The study, or its problems, each as `:line: field: sentence`. Sensors ask again and again for the same bytes."""
    try:
        text = as_text(data, name=name)
    except XaiError as error:
        at = re.search(r", line (\d+)$", error.what)
        return (f"{f':{at[1]}' if at else ''}: {error.why}; {error.remedy}",)
    try:
        document = parse(text)
    except NotPlain as error:
        return _listed((_problem(one.line, one.path, one.said) for one in error.problems), error.count)
    content = document.content
    content.setdefault("name", stem)
    if content["name"] != stem:
        line = document.spot.parts["name"].line
        said = f"{shown(content['name'])} is not the file's name; write {shown(stem)}, or leave it out"
        return (_problem(line, ("name",), said),)
    try:
        study = _strict().validate_python(content)
    except ValidationError as error:
        return _said(error.errors(include_url=False), document)
    assert isinstance(study, Study)
    return study


@cache
def _strict() -> SchemaValidator:
    """The schema of a study in which text is no number: pydantic makes 12 of "12", infinity of "1e999", true of "yes"."""
    # Parts of the schema have validators of their own, which would be used as they are.
    return SchemaValidator(_without_coercion(Study.__pydantic_core_schema__), None, False)


def _without_coercion(schema: Any) -> Any:
    if isinstance(schema, dict):
        changed = {
            key: value if key == "metadata" else _without_coercion(value) for key, value in schema.items()
        }
        return changed | ({"strict": True} if schema.get("type") in ("int", "float", "bool") else {})
    if isinstance(schema, (list, tuple)):
        return type(schema)(_without_coercion(item) for item in schema)
    return schema


_Location = tuple[int | str, ...]


@dataclass(frozen=True)
class _Found:
    """An error of the schema at its place in the file.

    Attributes:
        path: of the field.
        line: of it.
        said: what is wrong.
        tried: the place whose alternatives were tried, and the one that gave this error; none elsewhere.
    """

    path: _Location
    line: int
    said: str
    tried: tuple[_Location, str] | None


def _said(errors: list[ErrorDetails], document: Document) -> tuple[str, ...]:
    """One problem a place; of a value that fits none of several alternatives, what each of them wants."""
    # Of a list with a wrong item pydantic also says that it is too short. A misspelt name is better said first.
    inner = {error["loc"][:depth] for error in errors for depth in range(len(error["loc"]))}
    errors = [error for error in errors if not (error["type"] == "too_short" and error["loc"] in inner)]
    errors.sort(key=lambda error: error["type"] == "missing")
    looked_at = errors[: 50 * MAX_PROBLEMS]
    alternatives: dict[_Location, set[str]] = {}
    found = [_place(error, document.spot) for error in looked_at]
    for one in found:
        if one.tried:
            alternatives.setdefault(one.tried[0], set()).add(one.tried[1])
    places: dict[_Location, list[_Found]] = {}
    for one in found:
        # One alternative alone was chosen by its name, and the errors below it have nothing to do with each other.
        of_one = one.tried is None or len(alternatives[one.tried[0]]) == 1
        places.setdefault(one.path if of_one or one.tried is None else one.tried[0], []).append(one)
    lines = [_problem_of(together) for together in places.values()]
    return _listed(lines, len(lines) + len(errors) - len(looked_at))


def _problem_of(found: list[_Found]) -> str:
    """The alternative that a value nearly is, else all of them."""
    depth = max(len(one.path) for one in found)
    deepest = [one for one in found if len(one.path) == depth]
    near = [one for one in deepest if "Did you mean" in one.said] or deepest
    return _problem(near[0].line, near[0].path, "; or: ".join(dict.fromkeys(one.said for one in near)))


def _place(error: ErrorDetails, spot: Spot) -> _Found:
    """Where the value stands; steps that are no fields of the file name alternatives, or a field that is missing."""
    line = spot.line
    path: _Location = ()
    tried: tuple[_Location, str] | None = None
    for number, step in enumerate(error["loc"], 1):
        if step in spot.parts:
            spot = spot.parts[step]
            line, path = spot.line, (*path, step)
        elif number == len(error["loc"]) and error["type"] == "missing":
            path = (*path, step)
        else:
            tried = (path, str(step))
    return _Found(path, line, sentence(error, Study), tried)


def _problem(line: int, path: Iterable[int | str], said: str) -> str:
    steps = [
        step if len(step := printable(str(one))) <= _LONGEST_STEP else f"{step[:_LONGEST_STEP]}…"
        for one in path
    ]
    said = said if len(said) <= _LONGEST_SENTENCE else f"{said[:_LONGEST_SENTENCE]}…"
    return f":{line}: {'.'.join(steps)}: {said}" if steps else f":{line}: {said}"


def _listed(lines: Iterable[str], count: int) -> tuple[str, ...]:
    """The first problems, and how many more there are."""
    first = tuple(lines)[:MAX_PROBLEMS]
    return (
        first
        if count <= len(first)
        else (*first, f": and {count - len(first):,} more problems; correct these first")
    )
