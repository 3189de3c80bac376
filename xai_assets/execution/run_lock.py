"""How a dead run is told from a living one: a run worker has a lock for as long as it lives, whatever ends it.

Dagster leaves a run whose processes were all killed STARTED for ever. The locks stand beside the results and not in the
temporary folder, so that a run that a reboot has ended is found as well.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from dagster import DagsterEvent, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.executor.base import Executor

from xai_assets.execution.around import Around
from xai_assets.execution.locks import try_lock
from xai_assets.execution.run_inputs import begin
from xai_assets.execution.stopping import cancelling
from xai_assets.settings import Settings

IN_PROGRESS = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
SECONDS_BETWEEN_TRIES = 0.02
WHY = (
    "The run's process is gone: it was killed, or the machine went down. Re-execute it from failure to go on."
)

_held: list[int] = []
"""The locks of this process's runs. They are not given back when a run ends, since its end is recorded only later."""


def locks_folder(settings: Settings) -> Path:
    """Where the locks of runs stand."""
    return settings.data / "dagster" / "running"


class LockedRun(Around):
    """An executor that does what `executor` does while the run's lock is held.

    Args:
        executor: what it does.
        folder: of the locks.
        here: the executor's steps run in this process.
    """

    def __init__(self, executor: Executor, folder: Path, *, here: bool = False) -> None:
        super().__init__(executor)
        self._folder, self._here = folder, here

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Take the lock, keep the text of the study, then do as the executor does."""
        hold(self._folder, plan_context.run_id)
        begin(plan_context.instance, plan_context.dagster_run)
        events = self._executor.execute(plan_context, execution_plan)
        yield from cancelling(plan_context, events, here=self._here)


def hold(folder: Path, run_id: str) -> None:
    """Take the run's lock for as long as this process lives."""
    while (handle := try_lock(_path(folder, run_id))) is None:
        time.sleep(SECONDS_BETWEEN_TRIES)  # a sweep has it, for a moment
    _held.append(handle)


def sweep(instance: DagsterInstance, folder: Path) -> list[str]:
    """End the runs in progress whose process is gone; runs without a lock are not ours to judge.

    Returns:
        The ids of the runs that it has ended.
    """
    ended = []
    for run in instance.get_runs(RunsFilter(statuses=IN_PROGRESS)):
        path = _path(folder, run.run_id)
        if path.is_file() and (handle := try_lock(path)) is not None:
            try:
                if _end(instance, run.run_id):
                    ended.append(run.run_id)
            finally:
                os.close(handle)
    for path in folder.glob("*.lock"):
        found = instance.get_run_by_id(path.stem)
        if found is not None and found.is_finished and (handle := try_lock(path)) is not None:
            path.unlink()
            os.close(handle)
    return ended


def _end(instance: DagsterInstance, run_id: str) -> bool:
    run: DagsterRun | None = instance.get_run_by_id(run_id)
    if run is None or run.status not in IN_PROGRESS:
        return False  # it ended by itself after it was listed
    if run.status is DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, WHY)
    else:
        instance.report_run_failed(run, WHY)
    return True


def _path(folder: Path, run_id: str) -> Path:
    return folder / f"{run_id}.lock"
