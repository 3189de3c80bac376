"""What may be thrown away: results that no study's tables name any more, and output of runs long past.

Nothing of it is lost for good: artifacts are made again from the study, and the history of runs and the warehouse's rows
are not touched.
"""

import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from safetensors import SafetensorError, safe_open

from xai_assets.attribution.parameters import FURTHER_CAMS
from xai_assets.resources.warehouse import Warehouse
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, read_study, study_paths

_KEY = re.compile(r"[0-9a-f]{32,}")
_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Stale:
    """Something that may go.

    Attributes:
        path: a file, or a folder with all that is in it.
        size: bytes.
        why: the rule.
    """

    path: Path
    size: int
    why: str


def stale(settings: Settings, runs: Path, *, days: float, now: float | None = None) -> list[Stale]:
    """What may go: of all rules only what was neither made nor used in the last `days` days.

    - An artifact that no table of a study names, directly or through another artifact; a reused one counts as used.
    - Tables and reports of a study whose file is gone.
    - A copy that the UI serves of a report, or a picture of a method, that its study does not make any more.
    - What the steps of a run printed; the run and its events stay.
    - What an interrupted write has left.

    Args:
        settings: where results stand.
        runs: the folder where the captured output of runs and the served copies of reports stand.
        days: how old something has to be, in days.
        now: seconds since 1970; default: the clock's.
    """
    before = (time.time() if now is None else now) - days * SECONDS_A_DAY
    found = [
        *_artifacts(settings),
        *_of_absent_studies(settings, runs),
        *_served_no_more(settings, runs),
        *_output(runs),
        *_parts(settings, runs),
    ]
    return sorted((item for item in found if _newest(item.path) < before), key=lambda item: str(item.path))


def remove(items: list[Stale]) -> None:
    """Throw them away; what is gone already is as well."""
    for item in items:
        if item.path.is_dir():
            shutil.rmtree(item.path, ignore_errors=False)
        else:
            item.path.unlink(missing_ok=True)


def _artifacts(settings: Settings) -> Iterator[Stale]:
    files = {path.stem: path for path in sorted(settings.artifacts.glob("*/??/*.safetensors"))}
    named = _named(settings, files)
    for key, path in files.items():
        if key not in named:
            yield Stale(path, path.stat().st_size, f"{path.parent.parent.name}: no study's table names it")


def _named(settings: Settings, files: dict[str, Path]) -> set[str]:
    """The artifacts that the tables name, and those that these name in their metadata."""
    studies = study_paths(settings)
    warehouse = Warehouse(settings.warehouse, settings.warehouse_wait)
    tables = [
        pd.read_parquet(path)
        for path in settings.artifacts.glob("tables/*/*.parquet")
        if path.stem in studies
    ]
    tables += [frame for study in studies for frame in warehouse.read(study).values()]
    left = {key for table in tables for key in _keys(table)} & files.keys()
    named: set[str] = set()
    while left:
        key = left.pop()
        named.add(key)
        left |= (set(_KEY.findall(_metadata(files[key]))) & files.keys()) - named
    return named


def _keys(table: pd.DataFrame) -> Iterator[str]:
    for column in table.columns:
        for value in table[column]:
            if isinstance(value, str):
                yield from _KEY.findall(value)


def _metadata(path: Path) -> str:
    try:
        with safe_open(path, framework="numpy") as file:
            return str((file.metadata() or {}).get("meta", ""))
    except SafetensorError:
        return ""  # a damaged one names nothing; who needs it is told by name


def _of_absent_studies(settings: Settings, runs: Path) -> Iterator[Stale]:
    studies = study_paths(settings)
    for path in [
        *settings.artifacts.glob("tables/*/*.parquet"),
        *settings.reports.glob("*"),
        *runs.glob("reports/*"),
        *runs.glob("pictures/*"),
    ]:
        if path.stem not in studies:
            yield Stale(path, _size(path), "its study's file is gone")


def _served_no_more(settings: Settings, runs: Path) -> Iterator[Stale]:
    for name, file in study_paths(settings).items():
        try:
            study = read_study(file).study
        except StudyError:
            continue  # what a study that is not valid makes is not known
        made = {f"reports/{name}/{kind}" for kind in study.reports}
        if study.attribution:
            chosen = study.attribution.methods.chosen()
            further = {"further_cam"} if set(chosen) & set(FURTHER_CAMS) else set()
            made |= {f"pictures/{name}/{method}_masks" for method in {*chosen, *further}}
            made |= {f"pictures/{name}/mask_agreement"} if len(chosen) > 1 else set()
            made |= {f"pictures/{name}/faithfulness"} if study.attribution.faithfulness else set()
        for path in [*runs.glob(f"reports/{name}/*"), *runs.glob(f"pictures/{name}/*")]:
            if str(path.relative_to(runs).with_suffix("")) not in made and not path.name.startswith("."):
                yield Stale(path, _size(path), "its study makes no such report or picture any more")


def _output(runs: Path) -> Iterator[Stale]:
    for path in runs.glob("*/compute_logs"):
        if _RUN.fullmatch(path.parent.name):
            yield Stale(path, _size(path), "captured output of a run")


def _parts(settings: Settings, runs: Path) -> Iterator[Stale]:
    for folder in (settings.artifacts, settings.reports, runs / "reports", runs / "pictures"):
        for path in folder.rglob(".*.part"):
            yield Stale(path, _size(path), "left over from an interrupted write")


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))


def _newest(path: Path) -> float:
    return max((file.stat().st_mtime for file in [path, *_files(path)]), default=0.0)


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
