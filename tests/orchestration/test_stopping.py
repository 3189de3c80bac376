"""A run that a person stops ends as cancelled, by any signal and under any executor, and says nothing on the way."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import CHECKOUT


@pytest.fixture
def start(tmp_path):
    begun = []

    def run(executor, graph="waiting"):
        said, log = (tmp_path / "said").open("wb"), (tmp_path / "log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.orchestration.stopped_run", str(tmp_path), executor, graph],
            cwd=CHECKOUT, stdout=said, stderr=log, start_new_session=True,
            env=os.environ | {"XAI_DATA": str(tmp_path / "data"), "XAI_LOCKS": str(tmp_path / "locks"),
                              "XAI_DEVICES": "", "PYTHONPATH": str(CHECKOUT)},
            preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGHUP)],
        )  # fmt: skip
        begun.append(process)
        return process

    yield run
    for process in begun:
        process.kill()
        process.wait()


def wait_for(path, what, process):
    end = time.monotonic() + 120
    while what not in path.read_text(encoding="utf-8") and process.poll() is None:
        assert time.monotonic() < end, path.read_text(encoding="utf-8")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("executor", "number"),
    [
        ("in_process", signal.SIGTERM),
        ("gpu_tagged", signal.SIGINT),
        pytest.param("in_process", signal.SIGINT, marks=pytest.mark.slow),
        pytest.param("in_process", signal.SIGHUP, marks=pytest.mark.slow),
        pytest.param("gpu_tagged", signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param("gpu_tagged", signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_a_run_that_is_stopped_is_cancelled_without_a_word(start, tmp_path, executor, number):
    process = start(executor)
    wait_for(tmp_path / "said", "STEP_START waits", process)
    for _ in range(600):
        if "counted" in "".join(file.read_text() for file in tmp_path.rglob("*.err")) or process.poll():
            break
        time.sleep(0.1)
    os.killpg(process.pid, number)  # to all its processes, as a terminal does
    assert process.wait(120) == 0
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert said.splitlines()[-1] == "status CANCELED True", said
    assert "asked (3, 12)" in said and "STEP_SUCCESS" not in said and "STEP_START after" not in said
    assert (tmp_path / "log").read_text(encoding="utf-8") == ""


def test_a_request_that_is_lost_on_its_way_is_sent_again(start, tmp_path):
    process = start("in_process", "swallowing")
    wait_for(tmp_path / "said", "STEP_START swallows", process)
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 0  # and not 99: it is no second Ctrl-C
    assert (tmp_path / "said").read_text(encoding="utf-8").splitlines()[-1] == "status CANCELED True"


def test_a_second_ctrl_c_is_heard_though_the_step_does_not_listen(start, tmp_path):
    process = start("in_process", "deaf_one")
    wait_for(tmp_path / "said", "STEP_START deaf", process)
    process.send_signal(signal.SIGINT)
    wait_for(tmp_path / "said", "asked", process)
    for _ in range(100):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
    assert process.returncode == 99
    assert (tmp_path / "log").read_text(encoding="utf-8") == ""


NOHUP = """
import os, signal
from xai_assets.execution.stopping import asked_to_stop, stoppable
with stoppable(lambda: None, lambda: None):
    os.kill(os.getpid(), signal.SIGHUP)
print(asked_to_stop())
"""


def test_nohup_is_respected():
    ran = subprocess.run(
        [sys.executable, "-c", NOHUP], cwd=CHECKOUT, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    assert ran.stdout == "False\n", ran.stderr
