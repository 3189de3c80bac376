"""Twenty kills at random points of a smaller demo: the next run finishes, and leaves what an undisturbed run leaves.

Victims are the run's process, the process of one of its steps, and the processes of `dagster dev` while a run that was
started there is on its way. What such a run goes on to do by itself happens beside the next one.
"""

import os
import random
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from dagster import DagsterRunStatus

from tests.conftest import CHECKOUT
from tests.faults import results
from tests.faults.processes import kill, of_session, steps_of
from tests.ui.dagster_dev import code_location, launch, start, wait_for
from xai_assets.analysis.pruning import stale
from xai_assets.cli_run import open_instance
from xai_assets.execution.run_lock import IN_PROGRESS, locks_folder, sweep
from xai_assets.settings import Settings

SEED = 20
KILLS = 20
SOONEST, LATEST = 2.0, 16.0
"""Seconds between the begin of a run and the kill."""

DEV = (sys.executable, "-m", "dagster", "dev", "-m", "xai_assets.definitions")
"""Each of its processes is of one session, where `xai ui` gives the daemon one of its own."""

STUDY = "smaller"
SMALLER = {
    "count: 1000": "count: 300", "concepts: diorama\n": "concepts: diorama\n  netdissect: {shuffle_images: 50}\n",
    "singles: 9, pairs: 3": "singles: 4, pairs: 1", "num_samples: 500": "num_samples: 150",
}  # fmt: skip
"""The demo with fewer images: every step is there, and as many runs at once as a killed server leaves end in minutes."""

SERVER = ("dagster dev", "dagster code-server", "dagster api grpc", "dagster_webserver", "dagster._daemon")
pytestmark = pytest.mark.slow


