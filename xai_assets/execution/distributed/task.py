"""A step as a worker does it: dagster-celery's task, begun at most twice, with what this host keeps for itself.

The second time is for a worker that was killed. It counts as the step's retry: it has half-sized batches, and where it
fails there is no third.
"""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery, Task
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, MetadataValue
from dagster._core.events import EngineEventData
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.storage.tags import PARTITION_NAME_TAG
from dagster._grpc.types import ExecuteStepArgs
from dagster._serdes import pack_value, unpack_value
from dagster_celery.tasks import create_task
from dagster_shared.record import copy

from xai_assets.automation.partitions import studies
from xai_assets.execution.history import open_instance, quiet

DELIVERY = "delivery"
"""The metadata of the run's events that say that a message has come to a worker: the message's id."""

MOST_DELIVERIES = 2

_log = logging.getLogger(__name__)


class StepRefused(Exception):
    """A step that this worker does not begin, with the reason and the remedy."""


class StepTask(Task):
    """What stands around dagster-celery's task; `application.pulse` keeps the message while it runs."""

    abstract = True
    resultrepr_maxsize = 0  # a step's events are in the run's log

    def __call__(self, execute_step_args_packed: Any, executable_dict: Any) -> list[str]:
        """Do the step, unless its run is over or its workers died twice; returns its events, serialised."""
        tag = (self.request.properties or {}).get("delivery_tag")
        with self.app.pulse.holding(tag), signals_restored():
            asked = unpack_value(execute_step_args_packed, as_type=ExecuteStepArgs)
            assert asked.instance_ref is not None
            own = os.environ.get("DAGSTER_HOME")
            opened = open_instance(Path(own)) if own else DagsterInstance.from_ref(quiet(asked.instance_ref))
            with opened as instance:
                admitted = admit(instance, asked, str(self.request.id), str(self.request.hostname))
            if admitted is None:
                return []
            return list(self.run(pack_value(admitted), executable_dict))


@contextmanager
def signals_restored() -> Iterator[None]:
    """Give SIGINT and SIGTERM back as they were: Dagster leaves SIGTERM with the handler of SIGINT.

    After a step a worker that is told to end by SIGTERM would end with exit code 1, as if it had failed.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def admit(
    instance: DagsterInstance, asked: ExecuteStepArgs, message: str, worker: str
) -> ExecuteStepArgs | None:
    """Whether a step may begin, and how.

    Args:
        instance: of this host: where runs are recorded is shared, where output is captured need not be.
        asked: what the run asks for.
        message: the id of the message, the same when it is delivered again.
        worker: the name of this worker.

    Returns:
        What to execute: with this host's instance, and for a message's second delivery as a retry; None where the run
        is over.

    Raises:
        StepRefused: the message was delivered twice before, or the run is not in this host's storage.
    """
    run = instance.get_run_by_id(asked.run_id)
    (step,) = asked.step_keys_to_execute or ()
    if run is None:
        raise StepRefused(
            f"step {step}: run {asked.run_id} is not in the storage that {worker} uses. Give the dagster.yaml in its "
            "DAGSTER_HOME the same PostgreSQL as the run's."
        )
    if run.is_finished or run.status is DagsterRunStatus.CANCELING:
        _log.warning("Step %s of run %s is not begun: the run is over.", step, run.run_id)
        return None
    study = run.tags.get(PARTITION_NAME_TAG)
    if study is not None:
        studies.know(study)  # which may have been added after this worker was started
    before = _deliveries(instance, run, message)
    if len(before) >= MOST_DELIVERIES:
        raise StepRefused(
            f"step {step}: its worker died {len(before)} times, on {', '.join(before)}. See what ended it: the kernel's "
            "log says when memory was short. Then re-execute the run from failure."
        )
    again = f", after {before[-1]} was lost" if before else ""
    _log.info('Step "%s" of run %s%s', step, run.run_id, again)
    instance.report_engine_event(
        f'Step "{step}" came to {worker}{again}.',
        run,
        EngineEventData({DELIVERY: MetadataValue.text(message), "worker": MetadataValue.text(worker)}),
        step_key=step,
    )
    known = asked.known_state or KnownExecutionState()
    if before:
        attempts = dict(known.previous_retry_attempts)
        attempts[step] = attempts.get(step, 0) + 1
        known = known._replace(previous_retry_attempts=attempts)
    return copy(asked, instance_ref=instance.get_ref(), known_state=known)


def _deliveries(instance: DagsterInstance, run: DagsterRun, message: str) -> list[str]:
    """The workers that the message has come to already, in order."""
    found = []
    for entry in instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT):
        said = entry.dagster_event.engine_event_data.metadata if entry.dagster_event else {}
        if DELIVERY in said and said[DELIVERY].value == message:
            found.append(str(said["worker"].value))
    return found


def register(app: Celery) -> None:
    """Let the application's workers do steps."""
    create_task(app, base=StepTask)
