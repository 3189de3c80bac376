"""The rules of `xai prune`: for each kind of file which of them may go, and by what it is known to be ours."""

import json
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xai_assets.attribution.parameters import EXTERNAL, FURTHER_CAMS
from xai_assets.files import left_over
from xai_assets.resources import artifact_file, block_file, table_file, written
from xai_assets.resources.artifact_file import Unsound
from xai_assets.resources.costs import COST, read_cost
from xai_assets.resources.warehouse import Warehouse
from xai_assets.settings import Settings
from xai_assets.study import REPORTS
from xai_assets.study_file import StudyError, read_study, study_paths

_KEY = re.compile(r"[0-9a-f]{32,}")
_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PART = re.compile(
    r"\.([0-9a-f]{32,}\.(safetensors|cost\.json)|[\w-]+\.parquet|[\w-]+\.(pdf|html|json|png|csv)|"
    + re.escape(written.NAME)
    + r")\.\w{8,40}\.part"
)
_LOG_SUFFIXES = {".out", ".err", ".complete"}
REPORT_SUFFIXES = (".pdf", ".html", ".json")
MAX_REPORT = 2**30
GONE = "its study's file is gone"
NOT_OURS = "not known to be this product's"


@dataclass(frozen=True)
class Item:
    """One file that a rule has found.

    Attributes:
        path: the file.
        root: the folder that it is removed from; no link below it is followed.
        size: bytes.
        why: the rule.
        study: the study whose file is gone, if that is the reason.
        foreign: whether it is in the place of a file of ours and not known to be ours.
        at_once: whether its age does not matter.
    """

    path: Path
    root: Path
    size: int
    why: str
    study: str | None = None
    foreign: bool = False
    at_once: bool = False


def with_results(settings: Settings, runs: Path) -> set[str]:
    """The names of all studies that seem to have results: tables, or a folder of reports or copies."""
    tables = {path.stem for path in settings.artifacts.glob("tables/*/*.parquet")}
    of_ours = {
        name.split("/")[0] if root == settings.reports else name.split("/")[1]
        for root in (settings.reports, runs)
        for name in written.recorded(root)
        if name.count("/") == (1 if root == settings.reports else 2)
    }
    folders = {path.parent.name for kind in REPORTS for path in settings.reports.glob(f"*/{kind}.pdf")}
    return tables | of_ours | folders


def artifacts(settings: Settings, studies: set[str]) -> Iterator[Item]:
    """Artifacts that no table of these studies names, and what is in their place and is none."""
    root = settings.artifacts
    files = [path for path in sorted(root.glob("*/??/*.safetensors")) if _regular(root, path)]
    by_key = {path.stem: path for path in files}
    named = _named(settings, studies, by_key)
    for path in files:
        if path.stem in named:
            continue
        kind = path.parent.parent.name
        if _is_artifact(path):
            yield _item(path, root, f"{kind}: no study's table names it")
            cost = path.with_suffix(COST)
            if _regular(root, cost) and read_cost(cost, f"{kind}/{path.stem}") is not None:
                yield _item(cost, root, f"{kind}: no study's table names it")
        else:
            yield _item(path, root, f"in {root}: {NOT_OURS}", foreign=True)


def _is_artifact(path: Path) -> bool:
    """Whether the header says that it is the artifact that its path says; without one it is ours by its metadata."""
    kind = path.parent.parent.name
    try:
        with artifact_file.opened(path) as file:
            return artifact_file.layout_of(file).artifact == f"{kind}/{path.stem}"
    except FileNotFoundError:
        return False
    except Unsound as error:
        return error.older and kind.isidentifier() and _KEY.fullmatch(path.stem) is not None


