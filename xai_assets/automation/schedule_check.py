"""What `xai check` says of a study's schedule."""

from datetime import timedelta

import dagster as dg

from xai_assets.automation.cron import shortest_wait, ticks
from xai_assets.automation.schedules import schedule_problem
from xai_assets.execution.history import instance_folder, open_instance
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, StudyFile

Row = dict[str, str]
"""One thing that was looked at: what, state and said, as in `analysis.precheck`, whose import takes seconds."""


def schedule_found(file: StudyFile, settings: Settings) -> list[Row]:
    """When the study runs next, and whether its last run took longer than the schedule waits; empty without a schedule.

    Raises:
        StudyError: the schedule never fires, or is none.
    """
    study = file.study
    if not study.schedule:
        return []
    if problem := schedule_problem(study):
        raise StudyError(file.path.name, problem, "Or leave the schedule out, and run the study by hand.")
    wait = shortest_wait(study.schedule, study.timezone)
    took = _last_run(study.name, settings)
    following = ticks(study.schedule, study.timezone)[1].strftime("%Y-%m-%d %H:%M")
    if took is not None and took > wait:
        said = (
            f"{study.schedule} waits {_in_words(wait)} between two runs, and the last took {_in_words(took)}: "
            "ticks are skipped while a run has not ended; let it wait longer"
        )
        return [{"what": "schedule", "state": "look", "said": said}]
    said = f"{study.schedule}, {study.timezone}: it runs on {following}"
    return [{"what": "schedule", "state": "ok", "said": said}]


def _last_run(study: str, settings: Settings) -> timedelta | None:
    """How long the study's last run took that ended well; None where there is none. Makes no history."""
    home = instance_folder(settings)
    if not (home / "history").is_dir():
        return None
    filters = dg.RunsFilter(tags={"dagster/partition": study}, statuses=[dg.DagsterRunStatus.SUCCESS])
    with open_instance(home) as instance:
        for record in instance.get_run_records(filters, limit=1):
            if record.start_time and record.end_time:
                return timedelta(seconds=record.end_time - record.start_time)
    return None


def _in_words(time: timedelta) -> str:
    seconds = round(time.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{round(seconds / 60)} minutes" if seconds < 7200 else f"{round(seconds / 3600)} hours"
