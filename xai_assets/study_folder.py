"""The files in the folders of studies: those that a study may be in, and those that never can be one, with the reason."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from xai_assets.settings import Settings, shipped
from xai_assets.study import STUDY_NAME
from xai_assets.text import printable

SUFFIXES = (".yaml", ".yml")
NAME_RULE = (
    "a study's name has lower-case letters, digits and hyphens, a letter or a digit in front, and 64 at most"
)


@dataclass(frozen=True)
class OddFile:
    """A YAML file beside the studies that is not read as one.

    Attributes:
        path: the file.
        name: its name without its suffix, as it may be shown.
        why: the reason and the remedy, in one line.
    """

    path: Path
    name: str
    why: str


def study_paths(settings: Settings) -> dict[str, Path]:
    """Every study's file by name: the user's own before those that are shipped, in alphabetical order.

    A file whose name no study may have is left out, see `odd_files`; hidden files are those of editors and systems.
    """
    found: dict[str, Path] = {}
    for folder in (settings.studies, shipped("studies")):
        for path in _yaml_files(folder):
            if path.suffix in SUFFIXES and re.fullmatch(STUDY_NAME, path.stem):
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def odd_files(settings: Settings) -> list[OddFile]:
    """The user's YAML files that are not read as studies, by their names or since another has the same, in order."""
    read = set(study_paths(settings).values())
    odd = []
    for path in _yaml_files(settings.studies):
        if path not in read:
            odd.append(OddFile(path, printable(path.stem), _why(path)))
    return odd


def folder_problem(settings: Settings) -> str | None:
    """Why the user's folder of studies cannot be read; None where it can."""
    try:
        with os.scandir(settings.studies):
            return None
    except OSError as error:
        return f"the folder of studies {settings.studies} cannot be read ({error.strerror})"


def _yaml_files(folder: Path) -> list[Path]:
    """All that is called so but hidden files, `.yaml` before `.yml`; empty where there is no folder."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    wanted = [name for name in names if not name.startswith(".") and name.lower().endswith(SUFFIXES)]
    return [folder / name for name in sorted(wanted)]


def _why(path: Path) -> str:
    name = printable(path.name)
    if path.suffix not in SUFFIXES:
        return f"{name} is not read: its name ends in {path.suffix}; rename it to end in .yaml"
    if not re.fullmatch(STUDY_NAME, path.stem):
        proposal = re.sub(r"[^a-z0-9]+", "-", path.stem.lower().encode("ascii", "ignore").decode()).strip(
            "-"
        )[:64]
        rename = f"; rename it, for example to {proposal}.yaml" if proposal else "; rename it"
        return f"{name} is not read: {NAME_RULE}{rename}"
    return f"{name} is not read: {path.stem}.yaml has the same name; rename one of the two"
