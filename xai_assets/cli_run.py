"""`xai run`: one study through the asset graph, its history where the UI will find it."""

import time
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dagster import DagsterEvent

    from xai_assets.cli_progress import Steps

from xai_assets.execution.gpu_tagged import SAID
from xai_assets.execution.history import instance_folder, open_instance
from xai_assets.execution.run_lock import locks_folder, sweep
from xai_assets.settings import Settings
from xai_assets.study_file import StudyFile, runnable_study

STOPPED = 130
"""As shells have it for a command that was stopped with Ctrl-C."""

QUEUED = "celery_queue_wait"
"""How dagster-celery marks the event that says that a step has gone to its queue."""

MISSING = 2
FAILED = 1


def run_study(name: str, settings: Settings, execution: dict[str, Any], only: tuple[str, ...] = ()) -> int:
    """Materialise the study's assets; prints progress, and where all were asked for, reports and headline numbers.

    Args:
        name: the study's name.
        settings: where things stand.
        execution: the executor and its options, as under `execution: config:` of a run.
        only: selections of assets, see `automation.selection`; every asset where there is none.

    Returns:
        The exit code: 0, 1 when an asset failed, 2 when files are missing and nothing was run, 130 when it was stopped.
    """
    started = time.perf_counter()
    file = runnable_study(name, settings)
    absent = _still_missing(file, settings)
    if absent:
        for line in absent:
            click.echo(line, err=True)
        click.echo(f"Study {file.study.name}: {len(absent)} missing, nothing was run.", err=True)
        return MISSING
    click.echo(f"{file.study.title}", err=True)
    code = _materialise(file, settings, execution, only)
    if code:
        return code
    if not only:
        _summary(file, settings)
    click.echo(f"xai run {file.study.name}: {time.perf_counter() - started:.0f} s")
    return 0


def _still_missing(file: StudyFile, settings: Settings) -> list[str]:
    from xai_assets.analysis.needs import fetch_needs, needs
    from xai_assets.cli_progress import Steps

    missing = needs(file, settings)
    if not missing:
        return []
    with Steps(len(missing)) as steps:
        return fetch_needs(missing, steps.watch)


def _materialise(
    file: StudyFile, settings: Settings, execution: dict[str, Any], only: tuple[str, ...]
) -> int:
    from dagster import reconstructable
    from dagster._core.execution.api import execute_run_iterator
    from dagster._core.storage.tags import PARTITION_NAME_TAG

    from xai_assets.assets.step import watched_by
    from xai_assets.automation.selection import chosen
    from xai_assets.build import study_job_definition
    from xai_assets.cli_progress import Steps

    # The asset graph reads its settings and its partitions from the environment, as under `dagster dev`.
    study = file.study.name
    job = reconstructable(study_job_definition)
    selection = chosen(job.get_definition(), only) if only else None
    if selection is not None:
        job = job.get_subset(asset_selection=selection)
    definition = job.get_definition()
    config = {
        "execution": {"config": execution},
        "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
    }
    failures = []
    with (
        open_instance(instance_folder(settings)) as instance,
        Steps(len(definition.graph.nodes)) as steps,
        watched_by(steps.watch),
    ):
        sweep(instance, locks_folder(settings))
        run = instance.create_run_for_job(
            definition,
            run_config=config,
            tags={PARTITION_NAME_TAG: study},
            job_code_origin=job.get_python_origin(),
            asset_selection=selection,
        )
        for event in execute_run_iterator(job, run, instance):
            _show(event, steps)
            if event.is_failure:
                failures.append(event)
    if any(_was_stopped(event) for event in failures):
        click.echo(f"Stopped. `xai run {study}` goes on where it stopped.", err=True)
        return STOPPED
    for event in failures:
        _explain(event)
    if failures:
        click.echo(f"The whole log: `make ui`, run {run.run_id}.", err=True)
    return FAILED if failures else 0


def _was_stopped(event: "DagsterEvent") -> bool:
    if not event.is_run_failure:
        return False
    error = event.job_failure_data.error
    return error is not None and error.cls_name == "DagsterExecutionInterruptedError"


def _show(event: "DagsterEvent", steps: "Steps") -> None:
    """Show a step that runs in a process of its own; one that runs in this process is watched, and shows more."""
    if event.is_engine_event and SAID in event.engine_event_data.metadata:
        steps.say(event.message or "")
    elif event.event_type_value == "STEP_WORKER_STARTED" or (
        event.is_engine_event and event.engine_event_data.marker_start == QUEUED
    ):
        steps.begin(str(event.step_key))
    elif event.is_step_success or event.is_step_failure:
        steps.end(str(event.step_key))


def _explain(event: "DagsterEvent") -> None:
    """Say in a line why a step failed, or a run that failed by itself."""
    if event.is_step_failure:
        error, what = event.step_failure_data.error, f"{event.step_key} failed"
    else:
        error, what = event.job_failure_data.error, "The run failed"
        if event.job_failure_data.first_step_failure_event or not error:
            return  # said already
    while error and error.cause:
        error = error.cause
    click.echo(f"{what}: {error.message.strip() if error else 'no reason given'}", err=True)


def _summary(file: StudyFile, settings: Settings) -> None:
    from xai_assets.analysis.headline import headline
    from xai_assets.analysis.workbench import Workbench

    bench = Workbench(settings, file)
    for line in headline(bench):
        click.echo(line)
    for pdf in sorted((settings.reports / file.study.name).glob("*.pdf")):
        click.echo(pdf)
