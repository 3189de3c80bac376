"""Runs by real workers with a real Redis on this host: queues, a lost worker, a step that kills every worker."""

import os
import signal
import sys
from contextlib import ExitStack

import dagster as dg
import pytest

from tests.conftest import CHECKOUT
from tests.distributed import graph
from tests.distributed.processes import need, redis, running, wait_for, worker

pytestmark = pytest.mark.slow
LOST_AFTER = 6


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Starts workers, each with the queues given, beside a Redis."""
    need("redis-server")
    (tmp_path / "marks").mkdir()
    (tmp_path / "home").mkdir()
    with ExitStack() as stack:
        broker = stack.enter_context(redis(tmp_path / "redis"))
        for name, value in {
            "XAI_BROKER": broker,
            "XAI_LOST_AFTER": str(LOST_AFTER),
            "XAI_DATA": str(tmp_path / "data"),
            "XAI_LOCKS": str(tmp_path / "locks"),
            "XAI_DEVICES": "",
            "XAI_TEST_MARKS": str(tmp_path / "marks"),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("XAI_DEVICE", raising=False)
        monkeypatch.delenv("DAGSTER_HOME", raising=False)

        def begin(name, *queues, restart=False, **environment):
            return stack.enter_context(
                worker(
                    tmp_path / "logs",
                    name,
                    *queues,
                    environment={**os.environ, **environment},
                    restart=restart,
                )
            )

        yield begin


@pytest.fixture
def instance(tmp_path, start):
    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path / "home"), overrides=quiet) as kept:
        kept.get_run_records()  # makes the databases: two processes must not do that at once
        yield kept


def run(job, instance):
    """The run's success, each step's metadata, and all messages."""
    config = {"execution": {"config": {"celery": {}}}}
    with dg.execute_job(dg.reconstructable(job), instance, run_config=config, raise_on_error=False) as result:
        said = {
            event.step_key: {
                name: value.value
                for name, value in event.step_materialization_data.materialization.metadata.items()
            }
            for event in result.all_events
            if event.is_step_materialization
        }
        messages = [entry.message for entry in instance.all_logs(result.run_id)]
        messages += [
            event.step_failure_data.error.message for event in result.all_events if event.is_step_failure
        ]
        return result.success, said, messages


def begun(tmp_path, step):
    return len(list((tmp_path / "marks").glob(f"{step}.*")))


def test_each_step_goes_to_a_worker_of_its_queue_and_only_one_has_a_device(start, instance):
    start("net", "gpu", XAI_DEVICES="only")
    rest = start("rest", "default", "warehouse")
    success, said, messages = run(graph.queues_job, instance)
    assert success, messages
    rest.send_signal(signal.SIGTERM)
    assert rest.wait(30) == 0
    assert {step: found["worker"] for step, found in said.items()} == {
        "net": "net",
        "compare": "rest",
        "load": "rest",
    }
    assert (said["net"]["visible"], said["compare"]["visible"]) == ("only", "")
    assert not [message for message in messages if "No worker listens" in message]


def test_a_killed_workers_step_goes_to_another_once_as_a_retry(start, instance, tmp_path):
    start("one", "gpu", restart=True)
    start("rest", "default")
    success, said, messages = run(graph.lost_job, instance)
    assert success, messages
    assert begun(tmp_path, "dies_once") == 2 and begun(tmp_path, "after") == begun(tmp_path, "beside") == 1
    assert said["dies_once"]["retry"] == 1
    assert [message for message in messages if "after one@" in message and "was lost" in message]


def test_a_step_that_kills_every_worker_fails_and_the_run_ends(start, instance, tmp_path):
    start("one", "gpu", restart=True)
    start("rest", "default")
    success, said, messages = run(graph.always_job, instance)
    assert not success
    assert begun(tmp_path, "dies_always") == 2 and begun(tmp_path, "after") == 0
    assert set(said) == {"beside_0", "beside_1", "beside_2"}
    assert [message for message in messages if "its worker died 2 times, on one@" in message]


def test_a_stopped_run_waits_for_the_step_in_hand_and_for_no_other(start, instance, tmp_path):
    start("one", "gpu")
    command = [sys.executable, "-m", "tests.distributed.graph", str(tmp_path / "home")]
    unignored = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
    with running(command, tmp_path / "run.log", cwd=CHECKOUT, preexec_fn=unignored) as process:
        wait_for(lambda: begun(tmp_path, "first") + begun(tmp_path, "behind"), 60)
        process.send_signal(signal.SIGINT)
        process.wait(30)
    (record,) = instance.get_run_records()
    messages = [entry.message for entry in instance.all_logs(record.dagster_run.run_id)]
    assert record.dagster_run.status is dg.DagsterRunStatus.FAILURE  # CANCELED where the UI has said so first
    assert begun(tmp_path, "first") + begun(tmp_path, "behind") == 1 and begun(tmp_path, "nobody") == 0
    assert [message for message in messages if "No worker listens to warehouse yet" in message]
    assert len([message for message in messages if message.endswith(" was revoked.")]) == 2


def test_a_step_may_take_longer_than_a_worker_may_be_silent(start, instance, tmp_path):
    start("one", "gpu")
    start("other", "gpu")
    success, _, messages = run(graph.long_job, instance)
    assert success, messages
    assert begun(tmp_path, "long") == 1
