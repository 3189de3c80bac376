"""`xai run`: one study through the asset graph in this process, its history where the UI will find it."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dagster import DagsterInstance

from xai_assets.settings import Settings
from xai_assets.study_file import StudyFile, find_study

MISSING = 2
FAILED = 1


def run_study(name: str, settings: Settings) -> int:
    """Materialise every asset of the study; prints progress, reports and headline numbers.

    Returns:
        The exit code: 0, 1 when an asset failed, 2 when files are missing and nothing was run.
    """
    started = time.perf_counter()
    file = find_study(name, settings)
    absent = _still_missing(file, settings)
    if absent:
        for line in absent:
            click.echo(line, err=True)
        click.echo(f"Study {file.study.name}: {len(absent)} missing, nothing was run.", err=True)
        return MISSING
    click.echo(f"{file.study.title}", err=True)
    if not _materialise(file, settings):
        return FAILED
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


def missing_files(file: StudyFile, settings: Settings) -> list[str]:
    """One line for each file that the study needs and that is not there: what, where from, where to."""
    from xai_assets.analysis.needs import needs

    return [str(need) for need in needs(file, settings)]


def instance_folder(settings: Settings) -> Path:
    """Where runs are kept: DAGSTER_HOME where it is set, else beside the other results."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home) if home else settings.data / "dagster"


def _materialise(file: StudyFile, settings: Settings) -> bool:
    import dagster as dg

    from xai_assets.assets.step import watched_by
    from xai_assets.automation.partitions import study_partitions
    from xai_assets.build import build_definitions
    from xai_assets.cli_progress import Steps

    # The asset graph reads its settings and its partitions from the environment, as under `dagster dev`.
    study = file.study.name
    job = build_definitions(settings=settings).resolve_job_def("study")
    if study not in study_partitions(settings).get_partition_keys():
        raise click.ClickException(
            f"{file.path} is not in a folder of studies; put it into {settings.studies}"
        )
    home = instance_folder(settings)
    home.mkdir(parents=True, exist_ok=True)
    instance = (
        dg.DagsterInstance.from_config(str(home)) if (home / "dagster.yaml").is_file() else _instance(home)
    )
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with instance, Steps(len(list(job.graph.nodes))) as steps, watched_by(steps.watch):
        result = job.execute_in_process(
            instance=instance, partition_key=study, run_config=quiet, raise_on_error=False
        )
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error and error.cause:
                error = error.cause
            click.echo(
                f"{event.step_key} failed: {error.message.strip() if error else 'no reason given'}", err=True
            )
    if not result.success:
        click.echo(f"The whole log: `make ui`, run {result.run_id}.", err=True)
    return bool(result.success)


def _instance(home: Path) -> "DagsterInstance":
    from dagster import DagsterInstance
    from dagster._core.instance.ref import InstanceRef

    return DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))


def _summary(file: StudyFile, settings: Settings) -> None:
    from xai_assets.analysis.headline import headline
    from xai_assets.analysis.workbench import Workbench

    bench = Workbench(settings, file)
    for line in headline(bench):
        click.echo(line)
    for pdf in sorted((settings.reports / file.study.name).glob("*.pdf")):
        click.echo(pdf)
