"""A run as `xai run` makes it, of steps that only wait, for tests that stop it: python -m ... FOLDER EXECUTOR GRAPH."""

import os
import sys
import time

import dagster as dg
from dagster._core.execution.api import execute_run_iterator

from xai_assets.execution import capture, counts
from xai_assets.execution.executor import xai_executor
from xai_assets.execution.op_tags import MODEL
from xai_assets.execution.stopping import asked_to_stop, stoppable


@dg.asset(op_tags=MODEL, retry_policy=dg.RetryPolicy(max_retries=1))
def waits() -> None:
    print("a step's own words", file=sys.stderr, flush=True)
    count = counts.writer("waits")
    assert count is not None
    count(3, 12)
    print("counted", file=sys.stderr, flush=True)
    time.sleep(600)


@dg.asset(op_tags=MODEL)
def deaf() -> None:
    while True:
        try:
            time.sleep(600)
        except BaseException:
            continue


@dg.asset(op_tags=MODEL)
def swallows() -> None:
    try:
        time.sleep(600)
    except BaseException:
        time.sleep(600)  # as a destructor does, that must not raise


@dg.asset(op_tags=MODEL)
def after(waits) -> None:
    """Never begins."""


graph = dg.Definitions(
    assets=[waits, after, deaf, swallows],
    jobs=[
        dg.define_asset_job("waiting", [waits, after]),
        dg.define_asset_job("deaf_one", [deaf]),
        dg.define_asset_job("swallowing", [swallows]),
    ],
    executor=xai_executor,
)


def waiting():
    return graph.resolve_job_def("waiting")


def swallowing():
    return graph.resolve_job_def("swallowing")


def deaf_one():
    return graph.resolve_job_def("deaf_one")


def main(folder, executor, name):
    from tests.orchestration import stopped_run

    terminal = os.fdopen(os.dup(1), "w")  # descriptor 1 is a file while a step runs

    def say(*words):
        print(*words, file=terminal, flush=True)

    with dg.DagsterInstance.local_temp(folder, overrides={"telemetry": {"enabled": False}}) as instance:
        job = dg.reconstructable(getattr(stopped_run, name))
        definition = job.get_definition()
        run = instance.create_run_for_job(
            definition,
            run_config={
                "execution": {"config": {executor: {}}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            job_code_origin=job.get_python_origin(),
        )
        with (
            counts.collected() as read,
            stoppable(lambda: say("asked", read("waits")), lambda: os._exit(99)),
            capture.quiet(),
        ):
            for event in execute_run_iterator(job, run, instance):
                say(event.event_type_value, event.step_key)
        say("status", instance.get_run_by_id(run.run_id).status.value, asked_to_stop())


if __name__ == "__main__":
    main(*sys.argv[1:])
