"""Schedules: one a study that names a cron expression."""

from collections.abc import Iterator

import dagster as dg

from xai_assets.automation.cron import cron_problem
from xai_assets.automation.in_progress import run_in_progress
from xai_assets.automation.jobs import study_job
from xai_assets.settings import Settings
from xai_assets.study import Study
from xai_assets.study_file import StudyError, read_study
from xai_assets.study_folder import study_paths


def study_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The schedules of the studies that ask for one; they start stopped, and are started in the UI.

    A study that is not valid has none: its error is shown where it is run or checked, and does not take the others'.
    """
    return [_schedule(study, cron) for study, cron in scheduled_studies(settings)]


def scheduled_studies(settings: Settings) -> Iterator[tuple[Study, str]]:
    """The valid studies that name a cron expression that fires, with it."""
    for path in study_paths(settings).values():
        try:
            study = read_study(path).study
        except StudyError:
            continue
        if study.schedule and schedule_problem(study) is None:
            yield study, study.schedule


def schedule_problem(study: Study) -> str | None:
    """What is wrong with the schedule of a study; None where it fires, or the study has none."""
    return cron_problem(study.schedule, study.timezone) if study.schedule else None


def _schedule(study: Study, cron: str) -> dg.ScheduleDefinition:
    name = study.name

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance_ref is None:  # as when it is evaluated by hand, without a history
            return dg.SkipReason(f"{name}: no history of runs says whether one has not ended")
        if running := run_in_progress(context.instance, name):
            return dg.SkipReason(f"{name}: {running}; the next tick looks again")
        return dg.RunRequest(partition_key=name)

    return dg.ScheduleDefinition(
        name=f"{name.replace('-', '_')}_schedule",
        job=study_job,
        cron_schedule=cron,
        execution_timezone=study.timezone,
        execution_fn=request,
        description=f"The whole study {name}; skipped while a run of it has not ended.",
    )
