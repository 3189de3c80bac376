"""Reading a study's YAML: what is wrong is said as file, line and field."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from xai_assets.errors import XaiError
from xai_assets.settings import Settings, shipped
from xai_assets.study import Study

MAX_BYTES = 1 << 20
"""A study is written by hand; a larger file is something else."""


class StudyError(XaiError):
    """A study's file that cannot be used; `problems` has one line for each thing that is wrong."""

    def __init__(self, what: str, why: str, remedy: str, problems: tuple[str, ...] = ()) -> None:
        self.problems = problems or (why,)
        super().__init__(what, why, remedy)

    def __reduce__(self) -> tuple[type["StudyError"], tuple[object, ...]]:
        return type(self), (self.what, self.why, self.remedy, self.problems)


@dataclass(frozen=True)
class StudyFile:
    """A valid study and the folder that its relative paths start from."""

    study: Study
    path: Path

    def resolve(self, path: str) -> Path:
        """A path of the study: `~` and absolute paths as they are, others from the study's own folder."""
        return (self.path.parent / Path(path).expanduser()).resolve()


def study_paths(settings: Settings) -> dict[str, Path]:
    """Every study's file by name: the user's own before those that are shipped, in alphabetical order."""
    found: dict[str, Path] = {}
    for folder in (settings.studies, shipped("studies")):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def find_study(name: str, settings: Settings) -> StudyFile:
    """The study of that name, or at that path.

    Raises:
        StudyError: when there is none, or when it is not valid.
    """
    paths = study_paths(settings)
    if name in paths:
        return read_study(paths[name])
    path = Path(name)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        return read_study(path)
    known = ", ".join(paths) or "none"
    raise StudyError(
        f"study {name!r}", "no such study", f"Known studies: {known}. They stand in {settings.studies}."
    )


def read_study(path: Path) -> StudyFile:
    """Read and validate one file.

    Raises:
        StudyError: naming file, line and field of everything that is wrong.
    """
    path = Path(path)
    remedy = "The fields are described in xai_assets/study.py; `xai check` tries a file without running it."
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StudyError(str(path), f"larger than {MAX_BYTES} bytes", remedy)
        text = path.read_text(encoding="utf-8")
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            # Nested aliases of a small file stand for a tree of any size.
            raise StudyError(str(path), "aliases (*name) are not read", remedy)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise StudyError(str(path), "not a mapping of fields", remedy)
        repeated = tuple(_repeated_keys(node, path.name))
        if repeated:
            raise StudyError(str(path), "; ".join(repeated), remedy, repeated)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}: " if mark else ""
        why = f"{place}{getattr(error, 'problem', None) or error}"
        raise StudyError(str(path), f"not valid YAML: {why}", remedy) from error
    except OSError as error:
        raise StudyError(str(path), f"cannot be read ({error.strerror})", remedy) from error
    except UnicodeDecodeError as error:
        raise StudyError(str(path), "not UTF-8 text", remedy) from error
    content.setdefault("name", path.stem)
    if content["name"] != path.stem:
        line = _line(node, ("name",))
        raise StudyError(
            str(path),
            f"{path.name}:{line}: name: {content['name']!r} is not the file's name {path.stem!r}",
            remedy,
        )
    try:
        return StudyFile(Study.model_validate(content), path.resolve())
    except ValidationError as error:
        problems = tuple(
            f"{path.name}:{_line(node, item['loc'])}: {_field(item['loc'])}: {item['msg']}"
            for item in error.errors()
        )
        raise StudyError(str(path), "; ".join(problems), remedy, problems) from error


def _line(node: yaml.Node, location: tuple[int | str, ...]) -> int:
    """The line of the innermost part of `location` that stands in the file; pydantic's own union tags are passed over."""
    line = node.start_mark.line + 1
    for step in location:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    line, node = key.start_mark.line + 1, value
                    break
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "study"


def _repeated_keys(node: yaml.Node, name: str) -> Iterator[str]:
    """YAML keeps the last of two equal keys without a word; a person who wrote both wants to know."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item, name)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.value in seen:
                yield f"{name}:{line}: {key.value}: stands twice, first in line {seen[key.value]}"
            seen.setdefault(key.value, line)
            yield from _repeated_keys(value, name)
