"""Steps with devices: one each, none for the others, freed however a step ends; without a device, on the CPU."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.api import execute_run_iterator

from tests.conftest import CHECKOUT
from tests.orchestration import device_graph as graph
from xai_assets.errors import XaiError
from xai_assets.execution.history import QUIET
from xai_assets.execution.locks import try_lock
from xai_assets.execution.run_lock import locks_folder, sweep
from xai_assets.settings import Settings


@pytest.fixture
def instance(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("XAI_DEVICE", raising=False)
    (tmp_path / "home").mkdir()
    quiet = {"telemetry": {"enabled": False}}
    with dg.DagsterInstance.local_temp(str(tmp_path / "home"), overrides=quiet) as kept:
        yield kept


def run(job, instance, config):
    """The run's success, what each step said of itself, and all messages of the run."""
    with dg.execute_job(dg.reconstructable(job), instance, run_config=config, raise_on_error=False) as result:
        messages = [entry.message for entry in instance.all_logs(result.run_id)]
        messages += [
            event.job_failure_data.error.message
            for event in result.all_events
            if event.is_job_failure and event.job_failure_data.error
        ]
        ran = {
            event.step_key: event.step_materialization_data.materialization.metadata["ran"].value
            for event in result.all_events
            if event.is_step_materialization
        }
        return result.success, ran, messages


def at_once(steps):
    """The most of the steps that ran at one moment."""
    return max(sum(a["from"] <= b["from"] < a["to"] for a in steps) for b in steps)


def overlap(a, b):
    return a["from"] < b["to"] and b["from"] < a["to"]


def test_four_steps_share_two_devices_and_the_others_have_none(instance, monkeypatch):
    monkeypatch.setenv("XAI_DEVICES", "first,second")
    success, ran, messages = run(graph.four_and_two_job, instance, graph.gpu_tagged(max_concurrent=4))
    assert success
    heavy = [ran[f"gpu_{n}"] for n in range(4)]
    light = [ran[f"cpu_{n}"] for n in range(2)]
    assert at_once(heavy) == 2
    assert {step["visible"] for step in heavy} == {"first", "second"}
    for number, one in enumerate(heavy):
        assert all(one["visible"] != other["visible"] for other in heavy[:number] if overlap(one, other))
    assert all((step["visible"], step["wanted"]) == ("", "cpu") for step in light)
    assert any(overlap(step, other) for step in light for other in heavy)
    assert all(step["torch"] for step in ran.values())  # the fork server had imported it
    assert any("4 steps are for a GPU" in message and "(second)" in message for message in messages)


def test_without_a_device_they_run_on_the_cpu_one_at_a_time_and_it_is_said(instance, monkeypatch):
    monkeypatch.setenv("XAI_DEVICES", "")
    success, ran, messages = run(graph.four_and_two_job, instance, graph.gpu_tagged(max_concurrent=3))
    assert success
    heavy = [ran[f"gpu_{n}"] for n in range(4)]
    assert at_once(heavy) == 1
    assert all((step["visible"], step["wanted"]) == ("", "cpu") for step in ran.values())
    assert any(
        "No GPU (XAI_DEVICES lists 0): 4 steps that would use one run on the CPU, 1 at a time." in message
        for message in messages
    )


def test_without_a_device_a_run_may_fail_instead_by_name(instance, monkeypatch):
    monkeypatch.setenv("XAI_DEVICES", "")
    success, ran, messages = run(graph.four_and_two_job, instance, graph.gpu_tagged(on_no_gpu="fail"))
    assert not success
    assert not ran
    (failure,) = [message for message in messages if "on_no_gpu" in message]
    assert "gpu_0" in failure and "XAI_DEVICES lists 0" in failure
    with pytest.raises(XaiError, match="on_no_gpu: cpu"):
        dg.execute_job(
            dg.reconstructable(graph.four_and_two_job),
            instance,
            run_config=graph.gpu_tagged(on_no_gpu="fail"),
            raise_on_error=True,
        )


def test_who_asks_for_cuda_by_name_gets_no_cpu(instance, monkeypatch):
    monkeypatch.setenv("XAI_DEVICES", "")
    monkeypatch.setenv("XAI_DEVICE", "cuda")
    success, ran, messages = run(graph.four_and_two_job, instance, graph.gpu_tagged())
    assert not success
    assert not ran
    assert [message for message in messages if "there is no device" in message]


def test_a_run_that_does_not_choose_gets_what_the_settings_say(instance, monkeypatch):
    monkeypatch.setenv("XAI_DEVICES", "")
    monkeypatch.setenv("XAI_EXECUTOR", "celery")
    monkeypatch.delenv("XAI_BROKER", raising=False)
    with pytest.raises(Exception, match="Set XAI_BROKER=redis://"):
        dg.execute_job(dg.reconstructable(graph.four_and_two_job), instance, raise_on_error=True)
    monkeypatch.setenv("XAI_EXECUTOR", "gpu_tagged")
    success, _, messages = run(graph.four_and_two_job, instance, {"execution": {"config": {"auto": {}}}})
    assert success
    assert any("No GPU (XAI_DEVICES lists 0)" in message for message in messages)