def _named(settings: Settings, studies: set[str], files: dict[str, Path]) -> set[str]:
    """The files, by their keys, of the artifacts that the tables name, and of those that these name in their metadata.

    A file that many artifacts share stays while one of them is named; of several that have the same one, the newest.
    """
    warehouse = Warehouse(settings.warehouse, settings.warehouse_wait)
    texts = [
        _table_text(path) for path in settings.artifacts.glob("tables/*/*.parquet") if path.stem in studies
    ]
    for study in studies:
        for frame in warehouse.read(study).values():
            texts += [
                "\n".join(value for value in frame[column] if isinstance(value, str)) for column in frame
            ]
    shared = _sharing(files)
    there = files.keys() | shared.keys()
    left = {key for text in texts for key in _KEY.findall(text)} & there
    seen: set[str] = set()
    named: set[str] = set()
    while left:
        key = left.pop()
        seen.add(key)
        if key in files:
            named.add(key)
            left |= (set(_KEY.findall(_metadata(files[key]))) & there) - seen
        if key in shared:
            block, names = shared[key]
            named.add(block)
            left |= (names & there) - seen
    return named


def _sharing(files: dict[str, Path]) -> dict[str, tuple[str, frozenset[str]]]:
    """Artifacts that share a file, by their keys: the file's key, and the keys that the artifact's metadata name."""
    blocks = [path for path in files.values() if path.parent.parent.name.endswith(block_file.SUFFIX)]
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for path in sorted(blocks, key=lambda path: path.lstat().st_mtime):
        artifact = f"{path.parent.parent.name}/{path.stem}"
        try:
            with artifact_file.opened(path) as file:
                contents = block_file.contents(artifact_file.layout_of(file), artifact)
        except (FileNotFoundError, Unsound):
            continue  # nothing in it can be used
        for key, place in contents.members.items():
            said = json.dumps([place["said"]["meta"], place["said"]["arrays"]])
            found[key] = path.stem, frozenset(_KEY.findall(said))
    return found


def _table_text(path: Path) -> str:
    """All text of a table between steps; of a damaged one all of its bytes that are text."""
    try:
        with artifact_file.opened(path) as file:
            data = file.read()
    except (OSError, Unsound):
        return ""
    try:
        frame = table_file.decode(data)
    except (OSError, ValueError, TypeError, NotImplementedError):  # what pyarrow raises
        return data.decode("latin-1")
    return "\n".join(value for column in frame for value in frame[column] if isinstance(value, str))


def _metadata(path: Path) -> str:
    """The metadata of an artifact as text; of a damaged one the start of the file."""
    try:
        with artifact_file.opened(path) as file:
            start = file.read(artifact_file.LENGTH)
            length = min(int.from_bytes(start, "little"), artifact_file.MAX_HEADER)
            return file.read(length).decode("latin-1")
    except (Unsound, OSError):
        return ""


def of_absent_studies(settings: Settings, runs: Path, absent: set[str]) -> Iterator[Item]:
    """Tables, reports and copies of studies whose file is gone."""
    for study in sorted(absent):
        for path in sorted(settings.artifacts.glob(f"tables/*/{study}.parquet")):
            if _regular(settings.artifacts, path):
                ours = table_file.name_of(path) == f"{path.parent.name}/{study}"
                yield _known(path, settings.artifacts, GONE, study, ours=ours)
    yield from _of_record(settings.reports, {(study,): (GONE, study) for study in absent})
    for study in sorted(absent):
        for path in sorted((settings.reports / study).glob("*.*")):
            if _older_report(settings.reports, path, study):
                yield _item(path, settings.reports, GONE, study=study)
    yield from _of_record(
        runs, {(kind, study): (GONE, study) for study in absent for kind in ("reports", "pictures")}
    )


def served_no_more(settings: Settings, runs: Path) -> Iterator[Item]:
    """Copies of reports and images that their study does not make any more."""
    made: dict[str, set[str]] = {}
    for name, file in study_paths(settings).items():
        try:
            study = read_study(file).study
        except StudyError:
            continue  # what a study that is not valid makes is not known
        made[name] = {f"reports/{name}/{kind}" for kind in study.reports}
        if study.attribution:
            chosen = study.attribution.methods.chosen()
            further = {"further_cam"} if set(chosen) & set(FURTHER_CAMS) else set()
            further |= {EXTERNAL} if study.attribution.methods.external else set()
            made[name] |= {f"pictures/{name}/{method}_masks" for method in {*chosen, *further}}
            made[name] |= {f"pictures/{name}/mask_agreement"} if len(chosen) > 1 else set()
            made[name] |= {f"pictures/{name}/faithfulness"} if study.attribution.faithfulness else set()
    why = "its study makes no such report or image any more"
    for item in _of_record(
        runs, {(kind, name): (why, None) for name in made for kind in ("reports", "pictures")}
    ):
        below = item.path.relative_to(runs)
        if below.with_suffix("").as_posix() not in made[below.parts[1]]:
            yield item


