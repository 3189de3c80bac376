"""Old runs and their events: which may go, and how they go.

Dagster keeps runs for ever. What a report says of checks and problems is read from the runs that made the newest results
of each study: those stay, however old they are.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster import AssetRecordsFilter, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.storage.event_log import SqliteEventLogStorage

from xai_assets.automation.jobs import study_job

ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
LOCATION = "xai_assets"
"""The name of our code location, see workspace.yaml and pyproject.toml."""


def old_runs(instance: DagsterInstance, days: float, *, everything: bool) -> list[str]:
    """The ids of runs of ours that ended `days` days ago or before and that no newest result comes from.

    Args:
        instance: the history.
        days: how old.
        everything: whether all runs of this history are ours; otherwise those of our job or code location are.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    records = instance.get_run_records(RunsFilter(statuses=ENDED, updated_before=before))
    found = [record for record in records if everything or _ours(record.dagster_run)]
    if not found:
        return []
    needed = _behind_newest(instance)
    ended = [
        record.dagster_run.run_id
        for record in found
        if record.end_time is None or record.end_time < before.timestamp()
    ]
    return sorted(run_id for run_id in ended if run_id not in needed)


def remove_runs(instance: DagsterInstance, run_ids: list[str], storage: Path) -> None:
    """Remove runs with their events, and what their steps printed."""
    for run_id in run_ids:
        instance.delete_run(run_id)
        if isinstance(instance.event_log_storage, SqliteEventLogStorage):
            emptied_file = Path(instance.event_log_storage.path_for_shard(run_id))  # Dagster leaves it, empty
            for suffix in ("", "-wal", "-shm"):
                emptied_file.with_name(emptied_file.name + suffix).unlink(missing_ok=True)
        folder = storage / run_id / "compute_logs"
        if folder.is_dir() and not folder.is_symlink():
            for path in folder.iterdir():
                if path.suffix in (".out", ".err", ".complete") and path.is_file() and not path.is_symlink():
                    path.unlink()
            for emptied in (folder, folder.parent):
                if not os.listdir(emptied):
                    emptied.rmdir()


def _ours(run: DagsterRun) -> bool:
    origin = run.remote_job_origin
    return run.job_name == study_job.name or (origin is not None and origin.location_name == LOCATION)


def _behind_newest(instance: DagsterInstance) -> set[str]:
    """The runs that made the newest result of each asset and study."""
    found = set()
    for key in instance.all_asset_keys():
        for study in instance.get_materialized_partitions(key):
            newest = AssetRecordsFilter(key, asset_partitions=[study])
            found |= {record.run_id for record in instance.fetch_materializations(newest, limit=1).records}
        whole = instance.fetch_materializations(AssetRecordsFilter(key), limit=1).records
        found |= {record.run_id for record in whole}
    return found