class Shaker:
    """Runs the demo in `home` and kills.

    Attributes:
        kills: what was killed: kind of victim, and seconds after the run's begin.
    """

    def __init__(self, home, chance):
        self.home, self.chance, self.kills = home, chance, []
        self._run, self._began, self._sessions = None, 0.0, []

    def begin(self, executor):
        """`xai run demo` in a session of its own."""
        environment = os.environ | {
            "XAI_DATA": str(self.home / "data"), "XAI_DEVICE": "cpu", "XAI_LOCKS": str(self.home / "locks"),
            "DAGSTER_HOME": "", "PYTHONPATH": str(CHECKOUT),
        }  # fmt: skip
        with (self.home / "said").open("ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "xai_assets", "run", STUDY, "--executor", executor], cwd=self.home,
                env=environment, stdout=said, stderr=said, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        self._sessions.append(process.pid)
        return process

    def run_worker(self):
        """Kill the process of a run; those of its steps go with it."""
        run = self._running(self.chance.choice(["in_process", "gpu_tagged"]))
        if self._wait(run) and kill(run.pid):
            self._note("run worker")
            run.wait()
            wait_for("its steps to be gone", 15, lambda: not steps_of(run.pid))

    def step(self):
        """Kill the process of a step; the run goes on, with another try or without the step."""
        run = self._running("gpu_tagged")
        if self._wait(run):
            steps = wait_for("a step", 240, lambda: run.poll() is not None or steps_of(run.pid))
            if steps is not True and kill(self.chance.choice(steps).pid):
                self._note("step")

    def web_server(self):
        """Kill a process of `dagster dev` while a run from there is on its way, and perhaps all that is left."""
        server, base = start(self.home, *DEV)
        self._sessions.append(server.pid)
        location = wait_for("the code location", 60, lambda: code_location(base))
        executor = self.chance.choice(["in_process", "gpu_tagged"])
        launch(base, location, STUDY, {"execution": {"config": {executor: {}}}})
        self._began = time.monotonic()
        time.sleep(self.chance.uniform(SOONEST, LATEST))
        name = self.chance.choice(SERVER)
        (victim,) = [process for process in of_session(server.pid) if name in process.command]
        assert kill(victim.pid)
        self._note(name)
        if self.chance.random() < 0.5:
            self._end(server.pid)

    def settle(self):
        """Wait for all that goes on by itself: as many as ten whole runs at once on two cores."""
        wait_for("all runs to end", 1800, lambda: not any(map(self._at_work, self._sessions)))

    def end(self):
        """Leave nothing behind."""
        for session in self._sessions:
            self._end(session)

    def _running(self, executor):
        """The run that goes on after a step was killed, or a new one."""
        if self._run is None or self._run.poll() is not None:
            self._run, self._began = self.begin(executor), time.monotonic()
        return self._run

    def _wait(self, run):
        """Some seconds; whether the run is still there then."""
        try:
            run.wait(self.chance.uniform(SOONEST, LATEST))
        except subprocess.TimeoutExpired:
            return True
        return False

    def _note(self, victim):
        self.kills.append((victim, round(time.monotonic() - self._began, 1)))

    def _end(self, session):
        for process in of_session(session):
            kill(process.pid)

    def _at_work(self, session):
        """Whether a run goes on there: a server without one stays, and names the package too."""
        return any(
            "multiprocessing" in p.command or "xai_assets run" in p.command for p in of_session(session)
        )


def test_after_twenty_kills_the_next_run_leaves_what_an_undisturbed_one_leaves(tmp_path):
    chance = random.Random(SEED)
    calm, shaken = tmp_path / "calm", tmp_path / "shaken"
    for home in (calm, shaken):
        _write_study(home / "data" / "studies")
    _allow_runs_at_once(shaken)
    undisturbed, shaker = Shaker(calm, chance), Shaker(shaken, chance)
    try:
        while len(shaker.kills) < KILLS:
            chance.choice([shaker.run_worker, shaker.step, shaker.web_server])()
        shaker.settle()
        assert shaker.begin("auto").wait(900) == 0, (shaken / "said").read_text(encoding="utf-8")
        print(*shaker.kills, sep="\n")
        assert undisturbed.begin("auto").wait(900) == 0
    finally:
        shaker.end()
        undisturbed.end()
    assert {"run worker", "step"} < {victim for victim, _ in shaker.kills}
    _held_against(shaken / "data", calm / "data")
    _recorded(shaken / "data")


def _write_study(folder):
    text = (CHECKOUT / "data" / "studies" / "demo.yaml").read_text(encoding="utf-8")
    for shipped, smaller in SMALLER.items():
        assert text.count(shipped) == 1
        text = text.replace(shipped, smaller)
    folder.mkdir(parents=True)
    (folder / f"{STUDY}.yaml").write_text(text, encoding="utf-8")


def _allow_runs_at_once(home):
    """The instance as it is shipped, but that no run of a killed server waits for those before it to end."""
    shipped = (CHECKOUT / "dagster.yaml").read_text(encoding="utf-8")
    assert shipped.count("max_concurrent_runs: 2\n") == 1
    at_once = shipped.replace("max_concurrent_runs: 2\n", f"max_concurrent_runs: {KILLS}\n")
    (home / "dagster.yaml").write_text(at_once, encoding="utf-8")


def _held_against(shaken, calm):
    """No row is lost or doubled, no artifact is torn."""
    expected = results.tables(calm)
    found = results.tables(shaken)
    assert found.keys() == expected.keys() and sum(map(len, expected.values())) > 1000
    for name, rows in expected.items():
        assert found[name] == rows, name
    for name, frame in results.frames(calm).items():
        pd.testing.assert_frame_equal(results.frames(shaken)[name], frame)
    assert results.artifacts(shaken) >= {a for a in results.artifacts(calm) if not a.startswith("snapshots/")}
    for name in results.artifacts(shaken):
        arrays, meta = results.artifact(shaken, name)  # decodes
        if name in results.artifacts(calm):
            wanted, said = results.artifact(calm, name)
            assert arrays.keys() == wanted.keys() and meta == said, name
            for key, array in wanted.items():
                np.testing.assert_array_equal(arrays[key], array, err_msg=f"{name} {key}")
    assert results.reports(shaken).keys() == results.reports(calm).keys()


def _recorded(data):
    """Every run has its end in the history, the last one a success; what is left of interrupted writes may go."""
    settings = Settings.from_environment({"XAI_DATA": str(data)})
    with open_instance(data / "dagster") as instance:
        sweep(instance, locks_folder(settings))
        runs = [record.dagster_run for record in instance.get_run_records()]
    assert runs[0].status is DagsterRunStatus.SUCCESS
    assert not [run for run in runs if run.status in IN_PROGRESS]
    left = stale(settings, data / "dagster" / "storage", days=1, now=time.time() + 2 * 86_400)
    assert {item.path for item in left.stale} >= set(results.parts(data))