def output(settings: Settings, runs: Path) -> Iterator[Item]:
    """What the steps of runs printed, in the history of this data folder."""
    if runs.parent != settings.data / "dagster":
        return  # DAGSTER_HOME may serve other code as well, whose runs are not ours
    for folder in sorted(runs.glob("*/compute_logs")):
        if _RUN.fullmatch(folder.parent.name) is None:
            continue
        for path in sorted(folder.iterdir() if _folder(runs, folder) else []):
            if path.suffix in _LOG_SUFFIXES and _regular(runs, path):
                yield _item(path, runs, "captured output of a run")


def parts(settings: Settings, runs: Path) -> Iterator[Item]:
    """Temporary files of writes that were interrupted, in the places where the product writes."""
    places = {
        settings.artifacts: ("*/??/.*.part", "tables/*/.*.part"),
        settings.reports: (".*.part", "*/.*.part"),
        runs: (".*.part", "reports/*/.*.part", "pictures/*/.*.part"),
    }
    for root, patterns in places.items():
        for path in sorted(found for pattern in patterns for found in root.glob(pattern)):
            if _PART.fullmatch(path.name) and _regular(root, path) and left_over(path):
                size = path.lstat().st_size
                yield Item(path, root, size, "left over from an interrupted write", at_once=True)


def _of_record(root: Path, wanted: dict[tuple[str, ...], tuple[str, str | None]]) -> Iterator[Item]:
    """Files of the record whose first folders are wanted; one that has changed since is not ours any more."""
    known = written.recorded(root)
    for name in sorted(known):
        path = root / name
        found = wanted.get(Path(name).parts[:-1])
        if found is None or not _regular(root, path):
            continue
        why, study = found
        yield _known(path, root, why, study, ours=written.as_written(root, path, known))


def _older_report(root: Path, path: Path, study: str) -> bool:
    """Whether it is a report of a version that kept no record: the file itself says what made it, and of which study."""
    if path.suffix not in REPORT_SUFFIXES or f"{study}/{path.name}" in written.recorded(root):
        return False
    if not _regular(root, path) or path.stat().st_size > MAX_REPORT:
        return False
    data = path.read_bytes()
    if path.suffix == ".pdf":
        return data.startswith(b"%PDF") and b"(xai_assets)" in data
    if path.suffix == ".html":
        said = f"report of the study {study}".encode()
        return b'name="generator" content="xai_assets"' in data and said in data
    try:
        found = json.loads(data)
        return bool(found["study"]["name"] == study and found["study"]["made_from"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _known(path: Path, root: Path, why: str, study: str | None, *, ours: bool) -> Item:
    if ours:
        return _item(path, root, why, study=study)
    return _item(path, root, f"in {root}: changed since it was written, or {NOT_OURS}", foreign=True)


def _item(path: Path, root: Path, why: str, *, study: str | None = None, foreign: bool = False) -> Item:
    return Item(path, root, path.lstat().st_size, why, study, foreign)


def _folder(root: Path, path: Path) -> bool:
    """Whether it is a folder that is reached from `root` without a link."""
    return path.is_dir() and not any(part.is_symlink() for part in _below(root, path))


def _regular(root: Path, path: Path) -> bool:
    """Whether it is a file, and neither it nor a folder between it and `root` is a link."""
    try:
        return stat.S_ISREG(path.lstat().st_mode) and not any(
            part.is_symlink() for part in _below(root, path)
        )
    except OSError:
        return False


def _below(root: Path, path: Path) -> list[Path]:
    return [above for above in (path, *path.parents) if above != root and root in above.parents]
