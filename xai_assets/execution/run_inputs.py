"""What a run began with: the text of its study and the content of its inputs, which no step of it mixes with others.

Both are kept as hidden tags of the run, where every process and every host that works for the run can read them, and
which are deleted with it. A run that continues another from its failure uses results of that run, hence its inputs.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dagster import DagsterInstance, DagsterRun
from dagster._core.storage.tags import PARTITION_NAME_TAG, RESUME_RETRY_TAG

from xai_assets.effort import TAG, at_effort
from xai_assets.errors import XaiError
from xai_assets.execution.locks import try_lock
from xai_assets.files import sha256_bytes
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, StudyFile, read_study, study_from
from xai_assets.study_folder import study_paths

STUDY = ".dagster/xai_study"
INPUT = ".dagster/xai_input"
"""Tags that begin so are not shown in the UI."""

SECONDS_TO_WAIT = 60.0
SECONDS_BETWEEN_TRIES = 0.02
_DIGITS = 16


def pinned_study(instance: DagsterInstance, run_id: str, name: str, settings: Settings) -> StudyFile:
    """The study as it was when the run began, at the run's effort; the first to ask keeps its text.

    Args:
        instance: that knows the run.
        run_id: the run's.
        name: of the study.
        settings: where studies are on this host: paths in the study are relative to its file here.

    Raises:
        StudyError: there is no such study or it is not valid; or the run continues another from its failure, and the
            study is not what it was when that one began.
    """
    found = _kept(instance, run_id)
    if found is None:
        with _alone(settings):
            found = _kept(instance, run_id)
            if found is None:
                found = _keep(instance, run_id, name, settings)
    data, path = found
    run = instance.get_run_by_id(run_id)
    return at_effort(
        study_from(data, study_paths(settings).get(name, path)), run.tags.get(TAG) if run else None
    )


def begin(instance: DagsterInstance, run: DagsterRun) -> None:
    """Keep the text of a run's study before any step begins, for runs of one study; a step says what is wrong with it."""
    study = run.tags.get(PARTITION_NAME_TAG)
    if study:
        with suppress(StudyError):
            pinned_study(instance, run.run_id, study, Settings.from_environment())


def _keep(instance: DagsterInstance, run_id: str, name: str, settings: Settings) -> tuple[bytes, Path]:
    paths = study_paths(settings)
    if name not in paths:
        raise StudyError(
            f"study {name!r}", "its file is gone", f"Put it back into {settings.studies}, and run it again."
        )
    file = read_study(paths[name])
    before = _continued(instance, run_id)
    earlier = _kept(instance, before) if before else None
    if earlier is not None and earlier[0] != file.data:
        raise StudyError(
            str(file.path),
            f"it changed since the run {str(before)[:8]} began, which this run continues with the results of",
            "Run the study again as a whole: results that are still right are used again.",
        )
    kept = {"run": run_id, "path": str(file.path), "text": file.data.decode("utf-8")}
    if instance.get_run_by_id(run_id) is not None:
        instance.add_run_tags(run_id, {STUDY: json.dumps(kept)})
    return file.data, file.path


def _kept(instance: DagsterInstance, run_id: str) -> tuple[bytes, Path] | None:
    """The text and the path that a run keeps. Tags of a run that this one was made from are none of it."""
    run = instance.get_run_by_id(run_id)
    kept = json.loads(run.tags.get(STUDY, "{}")) if run else {}
    return (kept["text"].encode("utf-8"), Path(kept["path"])) if kept.get("run") == run_id else None


def _continued(instance: DagsterInstance, run_id: str) -> str | None:
    """The run whose results this one uses, since it does again only a part of it; None for a run of its own."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.parent_run_id is None:
        return None
    return run.parent_run_id if _is_part(run, instance.get_run_by_id(run.parent_run_id)) else None


def _is_part(run: DagsterRun, parent: DagsterRun | None) -> bool:
    if run.tags.get(RESUME_RETRY_TAG) == "true" or run.step_keys_to_execute:
        return True
    return parent is not None and bool(run.asset_selection) and run.asset_selection != parent.asset_selection


def same_input(instance: DagsterInstance, run_id: str, settings: Settings, what: str, sha256: str) -> None:
    """Keep the content of an input for the run, or compare it with what the run used before.

    Args:
        instance: that knows the run.
        run_id: the run's.
        settings: where this host keeps its locks.
        what: the file, as a person knows it.
        sha256: of what was read.

    Raises:
        XaiError: another step of the run, or the run that it continues, used other content.
    """
    if instance.get_run_by_id(run_id) is None:
        return
    of_input = f"{INPUT}/{run_id[:8]}/{sha256_bytes(what.encode())[:_DIGITS]}/"
    tag = f"{of_input}{sha256[:_DIGITS]}"
    with _alone(settings):
        run = instance.get_run_by_id(run_id)
        assert run is not None
        if tag not in run.tags:
            instance.add_run_tags(run_id, {tag: what})
    others = [other for other in run.tags if other.startswith(of_input) and other != tag]
    before = _continued(instance, run_id)
    parent = instance.get_run_by_id(before) if before else None
    if parent is not None:
        of_parent = of_input.replace(f"/{run_id[:8]}/", f"/{parent.run_id[:8]}/")
        others += [
            other
            for other in parent.tags
            if other.startswith(of_parent) and not other.endswith(f"/{sha256[:_DIGITS]}")
        ]
    if others:
        raise XaiError(
            what,
            "it changed since this run began",
            "Run the study again: results that are still right are used again.",
        )


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Dagster reads all tags of a run and writes them back: of two processes that add one at once, one would lose its."""
    path = settings.data / "dagster" / "running" / ".tags"
    deadline = time.monotonic() + SECONDS_TO_WAIT
    while (handle := try_lock(path)) is None:
        if time.monotonic() > deadline:
            raise XaiError(str(path), "another process has had it locked for a minute", "End that process.")
        time.sleep(SECONDS_BETWEEN_TRIES)
    try:
        yield
    finally:
        os.close(handle)
