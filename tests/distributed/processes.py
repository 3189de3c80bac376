"""Servers and workers of a test: started in its own folder, and ended by their own ids, however the test ends."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

SECONDS_TO_START = 30


def need(*programs):
    """Skip where a program of the system is missing, and say what to install."""
    packages = {"redis-server": "redis-server", "postgres": "postgresql", "ip": "iproute2"}
    absent = [name for name in programs if program(name) is None]
    if absent:
        names = " ".join(packages[name] for name in absent)
        pytest.skip(f"{', '.join(absent)} is missing: apt-get install -y {names}")


def program(name):
    """Where a program is; Debian keeps PostgreSQL's own out of the way."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


def wait_for(look, seconds=SECONDS_TO_START, every=0.1):
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(every)
    raise TimeoutError(f"not within {seconds} s")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def running(command, log, **options):
    """A process in a group of its own, its output in `log`; the group is ended with the block."""
    with Path(log).open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **options,
        )
    try:
        yield process
    finally:
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, sign)
            except ProcessLookupError:
                break
            try:
                process.wait(10 if sign == signal.SIGTERM else None)
            except subprocess.TimeoutExpired:
                continue
        process.wait()


@contextmanager
def redis(folder, address="127.0.0.1", port=None, within=()):
    """A Redis of its own; gives its URL."""
    folder.mkdir()
    port = port or free_port()
    command = [
        *within, program("redis-server"), "--bind", address, "--port", port, "--dir", folder, "--save", "",
        "--protected-mode", "no",
    ]  # fmt: skip
    log = folder / "log"
    with running(command, log):
        wait_for(lambda: "Ready to accept connections" in log.read_text(encoding="utf-8"))
        yield f"redis://{address}:{port}/0"


@contextmanager
def worker(folder, name, *queues, environment, within=(), restart=False):
    """`xai worker` for these queues, and once it is ready its process; with `restart`, started anew when it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "xai_assets", "worker", "--name", name]
    for queue in queues:
        command += ["--queue", queue]
    if restart:
        command = ["sh", "-c", 'while true; do "$@"; done', "sh", *command]
    with running(
        [*within, *command], log, cwd=CHECKOUT, env={**environment, "XAI_TEST_WORKER": name}
    ) as process:
        wait_for(lambda: " ready." in log.read_text(encoding="utf-8"), 120)
        yield process
