"""`xai run`: one study through the asset graph, its history where the UI will find it."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from xai_assets.cli_main import CANCELLED, FAILED, USAGE_ERROR, report
from xai_assets.cli_progress import Steps
from xai_assets.cli_run_ready import ready
from xai_assets.cli_say import say, say_lines
from xai_assets.effort import TAG, at_effort
from xai_assets.error_text import of_exception
from xai_assets.execution.history import instance_folder, open_instance
from xai_assets.execution.run_lock import locks_folder, sweep
from xai_assets.execution.stopping import asked_to_stop, stoppable
from xai_assets.settings import DEBUG, Settings
from xai_assets.study_file import StudyFile, runnable_study

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

    from xai_assets.cli_run_events import Watched

SECONDS_TO_CANCEL = 3.0
"""How long a second Ctrl-C waits for the history to take note of it."""


def run_study(
    name: str,
    settings: Settings,
    execution: dict[str, Any],
    only: tuple[str, ...] = (),
    effort: str | None = None,
) -> int:
    """Materialise the study's assets; prints progress, and where all were asked for, headline numbers and reports.

    Args:
        name: the study's name.
        settings: where files are.
        execution: the executor and its options, as under `execution: config:` of a run.
        only: selections of assets, see `automation.selection`; every asset where there is none.
        effort: quick or full, see `effort`; None: as the study says.

    Returns:
        The exit code: 0, 1 when an asset failed, 2 when something is missing or wrong and nothing was run, 130 when it
        was stopped.

    Raises:
        XaiError: something is wrong, and nothing was run.
    """
    started = time.perf_counter()
    file = at_effort(runnable_study(name, settings), effort)
    stop = _Stop(f"`xai run {file.study.name}` goes on where it stopped.")
    with stoppable(stop.first, stop.second):
        try:
            little = ready(file, settings)
            say(file.study.title, err=True)
            if little is not None:
                say(little, err=True)
            absent = _still_missing(file, settings)
            if absent:
                for line in absent:
                    say(line, err=True)
                say(f"Study {file.study.name}: {len(absent)} missing, nothing was run.", err=True)
                return USAGE_ERROR
            code, watched = _materialise(file, settings, execution, only, stop)
        except KeyboardInterrupt:
            say(f"Stopped. {stop.advice}", err=True)
            return CANCELLED
        if code:
            return code
        _say_end(file, settings, watched, everything=not only)
        say(f"xai run {file.study.name}: {time.perf_counter() - started:.0f} s", err=True)
        return 0


def _still_missing(file: StudyFile, settings: Settings) -> list[str]:
    from xai_assets.analysis.needs import fetch_needs, needs

    missing = needs(file, settings)
    if not missing:
        return []
    with Steps(len(missing)) as steps:
        return fetch_needs(missing, steps.follow)


@dataclass
class _Stop:
    """What happens at the first and at the second Ctrl-C, both in another thread than the run's."""

    advice: str
    steps: Steps | None = None
    cancel: Callable[[], None] | None = None
    _again: list[int] = field(default_factory=list)

    def first(self) -> None:
        """Say that the run stops: the image in hand may take a moment."""
        if self.steps is not None:
            self.steps.stopping("Stopping; Ctrl-C once more ends it at once.")

    def second(self) -> None:
        """End the process now; the history takes note if it can."""
        if self._again:
            return
        self._again.append(1)
        if self.steps is not None:
            self.steps.screen.close()
        if self.cancel is not None:
            noting = threading.Thread(target=self.cancel, daemon=True)
            noting.start()
            noting.join(SECONDS_TO_CANCEL)
        say(f"Stopped at once. {self.advice}", err=True)
        os._exit(CANCELLED)