def test_an_executor_that_is_not_known_is_named(monkeypatch):
    monkeypatch.setenv("XAI_EXECUTOR", "ray")
    with pytest.raises(XaiError, match=r"XAI_EXECUTOR is 'ray'.*auto, in_process, gpu_tagged or celery"):
        Settings.from_environment()


def test_a_killed_step_frees_its_device_for_its_retry_and_for_others(instance, monkeypatch):
    monkeypatch.setenv("XAI_DEVICES", "only")
    success, ran, messages = run(graph.dying_job, instance, graph.gpu_tagged())
    assert success, messages
    assert {step["visible"] for step in ran.values()} == {"only"}
    assert any("terminated by signal 9" in message for message in messages)
    assert not overlap(ran["gpu_0"], ran["gpu_1"])


def test_a_stopped_step_in_process_is_not_tried_again_and_stops_the_run(instance):
    job = dg.reconstructable(graph.stopped_job)
    run = instance.create_run_for_job(
        job.get_definition(),
        run_config={"execution": {"config": {"in_process": {}}}},
        job_code_origin=job.get_python_origin(),
    )
    began = time.monotonic()
    events = list(execute_run_iterator(job, run, instance))
    assert time.monotonic() - began < 15
    messages = [entry.message for entry in instance.all_logs(run.run_id)]
    assert "try 0" in messages and "try 1" not in messages
    assert events[-1].is_run_failure  # the UI's server says first that it cancels it; then it is canceled


def lives(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"  # a zombie holds nothing


def wait_for(look, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise TimeoutError


@pytest.fixture
def waiting_run(tmp_path, instance, monkeypatch):
    """A run in a process of its own, whose step waits for ten minutes: the process, and the step's."""
    monkeypatch.setenv("XAI_DEVICES", "only")
    folder = tmp_path / "other"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder), overrides=QUIET) as other:
        other.get_run_records()  # makes the databases: two processes must not do that at once
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.orchestration.device_graph", str(folder)], cwd=CHECKOUT,
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip

        def said(what):
            return [
                entry.message
                for record in other.get_run_records()
                for entry in other.all_logs(record.dagster_run.run_id)
                if entry.message.startswith(what)
            ]

        try:
            yield worker, other, said
        finally:
            worker.kill()
            worker.wait()


def test_a_step_dies_with_its_run_worker_and_its_device_is_free(waiting_run, tmp_path):
    worker, _, said = waiting_run
    (message,) = wait_for(lambda: said("pid "))
    step = int(message.split()[1])
    lock = tmp_path / "locks" / "only.lock"
    assert try_lock(lock) is None
    worker.kill()
    worker.wait()
    handle = wait_for(lambda: try_lock(lock), 10)
    os.close(handle)
    wait_for(lambda: not lives(step), 10)


def test_a_run_whose_process_was_killed_is_ended_once_and_a_living_one_is_left(waiting_run, tmp_path):
    worker, other, said = waiting_run
    folder = locks_folder(Settings.from_environment())
    wait_for(lambda: said("pid "))
    assert sweep(other, folder) == []
    worker.kill()
    worker.wait()
    (record,) = other.get_run_records()
    assert record.dagster_run.status is dg.DagsterRunStatus.STARTED  # Dagster does not notice
    assert sweep(other, folder) == [record.dagster_run.run_id]
    assert other.get_run_by_id(record.dagster_run.run_id).status is dg.DagsterRunStatus.FAILURE
    assert said("The run's process is gone")
    assert sweep(other, folder) == []
    assert not list(folder.glob("*.lock"))


def test_a_run_that_waits_for_a_device_can_be_stopped(waiting_run, tmp_path):
    worker, other, said = waiting_run
    handle = wait_for(lambda: try_lock(tmp_path / "locks" / "only.lock"))
    try:
        wait_for(lambda: said("1 steps are for a GPU"))
        (record,) = other.get_run_records()
        other.report_run_canceling(record.dagster_run)  # as the UI does before it sends the signal
        worker.send_signal(signal.SIGINT)
        worker.wait(20)
        assert said("Stopped while it waited for a device")
        (record,) = other.get_run_records()
        assert record.dagster_run.status is dg.DagsterRunStatus.CANCELED
    finally:
        os.close(handle)


@pytest.mark.parametrize("field", ["cpu_slots", "max_concurrent"])
@pytest.mark.parametrize("number", [0, -1, 1025, 10**12, {"env": "XAI_TEST_NUMBER"}])
def test_a_count_that_no_run_can_have_is_refused_by_name_before_the_run(field, number, monkeypatch):
    monkeypatch.setenv("XAI_TEST_NUMBER", "0")
    config = {"execution": {"config": {"gpu_tagged": {field: number}}}}
    with pytest.raises(dg.DagsterInvalidConfigError, match=f"{field} is .*from 1 to 1024"):
        dg.validate_run_config(graph.waiting_job(), config)
    config["execution"]["config"]["gpu_tagged"][field] = 2
    assert dg.validate_run_config(graph.waiting_job(), config)
