"""The executor of the code location: each run chooses between all steps in one process, each in its own, and workers.

Under `execution: config:` a run says `in_process: {}`, `gpu_tagged: {}` with its options, `celery: {}` for the workers of
several hosts, or `auto: {}`, which is `gpu_tagged` where there is a GPU and `in_process` where there is none.

Without a GPU one process is the better default for small work, and takes less memory. Measured on two cores that others
used as well, in process and with a process a step: a study of one image 12 and 51 s, the demo again with every result
there 45 and 49 s, the demo from nothing 573 and 504 s, where light steps run beside heavy ones.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
from dagster._core.definitions.executor_definition import (
    ExecutorRequirement,
    multiple_process_executor_requirements,
)
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.context.system import PlanOrchestrationContext
from dagster._core.execution.plan.plan import ExecutionPlan
from dagster._core.execution.retries import RetryMode, get_retries_config
from dagster._core.executor.base import Executor
from dagster._core.executor.in_process import InProcessExecutor

from xai_assets.execution.config_types import count
from xai_assets.execution.device import discover
from xai_assets.execution.extra import need_celery
from xai_assets.execution.gpu_tagged import GpuTaggedExecutor, Options
from xai_assets.execution.leased_run import LeasedRun
from xai_assets.execution.run_lock import LockedRun, locks_folder
from xai_assets.settings import AUTO, CELERY, GPU_TAGGED, IN_PROCESS, Settings

_SCHEMA = dg.Field(
    dg.Selector(
        {
            AUTO: dg.Field(
                {"retries": get_retries_config()},
                description="What XAI_EXECUTOR says; by default gpu_tagged where there is a GPU, else in_process.",
            ),
            IN_PROCESS: dg.Field(
                {"retries": get_retries_config()},
                description="All steps one after the other in the run's own process: models load once. Where there "
                "is a GPU, the run has one for as long as it lasts.",
            ),
            GPU_TAGGED: dg.Field(
                {
                    "retries": get_retries_config(),
                    "on_no_gpu": dg.Field(
                        dg.Enum("OnNoGpu", [dg.EnumValue("cpu"), dg.EnumValue("fail")]),
                        default_value=Options.on_no_gpu,
                        description="Without a GPU, run steps tagged for one on the CPU, or fail.",
                    ),
                    "cpu_slots": dg.Field(
                        count("cpu_slots"),
                        default_value=Options.cpu_slots,
                        description="How many of them run on the CPU at once, of all runs on the host: 1 or more.",
                    ),
                    "max_concurrent": dg.Field(
                        dg.Noneable(count("max_concurrent")),
                        default_value=None,
                        description="How many steps run at once, 1 or more; default: one a device or CPU slot, and one "
                        "for each core that is left, at least one.",
                    ),
                },
                description="Each step in its own process, those tagged for a GPU with a device of their own.",
            ),
            CELERY: dg.Field(
                {"retries": get_retries_config()},
                description="Each step by a worker of its queue, on this host or another: `xai worker`. The Redis "
                "between them is XAI_BROKER's; a run cannot choose another, nor what its messages may hold.",
            ),
        }
    ),
    default_value={AUTO: {}},
)


class InProcess(InProcessExecutor):
    """Dagster's own, which stops when it is told to: Dagster's tries a stopped step again where it has a retry policy."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """All steps, one after the other, until one of them is stopped."""
        for event in super().execute(plan_context, execution_plan):
            yield event
            if event.is_step_up_for_retry:
                cause = event.step_retry_data.error.cause if event.step_retry_data.error else None
                if cause and cause.cls_name in (
                    DagsterExecutionInterruptedError.__name__,
                    "KeyboardInterrupt",
                ):
                    raise DagsterExecutionInterruptedError


def _requirements(config: Mapping[str, Any]) -> Sequence[ExecutorRequirement]:
    return [] if IN_PROCESS in config else multiple_process_executor_requirements()


@dg.executor(name="xai", config_schema=_SCHEMA, requirements=_requirements)
def xai_executor(context: dg.InitExecutorContext) -> Executor:
    """In one process, or each step in its own, as the run chooses."""
    ((mode, config),) = context.executor_config.items()
    assert isinstance(config, Mapping)
    retries = RetryMode.from_config(config["retries"])
    assert retries is not None
    settings = Settings.from_environment()
    if mode == AUTO:
        mode = settings.executor  # with its own defaults
    if mode == CELERY:
        return _distributed(settings, retries)
    devices = discover(settings)
    if mode == IN_PROCESS or (mode == AUTO and not devices.found):
        alone: Executor = InProcess(retries=retries)
        if devices.found:
            alone = LeasedRun(alone, devices, settings)
        return LockedRun(alone, locks_folder(settings), here=True)
    options = Options(**{name: value for name, value in config.items() if name != "retries"})
    if settings.device == "cuda":  # who asks for a GPU by name gets no CPU
        options = replace(options, on_no_gpu="fail")
    executor = GpuTaggedExecutor(
        devices,
        settings.locks,
        options,
        retries=retries,
        simulated=settings.devices is not None,
    )
    return LockedRun(executor, locks_folder(settings))


def _distributed(settings: Settings, retries: RetryMode) -> Executor:
    need_celery("the executor celery")
    from xai_assets.execution.distributed.executor import DistributedExecutor

    return DistributedExecutor(settings, retries=retries)
