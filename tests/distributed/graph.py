"""A graph of steps for workers: one that is killed once, one that is killed always, and others beside them."""

import os
import signal
import sys
import time
from pathlib import Path

import dagster as dg

from xai_assets.execution.executor import xai_executor
from xai_assets.execution.op_tags import HOME, LIGHT, MODEL


def _step(name, tags, *, kill=lambda marks: False, seconds=0.2, deps=()):
    @dg.asset(name=name, op_tags=tags, deps=deps)
    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        marks = Path(os.environ["XAI_TEST_MARKS"])
        begun = len(list(marks.glob(f"{name}.*")))
        (marks / f"{name}.{begun}").write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(seconds)
        if kill(begun):
            os.kill(os.getpid(), signal.SIGKILL)
        return dg.MaterializeResult(
            metadata={
                "worker": os.environ["XAI_TEST_WORKER"],
                "visible": os.environ.get("CUDA_VISIBLE_DEVICES", "unset"),
                "retry": context.retry_number,
            }
        )

    return step


def _definitions(name, *steps):
    return dg.Definitions(
        assets=list(steps), jobs=[dg.define_asset_job(name)], executor=xai_executor
    ).resolve_job_def(name)


def queues_job():
    """A step for each queue."""
    return _definitions("queues", _step("net", MODEL), _step("compare", LIGHT), _step("load", HOME))


def lost_job():
    """A step whose first worker is killed, one after it, and one beside it."""
    dies = _step("dies_once", MODEL, kill=lambda begun: begun == 0)
    return _definitions("lost", dies, _step("after", LIGHT, deps=["dies_once"]), _step("beside", LIGHT))


def always_job():
    """A step that kills every worker, one that needs it, and others that do not, more than there are workers."""
    dies = _step("dies_always", MODEL, kill=lambda begun: True)
    others = [_step(f"beside_{number}", LIGHT, seconds=1) for number in range(3)]
    return _definitions("always", dies, _step("after", LIGHT, deps=["dies_always"]), *others)


def long_job():
    """A step that takes longer than a worker may be silent."""
    return _definitions("long", _step("long", MODEL, seconds=14))


def stopped_job():
    """A step that is at work when the run is stopped, one behind it in its queue, and one that no worker looks at."""
    first = _step("first", MODEL, seconds=8)
    return _definitions("stopped", first, _step("behind", MODEL, seconds=8), _step("nobody", HOME))


if __name__ == "__main__":
    # Through the module's proper name, by which a worker can import it.
    from tests.distributed.graph import stopped_job as job

    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(sys.argv[1], overrides=quiet) as kept:
        config = {"execution": {"config": {"celery": {}}}}
        dg.execute_job(dg.reconstructable(job), kept, run_config=config, raise_on_error=False)
