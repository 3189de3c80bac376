"""The executor of a run whose steps are done by workers: dagster-celery's loop, in which a step cannot be lost.

Whatever goes wrong in a worker becomes the failure of its step. In dagster-celery an error that is not the step's own
leaves the loop waiting for ever where other steps could still be started.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from celery.exceptions import TaskRevokedError
from celery.result import AsyncResult
from celery.states import PENDING
from dagster import DagsterEvent, MetadataValue
from dagster._core.events import EngineEventData
from dagster._core.execution.context.system import IStepContext, PlanOrchestrationContext
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.state import KnownExecutionState
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode
from dagster._grpc.types import ExecuteStepArgs
from dagster._serdes import pack_value, serialize_value
from dagster._utils.error import SerializableErrorInfo, serializable_error_info_from_exc_info
from dagster_celery.config import TASK_EXECUTE_PLAN_NAME
from dagster_celery.core_execution_loop import core_celery_execution_loop
from dagster_celery.executor import CeleryExecutor
from dagster_celery.make_app import make_app

from xai_assets.execution.distributed.app import arguments
from xai_assets.execution.distributed.pulse import listened_to
from xai_assets.execution.distributed.task import StepRefused
from xai_assets.execution.gpu_tagged import SAID
from xai_assets.execution.op_tags import DEFAULT_QUEUE, QUEUE
from xai_assets.execution.run_inputs import begin
from xai_assets.execution.run_lock import hold, locks_folder
from xai_assets.execution.stopping import cancelling
from xai_assets.settings import Settings


class DistributedExecutor(CeleryExecutor):
    """Each step in the queue that its tag names.

    Args:
        settings: where Redis is, and where the run's lock is.
        retries: whether steps are tried again, as Dagster passes it on.
    """

    def __init__(self, settings: Settings, *, retries: RetryMode) -> None:
        self._arguments = arguments(settings)
        self._folder: Path = locks_folder(settings)
        super().__init__(retries=retries, broker=self._arguments["broker"])

    def app_args(self) -> dict[str, Any]:
        """What the loop makes its application with."""
        return self._arguments

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Hold the run's lock, say which queues nobody listens to, then do as dagster-celery does."""
        hold(self._folder, plan_context.run_id)
        begin(plan_context.instance, plan_context.dagster_run)
        steps = execution_plan.get_steps_to_execute_in_topo_order()
        needed = {step.tags.get(QUEUE, DEFAULT_QUEUE) for step in steps}
        silent = sorted(needed - listened_to(make_app(self._arguments)))
        if silent:
            said = f"No worker listens to {', '.join(silent)} yet; start one: " + "; ".join(
                f"`xai worker --queue {queue}`" for queue in silent
            )
            yield DagsterEvent.engine_event(
                plan_context, said, EngineEventData({SAID: MetadataValue.text(said)})
            )
        events = core_celery_execution_loop(plan_context, execution_plan, step_execution_fn=_submitted)
        yield from cancelling(plan_context, events)


def _submitted(
    app: Any,
    plan_context: PlanOrchestrationContext,
    step: ExecutionStep,
    queue: str,
    priority: int,
    known_state: KnownExecutionState,
) -> "Outcome":
    asked = ExecuteStepArgs(
        job_origin=plan_context.reconstructable_job.get_python_origin(),
        run_id=plan_context.run_id,
        step_keys_to_execute=[step.key],
        instance_ref=plan_context.instance.get_ref(),
        retry_mode=plan_context.executor.retries.for_inner_plan(),
        known_state=known_state,
    )
    given = {
        "execute_step_args_packed": pack_value(asked),
        "executable_dict": plan_context.reconstructable_job.to_dict(),
    }
    # By name: dagster-celery makes the task anew for every step, of which Celery keeps the first and warns.
    result = app.send_task(TASK_EXECUTE_PLAN_NAME, kwargs=given, queue=queue, priority=priority)
    return Outcome(result, plan_context.for_step(step))


class Outcome:
    """What a worker answers, as the loop asks for it: always events, whatever has happened there."""

    def __init__(self, result: AsyncResult, context: IStepContext) -> None:
        self._result, self._context = result, context
        self._revoked = False

    def ready(self) -> bool:
        """Whether there is an answer, or none will come: a worker may never look at a step that was taken back."""
        return bool(self._result.ready()) or self._taken_back()

    def revoke(self) -> None:
        """Take the step back; one that a worker has begun goes on to its end."""
        self._result.revoke()
        self._revoked = True

    def get(self) -> list[str]:
        """The step's events, serialised; its failure where the worker could not do it."""
        if self._taken_back():
            raise TaskRevokedError(self._context.step.key)
        try:
            return list(self._result.get())
        except TaskRevokedError:
            raise
        except StepRefused as error:
            return self._failed(SerializableErrorInfo(f"{error}\n", [], type(error).__name__))
        except Exception:
            return self._failed(serializable_error_info_from_exc_info(sys.exc_info()))

    def _taken_back(self) -> bool:
        return self._revoked and self._result.state == PENDING

    def _failed(self, error: SerializableErrorInfo) -> list[str]:
        failure = StepFailureData(error=error, user_failure_data=None)
        return [serialize_value(DagsterEvent.step_failure_event(self._context, failure))]
