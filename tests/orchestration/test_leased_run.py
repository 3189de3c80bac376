"""A run in one process holds a device among all runs of the host, and leaves its process as it was."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import dagster as dg
import pytest

from tests.conftest import CHECKOUT
from tests.orchestration import device_graph as graph
from xai_assets.execution.locks import try_lock

IN_PROCESS = {"execution": {"config": {"in_process": {}}}}
QUIET = {"telemetry": {"enabled": False}}


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """The lock of the only device."""
    monkeypatch.setenv("XAI_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XAI_DEVICES", "only")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "as it was")
    monkeypatch.delenv("XAI_DEVICE", raising=False)
    return tmp_path / "locks" / "only.lock"


@pytest.fixture
def run(tmp_path, lock):
    """Runs the graph of four heavy and two light steps; what each saw, and all messages.

    `when` is called once a message that begins with `said` is in the run's log, in another thread.
    """

    def execute(said=None, when=None, **options):
        with dg.DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance:
            job = dg.reconstructable(graph.four_and_two_job)
            ended = threading.Event()
            waiting = threading.Thread(target=_when, args=(instance, said, when, ended), daemon=True)
            if when is not None:
                instance.get_run_records()  # makes the databases: two threads must not do that at once
                waiting.start()
            with dg.execute_job(job, instance, run_config=IN_PROCESS, **options) as result:
                assert result.success
                ended.set()
                if when is not None:
                    waiting.join(30)
                messages = [entry.message for entry in instance.all_logs(result.run_id)]
                seen = {
                    event.step_key: event.step_materialization_data.materialization.metadata["ran"].value[
                        "visible"
                    ]
                    for event in result.all_events
                    if event.is_step_materialization
                }
        return seen, messages

    return execute


def _when(instance, said, when, ended):
    while not _said(instance, said) and not ended.is_set():
        time.sleep(0.05)
    when()


def free(lock):
    handle = try_lock(lock)
    if handle is not None:
        os.close(handle)
    return handle is not None


def test_all_steps_see_the_device_that_the_run_has_and_nobody_else_gets_it(run, lock):
    during = []
    seen, messages = run(said="Runs on only", when=lambda: during.append(free(lock)))
    assert len(seen) == 6 and set(seen.values()) == {"only"}
    assert "Runs on only, which it has for the whole run." in messages
    assert during == [False]
    assert free(lock) and os.environ["CUDA_VISIBLE_DEVICES"] == "as it was" and "XAI_DEVICE" not in os.environ


def test_it_waits_for_a_device_that_another_run_has(run, lock):
    held = try_lock(lock)
    seen, messages = run(said="Waits for a device", when=lambda: os.close(held))
    assert set(seen.values()) == {"only"}
    waits = messages.index("Waits for a device: other runs on this host have only.")
    assert waits < messages.index("Runs on only, which it has for the whole run.")


def test_a_process_that_had_started_cuda_is_said_to_see_what_it_saw(run, monkeypatch):
    started = SimpleNamespace(cuda=SimpleNamespace(is_initialized=lambda: True))
    monkeypatch.setitem(sys.modules, "torch", started)
    _, messages = run()
    (said,) = [message for message in messages if "for the whole run" in message]
    assert "this process had started CUDA before and still sees as it was" in said


def test_light_steps_need_no_device(run, lock):
    handle = try_lock(lock)
    try:
        seen, messages = run(asset_selection=[dg.AssetKey("cpu_0")])
    finally:
        os.close(handle)
    assert seen == {"cpu_0": "as it was"}
    assert not [message for message in messages if "device" in message]


def test_without_a_device_there_is_nothing_to_hold(run, monkeypatch):
    monkeypatch.setenv("XAI_DEVICES", "")
    seen, messages = run()
    assert set(seen.values()) == {"as it was"}
    assert not [message for message in messages if "for the whole run" in message]


def test_a_run_that_waits_can_be_stopped(tmp_path, lock):
    handle = try_lock(lock)
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance:
        instance.get_run_records()  # makes the databases: two processes must not do that at once
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.orchestration.device_graph", str(tmp_path), "in_process"], cwd=CHECKOUT,
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        try:
            end = time.monotonic() + 60
            while not _said(instance, "Waits for a device") and time.monotonic() < end:
                time.sleep(0.1)
            worker.send_signal(signal.SIGINT)
            worker.wait(20)
        finally:
            worker.kill()
            worker.wait()
            os.close(handle)
        (record,) = instance.get_run_records()
        assert record.dagster_run.is_finished and not record.dagster_run.is_success
        assert not _said(instance, "Runs on only")
    assert free(lock)


def _said(instance, what):
    return [
        entry.message
        for record in instance.get_run_records()
        for entry in instance.all_logs(record.dagster_run.run_id)
        if entry.message.startswith(what)
    ]
