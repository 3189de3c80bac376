"""Schedules: one a study that names a cron expression."""

import dagster as dg

from xai_assets.automation.jobs import study_job
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, read_study, study_paths


def study_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedules of the studies that ask for one; they start stopped, and are started in the UI.

    A study that is not valid has none: its error is shown where it is run or checked, and does not take the others'.
    """
    found = []
    for name, path in study_paths(settings).items():
        try:
            study = read_study(path).study
        except StudyError:
            continue
        if study.schedule:
            found.append(_schedule(name, study.schedule))
    return found


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
