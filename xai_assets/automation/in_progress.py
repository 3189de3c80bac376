"""Whether a study has a run that has not ended: schedules and sensors start no second one beside it."""

import dagster as dg
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

NOT_ENDED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Every state of a run that has not ended."""


def run_in_progress(instance: dg.DagsterInstance, study: str) -> str | None:
    """The study's run that has not ended, in words; None where there is none."""
    for record in instance.get_run_records(dg.RunsFilter(statuses=NOT_ENDED)):
        tags = record.dagster_run.tags
        first, last = tags.get(ASSET_PARTITION_RANGE_START_TAG), tags.get(ASSET_PARTITION_RANGE_END_TAG)
        if tags.get(PARTITION_NAME_TAG) == study or (first and last and first <= study <= last):
            since = record.create_timestamp.strftime("%Y-%m-%d %H:%M UTC")
            status = record.dagster_run.status.value.lower()
            return f"its run {record.dagster_run.run_id[:8]} of {since} has not ended ({status})"
    return None
