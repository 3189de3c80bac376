"""A graph of steps that say where they ran, for tests of the executor; run as a program, it waits to be killed."""

import os
import signal
import sys
import time
from pathlib import Path

import dagster as dg

from xai_assets.execution.executor import xai_executor
from xai_assets.execution.op_tags import LIGHT, MODEL

SECONDS = 0.6


def _step(name, tags, *, dies_once=False, waits=SECONDS):
    policy = dg.RetryPolicy(max_retries=1) if dies_once else None

    @dg.asset(name=name, op_tags=tags, retry_policy=policy)
    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        started = time.time()
        here = {
            "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
            "wanted": os.environ.get("XAI_DEVICE"),
            "torch": "torch" in sys.modules,
        }
        context.log.info(f"pid {os.getpid()}")
        if dies_once and context.retry_number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(waits)
        return dg.MaterializeResult(metadata={"ran": {**here, "from": started, "to": time.time()}})

    return step


four_and_two = dg.Definitions(
    assets=[_step(f"gpu_{n}", MODEL) for n in range(4)] + [_step(f"cpu_{n}", LIGHT) for n in range(2)],
    jobs=[dg.define_asset_job("four_and_two")],
    executor=xai_executor,
)
dying = dg.Definitions(
    assets=[_step("gpu_0", MODEL, dies_once=True), _step("gpu_1", MODEL)],
    jobs=[dg.define_asset_job("dying")],
    executor=xai_executor,
)


@dg.asset(op_tags=MODEL, retry_policy=dg.RetryPolicy(max_retries=1))
def stopped_by_a_person(context: dg.AssetExecutionContext) -> None:
    context.log.info(f"try {context.retry_number}")
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(20)


stopped = dg.Definitions(
    assets=[stopped_by_a_person, _step("cpu_0", LIGHT)],
    jobs=[dg.define_asset_job("stopped")],
    executor=xai_executor,
)
waiting = dg.Definitions(
    assets=[_step("gpu_0", MODEL, waits=600)], jobs=[dg.define_asset_job("waiting")], executor=xai_executor
)


def four_and_two_job():
    return four_and_two.resolve_job_def("four_and_two")


def dying_job():
    return dying.resolve_job_def("dying")


def stopped_job():
    return stopped.resolve_job_def("stopped")


def waiting_job():
    return waiting.resolve_job_def("waiting")


def gpu_tagged(**options):
    return {"execution": {"config": {"gpu_tagged": options}}}


if __name__ == "__main__":
    # Through the module's proper name, by which a step's process can import it.
    from tests.orchestration.device_graph import waiting_job as job

    folder = Path(sys.argv[1])
    config = {"execution": {"config": {sys.argv[2]: {}}}} if len(sys.argv) > 2 else gpu_tagged()
    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(folder), overrides=quiet) as kept:
        dg.execute_job(dg.reconstructable(job), kept, run_config=config, raise_on_error=False)
