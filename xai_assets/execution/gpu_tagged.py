"""Dagster's own multiprocess executor with one hook: where a step is started, it is given a device, or none.

A step tagged `xai/device: cuda` begins with a leased device in CUDA_VISIBLE_DEVICES; every other one begins with none,
so that it cannot take GPU memory. Leases hold among all runs of this executor on the host. Processes are forked from a
server that has imported torch already: eight steps that import torch took 19 to 28 s so, 91 s when each began anew.
"""

import multiprocessing
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any, Literal

from dagster import DagsterEvent, MetadataValue
from dagster._core.definitions.reconstruct import ReconstructableJob
from dagster._core.events import EngineEventData
from dagster._core.execution.context.system import IStepContext, PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.plan.step import ExecutionStep
from dagster._core.execution.retries import RetryMode
from dagster._core.executor import multiprocess

from xai_assets.errors import XaiError
from xai_assets.execution.device import Devices, Lease, Places
from xai_assets.execution.op_tags import CUDA, DEVICE
from xai_assets.execution.step_process import StepContext
from xai_assets.execution.stopping import start_fork_server

PRELOAD = [
    "dagster",
    "dagster._core.storage.sqlite_storage",  # with alembic and SQLAlchemy 1.4 of the 1.6 s in which a step began
    "torch",
    "torchvision",
    "timm",
    "pandas",
    "scipy.stats",
    "skimage.segmentation",
    "sklearn.linear_model",
]
"""What the fork server imports, so that no step has to. Never our own code: a module that computes with torch or asks it
for CUDA while it is imported leaves threads or a context behind that no forked process can use."""

HOOK = "execute_step_out_of_process"
"""Dagster's function that starts a step's process, which `MultiprocessExecutor.execute` calls by this name."""

SAID = "devices"
"""The metadata of the run's event that says which devices it has, or that it has none."""

SECONDS_BETWEEN_TRIES = 0.02
NO_DEVICE = {"CUDA_VISIBLE_DEVICES": "", "XAI_DEVICE": "cpu"}


@dataclass(frozen=True)
class Options:
    """What a run may choose.

    Attributes:
        on_no_gpu: without a device, run steps tagged for one on the CPU, or fail.
        cpu_slots: how many of them run on the CPU at once.
        max_concurrent: how many steps run at once, those on devices included; None: one a device or slot, and one for
            each core that is left, at least one.
    """

    on_no_gpu: Literal["cpu", "fail"] = "cpu"
    cpu_slots: int = 1
    max_concurrent: int | None = None


class GpuTaggedExecutor(multiprocess.MultiprocessExecutor):
    """Each step in a process of its own, those tagged for a GPU with a device of their own.

    Args:
        devices: those that runs may use.
        folder: of the leases' lock files, the same for every run on the host.
        options: what the run chose.
        retries: whether steps are tried again, as Dagster passes it on.
        simulated: whether the devices may be absent, so that torch is not told to insist on them.
    """

    def __init__(
        self, devices: Devices, folder: Path, options: Options, *, retries: RetryMode, simulated: bool = False
    ) -> None:
        names = tuple(device.id for device in devices.found)
        slots = tuple(f"cpu-{number}" for number in range(options.cpu_slots))
        self._devices, self._options = devices, options
        self._places = Places(names or slots, folder)
        self._with_device = {} if simulated else {"XAI_DEVICE": CUDA}
        heavy = len(self._places.names)
        super().__init__(
            retries=retries,
            max_concurrent=options.max_concurrent or heavy + max(1, multiprocessing.cpu_count() - heavy),
            # More than can have a place would wait for one, and keep others from being started.
            tag_concurrency_limits=[{"key": DEVICE, "value": CUDA, "limit": heavy}],
            start_method="forkserver",
            explicit_forkserver_preload=PRELOAD,
        )

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[DagsterEvent]:
        """Dagster's loop, in which a step is started by `_started`."""
        heavy = [
            step.key
            for step in execution_plan.get_steps_to_execute_in_topo_order()
            if step.tags.get(DEVICE) == CUDA
        ]
        if heavy:
            said = self._said(heavy)
            yield DagsterEvent.engine_event(
                plan_context, said, EngineEventData({SAID: MetadataValue.text(said)})
            )
        start_fork_server(["dagster._core.executor.multiprocess", *PRELOAD])
        stock = multiprocess.MultiprocessExecutor.execute
        if HOOK not in stock.__code__.co_names:
            raise XaiError("dagster", f"its executor calls no {HOOK} any more", "Use the locked version.")
        # The same code with one name standing for something else; Dagster's module stays as it is for everybody else.
        execute = FunctionType(stock.__code__, {**vars(multiprocess), HOOK: self._started})
        yield from execute(self, plan_context, execution_plan)

    def _said(self, heavy: list[str]) -> str:
        if self._devices.found:
            names = ", ".join(f"{device.name} ({device.id})" for device in self._devices.found)
            return f"{len(heavy)} steps are for a GPU, and have one each of: {names}."
        if self._options.on_no_gpu == "fail":
            raise XaiError(
                f"{len(heavy)} steps tagged for a GPU ({', '.join(heavy)})",
                f"there is no device: {self._devices.why}",
                "Run on a machine with a GPU (see `xai doctor`), or choose on_no_gpu: cpu and leave XAI_DEVICE at auto.",
            )
        return (
            f"No GPU ({self._devices.why}): {len(heavy)} steps that would use one run on the CPU, "
            f"{self._options.cpu_slots} at a time."
        )

    def _started(
        self,
        context: BaseContext,
        job: ReconstructableJob,
        step_context: IStepContext,
        step: ExecutionStep,
        errors: dict[int, Any],
        processes: dict[str, Any],
        term_events: dict[str, Any],
        *rest: Any,
    ) -> Iterator[DagsterEvent | None]:
        """In place of Dagster's function of that name: the same step in a process with a lease and its environment."""
        lease: Lease | None = None
        environment: Mapping[str, str] = NO_DEVICE
        if step.tags.get(DEVICE) == CUDA:
            # A place can be taken though the run has few enough steps: by another run, or by a step of this one that
            # has ended and whose process has not. While it waits, the step counts as one that can be told to stop.
            processes[step.key] = SimpleNamespace(is_alive=lambda: True)
            while not term_events[step.key].is_set():
                if (lease := self._places.try_lease()) is not None:
                    break
                time.sleep(SECONDS_BETWEEN_TRIES)
                yield None  # Dagster goes on with the other steps and comes back
            processes.pop(step.key, None)
            if lease is None:
                yield DagsterEvent.engine_event(
                    step_context, "Stopped while it waited for a device.", EngineEventData()
                )
                return
            if self._devices.found:
                environment = {"CUDA_VISIBLE_DEVICES": lease.name, **self._with_device}
        try:
            if lease is not None:
                yield DagsterEvent.engine_event(step_context, f"Runs on {lease.name}.", EngineEventData())
            yield from multiprocess.execute_step_out_of_process(
                StepContext(context, lease, environment),  # type: ignore[arg-type]
                job, step_context, step, errors, processes, term_events, *rest,
            )  # fmt: skip
        finally:
            if lease is not None:
                lease.close()
