"""How long the steps of a study took the last time, from the history of runs."""

from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.storage.tags import PARTITION_NAME_TAG

RUNS = 3
"""How many of the latest runs are looked at: the newest time of each step counts."""


def last_durations(instance: DagsterInstance, study: str) -> dict[str, float]:
    """Seconds of each step in the newest run of the study that succeeded and had it; absent where none did."""
    wanted = RunsFilter(tags={PARTITION_NAME_TAG: study}, statuses=[DagsterRunStatus.SUCCESS])
    found: dict[str, float] = {}
    for run in instance.get_runs(wanted, limit=RUNS):
        for step in instance.get_run_step_stats(run.run_id):
            if step.start_time is not None and step.end_time is not None:
                found.setdefault(step.step_key, step.end_time - step.start_time)
    return found