def _materialise(
    file: StudyFile, settings: Settings, execution: dict[str, Any], only: tuple[str, ...], stop: _Stop
) -> "tuple[int, Watched]":
    from dagster import reconstructable
    from dagster._core.execution.api import execute_run_iterator
    from dagster._core.storage.tags import PARTITION_NAME_TAG

    from xai_assets.assets.step import watched_by
    from xai_assets.automation.selection import chosen
    from xai_assets.build import study_job_definition
    from xai_assets.cli_run_events import Watched
    from xai_assets.execution import capture, counts
    from xai_assets.execution.durations import last_durations

    # The asset graph reads its settings and its partitions from the environment, as under `dagster dev`.
    study = file.study.name
    home = instance_folder(settings)
    home.mkdir(parents=True, exist_ok=True)
    job = reconstructable(study_job_definition)
    selection = chosen(job.get_definition(), only) if only else None
    if selection is not None:
        job = job.get_subset(asset_selection=selection)
    definition = job.get_definition()
    config = {
        "execution": {"config": execution},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    run: DagsterRun | None = None
    with (
        open_instance(home) as instance,
        counts.collected() as read,
        Steps(len(definition.graph.nodes), last_durations(instance, study), read) as steps,
        capture.quiet(),
        watched_by(steps.watch),
        _no_stray_tracebacks(),
    ):
        watched = Watched(steps, settings.data)
        stop.steps = steps
        sweep(instance, locks_folder(settings))
        try:
            run = instance.create_run_for_job(
                definition,
                run_config=config,
                tags={PARTITION_NAME_TAG: study} | ({TAG: file.effort} if file.effort else {}),
                job_code_origin=job.get_python_origin(),
                asset_selection=selection,
            )
            stop.cancel = lambda: _cancel(instance, run)
            for event in execute_run_iterator(job, run, instance):
                watched.take(event)
        except KeyboardInterrupt:
            _cancel(instance, run)
            raise
        except Exception as error:
            return _broke(error, settings, stop), watched
        finally:
            stop.steps = stop.cancel = None
        run = instance.get_run_by_id(run.run_id)
    if run is not None and not run.is_success and asked_to_stop():
        raise KeyboardInterrupt
    for text in watched.tracebacks() if os.environ.get(DEBUG) else []:
        say_lines(text, err=True)
    for line in watched.reasons():
        say(line, err=True)
    if watched.refused:
        return USAGE_ERROR, watched
    if watched.failures and run is not None:
        say(f"The whole log: `xai ui`, run {run.run_id}.", err=True)
    return FAILED if watched.failures else 0, watched


def _cancel(instance: "DagsterInstance", run: "DagsterRun | None") -> None:
    """Note in the history that the run was cancelled, where it has not ended by itself."""
    found = instance.get_run_by_id(run.run_id) if run is not None else None
    if found is not None and not found.is_finished:
        instance.report_run_canceled(found, "Stopped by a person.")


def _broke(error: Exception, settings: Settings, stop: _Stop) -> int:
    """Say why the history or Dagster itself failed in the middle of the run; its run ends at the next sweep."""
    said = of_exception(error, settings.data)
    if said is None:
        report(error)
    else:
        say(said if "goes on" in said else f"{said} {stop.advice}", err=True)
    return FAILED


@contextmanager
def _no_stray_tracebacks() -> Iterator[None]:
    """Keep "Exception ignored in ..." from the terminal: Dagster's generators say it when a run breaks off."""
    before = sys.unraisablehook
    if not os.environ.get(DEBUG):
        sys.unraisablehook = lambda _: None
    try:
        yield
    finally:
        sys.unraisablehook = before


def _say_end(file: StudyFile, settings: Settings, watched: "Watched", *, everything: bool) -> None:
    from xai_assets.cli_run_end import say_checks, say_numbers, say_reports

    if everything:
        from xai_assets.analysis.headline import headline
        from xai_assets.analysis.workbench import Workbench

        say_numbers(headline(Workbench(settings, file)))
    say_checks(watched.checks)
    if everything:
        say_reports(settings.reports / file.study.name)
