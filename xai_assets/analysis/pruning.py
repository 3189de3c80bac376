"""What may be removed: results that no study's tables name any more, and output of old runs.

A file goes only where it is known to be ours: by the name in its header (artifacts, tables), or by the record of what was
written with its hash (reports, copies for the UI). Files of somebody else stay, are named, and links are not followed.
Artifacts are made again from their study; what belongs to a study whose file is gone cannot be, and goes only when asked.
"""

import os
import stat
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from xai_assets.analysis import prune_rules as rules
from xai_assets.analysis.prune_rules import Item
from xai_assets.errors import XaiError
from xai_assets.resources import written
from xai_assets.settings import Settings
from xai_assets.study_file import study_paths

SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Found:
    """What a look at the results has found.

    Attributes:
        stale: may go.
        waiting: belongs to studies whose file is gone, and goes only when that was asked for.
        foreign: in the place of ours, and not known to be ours.
    """

    stale: list[Item] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)
    foreign: list[Item] = field(default_factory=list)


def stale(
    settings: Settings,
    runs: Path,
    *,
    days: float,
    gone: Collection[str] | None = (),
    now: float | None = None,
) -> Found:
    """What may go: of all rules only what was neither made nor used in the last `days` days.

    - An artifact that no table of a study names, directly or through another artifact; a reused one counts as used.
    - Tables, reports and copies of a study whose file is gone, if `gone` says so.
    - A copy that the UI serves of a report, or an image of a method, that its study does not make any more.
    - What the steps of a run printed; the run and its events stay.
    - What an interrupted write has left, as soon as its process is gone.

    Args:
        settings: where results are.
        runs: the folder of the captured output of runs and of the copies that the UI serves.
        days: how old something has to be, in days.
        gone: the studies whose results may go although their file is gone; None: all of them.
        now: seconds since 1970; default: the clock's.

    Raises:
        XaiError: the folder of studies is missing, or holds none of the studies that there are results of.
    """
    before = (time.time() if now is None else now) - days * SECONDS_A_DAY
    studies = set(study_paths(settings))
    absent = rules.with_results(settings, runs) - studies
    refuse_without_studies(settings, absent)
    removable = absent if gone is None else absent & set(gone)
    if gone and (unknown := sorted(set(gone) - absent)):
        raise XaiError(
            f"study {unknown[0]}",
            "its file is there" if unknown[0] in studies else "there are no results of it",
            "--study names a study whose file is gone and whose results may go.",
        )
    found = Found()
    for item in (
        *rules.artifacts(settings, studies | (absent - removable)),
        *rules.of_absent_studies(settings, runs, absent),
        *rules.served_no_more(settings, runs),
        *rules.output(settings, runs),
        *rules.parts(settings, runs),
    ):
        if not item.at_once and _newest(item.path) >= before:
            continue
        if item.foreign:
            found.foreign.append(item)
        elif item.study is None or item.study in removable:
            found.stale.append(item)
        else:
            found.waiting.append(item)
    for items in (found.stale, found.waiting, found.foreign):
        items.sort(key=lambda item: str(item.path))
    return found


def remove(items: list[Item], *, before: float) -> list[tuple[Item, str]]:
    """Remove files that were not used since `before` (seconds since 1970), and folders that are empty then.

    Returns:
        What could not be removed, with the reason. What is gone already is no error.
    """
    failed: list[tuple[Item, str]] = []
    gone: dict[Path, list[Path]] = {}
    for item in items:
        try:
            if _unlink(item, before):
                gone.setdefault(item.root, []).append(item.path)
        except OSError as error:
            failed.append((item, error.strerror or str(error)))
    for root, paths in gone.items():
        if (root / written.NAME).is_file():
            written.forget(root, paths)
    return failed


def _unlink(item: Item, before: float) -> bool:
    """Remove one file, reached from its root without following a link; False where a run has used it meanwhile."""
    *folders, name = item.path.relative_to(item.root).parts
    opened = [os.open(item.root, os.O_RDONLY | os.O_DIRECTORY)]
    try:
        for folder in folders:
            opened.append(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
        there = os.stat(name, dir_fd=opened[-1], follow_symlinks=False)
        if not stat.S_ISREG(there.st_mode) or (there.st_mtime >= before and not item.at_once):
            return False
        os.unlink(name, dir_fd=opened[-1])
        for folder, above in zip(reversed(folders), reversed(opened[:-1]), strict=True):
            try:
                os.rmdir(folder, dir_fd=above)
            except OSError:
                break  # it holds something
        return True
    except FileNotFoundError:
        return True
    finally:
        for handle in opened:
            os.close(handle)


def refuse_without_studies(settings: Settings, absent: set[str]) -> None:
    """Raise XaiError where the studies folder is away, so that studies with results (`absent`) only seem to be gone."""
    folder = settings.studies
    chosen = bool(os.environ.get("XAI_STUDIES"))
    if not folder.is_dir() and (chosen or absent):
        why = "there is no such folder, so that every study would count as gone"
    elif absent and not any(folder.glob("*.yaml")):
        why = f"it holds no study, but there are results of {', '.join(sorted(absent)[:3])}"
    else:
        return
    raise XaiError(f"studies folder {folder}", why, "Mount it or correct XAI_STUDIES. Nothing was removed.")


def _newest(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return float("inf")
