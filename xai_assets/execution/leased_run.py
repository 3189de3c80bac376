"""A run in one process on a host with a GPU: it has one device for as long as it lasts, as a step of its own has."""

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from dagster import DagsterEvent
from dagster._core.errors import raise_execution_interrupts
from dagster._core.events import EngineEventData
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.executor.base import Executor

from xai_assets.execution.around import Around
from xai_assets.execution.device import Devices, Lease, Places
from xai_assets.execution.op_tags import CUDA, DEVICE
from xai_assets.settings import Settings

SECONDS_BETWEEN_TRIES = 0.2
VISIBLE = "CUDA_VISIBLE_DEVICES"


class LeasedRun(Around):
    """An executor of one process that does what `executor` does while it has a device to itself.

    Args:
        executor: runs all steps in this process.
        devices: those that runs may use, at least one.
        settings: the folder of the leases' lock files, and whether the devices are simulated.
    """

    def __init__(self, executor: Executor, devices: Devices, settings: Settings) -> None:
        super().__init__(executor)
        self._places = Places(tuple(device.id for device in devices.found), settings.locks)
        # Simulated devices may be absent, so that torch is not told to insist on them.
        self._environment = {} if settings.devices is not None else {"XAI_DEVICE": CUDA}

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Wait for a device where a step is for one, then do as the executor does."""
        steps = execution_plan.get_steps_to_execute_in_topo_order()
        if not any(step.tags.get(DEVICE) == CUDA for step in steps):
            yield from self._executor.execute(plan_context, execution_plan)
            return
        lease = self._places.try_lease()
        if lease is None:
            names = ", ".join(self._places.names)
            yield _said(plan_context, f"Waits for a device: other runs on this host have {names}.")
            lease = self._wait()
        try:
            yield _said(plan_context, _what(lease))
            with _environment({VISIBLE: lease.name, **self._environment}):
                yield from self._executor.execute(plan_context, execution_plan)
        finally:
            lease.close()

    def _wait(self) -> Lease:
        with (
            raise_execution_interrupts()
        ):  # Ctrl-C ends the wait; Dagster keeps it for the next step otherwise
            while (lease := self._places.try_lease()) is None:
                time.sleep(SECONDS_BETWEEN_TRIES)
        return lease


def _what(lease: Lease) -> str:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        saw = os.environ.get(VISIBLE, "all devices")
        return (
            f"Has {lease.name} for the whole run, but this process had started CUDA before and still sees {saw}: its "
            "first device is used. Start the run in a process of its own to have them be the same."
        )
    return f"Runs on {lease.name}, which it has for the whole run."


def _said(context: PlanOrchestrationContext, what: str) -> DagsterEvent:
    return DagsterEvent.engine_event(context, what, EngineEventData())


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process, and put them back as they were: it may go on after the run."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
