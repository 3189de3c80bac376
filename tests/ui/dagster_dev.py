"""A real `xai ui`, and the questions that tests put to its server."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

from tests.conftest import CHECKOUT

LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""


UI = (sys.executable, "-m", "xai_assets", "ui")


@contextmanager
def xai_ui(home):
    """`xai ui` in the folder `home`, whose `data` has the studies; its address."""
    process, base = start(home, *UI)
    try:
        wait_for("xai ui", 180, lambda: urllib.request.urlopen(f"{base}/server_info", timeout=2))
        yield base
    finally:
        stop(process)


def start(home, *program):
    """Start a server with its options, in a session of its own: the process and the address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "XAI_DATA": str(home / "data"),
        "XAI_DEVICE": "cpu",
        "PYTHONPATH": str(CHECKOUT),
    }
    environment.pop("DAGSTER_HOME", None)
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*program, "--host", "127.0.0.1", "--port", str(port)], cwd=home, env=environment, stdout=log,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    return process, f"http://127.0.0.1:{port}"


def stop(process):
    """End it as Ctrl-C does, or where it does not listen, with everything that it started."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)


def graphql(base, query, **variables):
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(f"{base}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["data"]


def wait_for(what, seconds, look):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = look()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(0.5)
    raise TimeoutError(f"{what}: not within {seconds} s")


def code_location(base):
    """What names the code location in the server's queries, when it has loaded."""
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
    (found,) = wait_for(
        "the code location", 180, lambda: graphql(base, query)["repositoriesOrError"].get("nodes")
    )
    return {"repositoryName": found["name"], "repositoryLocationName": found["location"]["name"]}


def launch(base, location, study, config):
    """Launch a run of the study with this config from the server; its id."""
    parameters = {
        "selector": location | {"jobName": "study"},
        "runConfigData": config,
        "mode": "default",
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": study}]},
    }
    launched = graphql(base, LAUNCH, params=parameters)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    return launched["run"]["runId"]


def run(base, location, config, study="tiny"):
    """Run the study with this config from the server; how it ended."""
    run_id = launch(base, location, study, config)
    query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"

    def ended():
        status = graphql(base, query, id=run_id)["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    return wait_for("the run", 400, ended)
