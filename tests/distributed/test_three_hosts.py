"""The demo on a home host and two worker hosts, with Redis, PostgreSQL and a shared address: the same as on one machine.

The hosts see neither each other's folders nor anything but the bridge between them. On the second run a worker is killed
in the middle of a step.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import duckdb
import pytest
from safetensors import safe_open

from tests.conftest import CHECKOUT
from tests.distributed.hosts import FIRST, HOME, SECOND, postgres, three_hosts
from tests.distributed.processes import need, redis, running, wait_for, worker
from tests.test_readme import block

pytestmark = pytest.mark.slow
LOST_AFTER = 10
MEASURED = {"seconds", "device", "peak_memory_mib"}
"""What another run of the same work has others of."""

RUN = [sys.executable, "-m", "xai_assets", "run", "demo"]
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("XAI_", "DAGSTER_"))} | {
    "OMP_NUM_THREADS": "1",
    "XAI_DEVICES": "",
    "DAGSTER_DISABLE_TELEMETRY": "yes",
}


@pytest.fixture(scope="module")
def on_one_machine(tmp_path_factory):
    data = tmp_path_factory.mktemp("one")
    began = time.monotonic()
    subprocess.run(
        [*RUN, "--executor", "in_process"], env=PLAIN | {"XAI_DATA": str(data)}, cwd=CHECKOUT, check=True,
        capture_output=True,
    )  # fmt: skip
    print(f"one machine: {time.monotonic() - began:.0f} s")
    return data


@pytest.fixture
def engine(tmp_path):
    """The three hosts with their servers and workers: what `xai run` needs on the home host, and all logs."""
    need("redis-server", "postgres", "ip")
    with ExitStack() as stack:
        hosts = stack.enter_context(three_hosts(tmp_path))
        home = hosts[HOME]
        broker = stack.enter_context(
            redis(home.folder / "redis", home.address, 6379, within=["ip", "netns", "exec", home.namespace])
        )
        history = stack.enter_context(postgres(home))
        environments = {}
        for host in hosts.values():
            kept = host.folder / "dagster"
            kept.mkdir()
            text = block("yaml", f"dagster.yaml of {'the home' if host is home else 'every other'} host")
            (kept / "dagster.yaml").write_text(text, encoding="utf-8")
            environments[host.name] = PLAIN | {
                "XAI_BROKER": broker,
                "XAI_POSTGRES": history,
                "XAI_ARTIFACTS": f"file://{tmp_path}/shared",
                "XAI_LOST_AFTER": str(LOST_AFTER),
                "XAI_DATA": str(host.folder / "data"),
                "XAI_LOCKS": str(host.folder / "locks"),
                "DAGSTER_HOME": str(kept),
            }
        for host, name, queue in [
            (hosts[FIRST], "gpu-1", "gpu"),
            (hosts[SECOND], "gpu-2", "gpu"),
            (hosts[SECOND], "cpu-2", "default"),
            (home, "home", "warehouse"),
        ]:
            stack.enter_context(
                worker(
                    tmp_path / "logs", name, queue,
                    environment=environments[host.name], within=host.within, restart=True,
                )
            )  # fmt: skip
        yield hosts, environments, tmp_path


@contextmanager
def demo(engine):
    """`xai run demo --executor celery` on the home host: its process and its log."""
    hosts, environments, folder = engine
    log = folder / "run.log"
    command = [*hosts[HOME].within, *RUN, "--executor", "celery"]
    began = time.monotonic()
    with running(command, log, env=environments[HOME], cwd=CHECKOUT) as process:
        yield process
        assert process.wait(900) == 0, log.read_text(encoding="utf-8")
    print(f"three hosts: {time.monotonic() - began:.0f} s\n{log.read_text(encoding='utf-8')}")


def rows(data):
    """table -> its rows as text, without what was measured on the way."""
    found = {}
    with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as connection:
        for (table,) in connection.execute("SELECT table_name FROM information_schema.tables").fetchall():
            frame = connection.execute(f'SELECT * FROM "{table}" ORDER BY ALL').df()
            kept = frame[[column for column in frame.columns if column not in MEASURED]]
            found[table] = kept.sort_values(list(kept.columns)).to_csv(index=False)
    return found


def artifacts(folder):
    """artifact -> its arrays, to the byte, and its metadata without what was measured on the way."""
    found = {}
    for path in sorted(folder.glob("*/??/*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            meta = json.loads(file.metadata()["meta"])
        content = {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in tensors.items()}
        kept = {name: value for name, value in meta.items() if name not in MEASURED}
        found[path.relative_to(folder).as_posix()] = content, kept
    return found


def same(one, data, shared):
    expected, found = rows(one), rows(data)
    assert len(expected) > 10 and found.keys() == expected.keys()
    assert [table for table in expected if found[table] != expected[table]] == []
    expected, found = artifacts(one / "artifacts"), artifacts(shared)
    assert {name.split("/")[0] for name in expected} >= {"maps", "attributions", "activations"}
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def said(folder, name):
    return (folder / "logs" / f"{name}.log").read_text(encoding="utf-8")


def test_the_demo_is_the_same_on_three_hosts(engine, on_one_machine):
    hosts, _, folder = engine
    with demo(engine):
        pass
    data = hosts[HOME].folder / "data"
    same(on_one_machine, data, folder / "shared")
    assert len(list((data / "reports" / "demo").glob("*.pdf"))) == 5
    served = hosts[HOME].folder / "dagster" / "storage" / "reports" / "demo"
    assert len(list(served.glob("*.pdf"))) == 5  # where the web server finds them
    assert all('Step "' in said(folder, name) for name in ("gpu-1", "gpu-2", "cpu-2", "home"))
    for host in (FIRST, SECOND):  # nothing that belongs to the home host was made elsewhere
        assert not list(hosts[host].folder.rglob("*.duckdb")) and not list(hosts[host].folder.rglob("*.pdf"))


def test_a_worker_killed_in_the_middle_changes_nothing(engine, on_one_machine):
    hosts, _, folder = engine
    step = 'Step "unit_activations"'
    with demo(engine):
        name = wait_for(
            lambda: next((name for name in ("gpu-1", "gpu-2") if step in said(folder, name)), None), 300
        )
        time.sleep(2)
        assert said(folder, name).rstrip().splitlines()[-1].count(step)  # it is at it
        os.kill(int(re.findall(r"process (\d+)", said(folder, name))[-1]), signal.SIGKILL)
    same(on_one_machine, hosts[HOME].folder / "data", folder / "shared")
    lines = [line for n in ("gpu-1", "gpu-2") for line in said(folder, n).splitlines() if step in line]
    assert len(lines) == 2 and sum(f"after {name}@" in line for line in lines) == 1
