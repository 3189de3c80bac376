"""Schedules: one a study that names a cron expression."""

from collections.abc import Iterator

import dagster as dg
from dagster._utils.schedules import is_valid_cron_schedule

from xai_assets.automation.jobs import study_job
from xai_assets.settings import Settings
from xai_assets.study import Study
from xai_assets.study_file import StudyError, read_study, study_paths


def study_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedules of the studies that ask for one; they start stopped, and are started in the UI.

    A study that is not valid has none: its error is shown where it is run or checked, and does not take the others'.
    """
    return [_schedule(study.name, cron) for study, cron in scheduled_studies(settings)]


def scheduled_studies(settings: Settings) -> Iterator[tuple[Study, str]]:
    """The valid studies that name a cron expression, with it."""
    for path in study_paths(settings).values():
        try:
            study = read_study(path).study
        except StudyError:
            continue
        if study.schedule and not cron_problem(study.schedule):
            yield study, study.schedule


def cron_problem(cron: str) -> str | None:
    """What is wrong with a cron expression of five fields; None where nothing is."""
    return None if is_valid_cron_schedule(cron) else f"schedule: {cron!r} is no cron expression"


def _schedule(name: str, cron: str) -> dg.ScheduleDefinition:
    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=name)

    return dg.ScheduleDefinition(
        name=f"{name.replace('-', '_')}_schedule",
        job=study_job,
        cron_schedule=cron,
        execution_timezone="UTC",
        execution_fn=request,
        description=f"The whole study {name}.",
    )
