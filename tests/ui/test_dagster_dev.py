"""`dagster dev` as people use it: a study is run from the UI's server, and its report downloaded with a click."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import CHECKOUT

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
STUDY = """\
title: "A tiny study"
attribution:
  model: diorama/object
  images: {diorama: {singles: 1, pairs: 0}}
  explain: labelled
  methods: {gradcam: {}}
reports: [cam]
"""
LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(
        not Path(CHROMIUM).exists(), reason=f"no browser at {CHROMIUM}: apt-get install chromium"
    ),
]


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


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """`dagster dev` in an empty folder with the repository's own dagster.yaml; its address and its data folder."""
    home = tmp_path_factory.mktemp("home")
    (home / "data" / "studies").mkdir(parents=True)
    (home / "data" / "studies" / "tiny.yaml").write_text(STUDY, encoding="utf-8")
    shutil.copy(CHECKOUT / "dagster.yaml", home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "XAI_DATA": str(home / "data"),
        "XAI_DEVICE": "cpu",
        "PYTHONPATH": str(CHECKOUT),
    }
    environment.pop("DAGSTER_HOME", None)
    command = [sys.executable, "-m", "dagster", "dev", "-h", "127.0.0.1", "-p", str(port)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-m", "xai_assets.definitions"], cwd=home, env=environment, stdout=log,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for("dagster dev", 180, lambda: urllib.request.urlopen(f"{base}/server_info", timeout=2))
        yield base, home / "data"
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)


@pytest.fixture(scope="module")
def location(server):
    """What names the code location in the server's queries."""
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
    (found,) = wait_for(
        "the code location", 180, lambda: graphql(server[0], query)["repositoriesOrError"].get("nodes")
    )
    return {"repositoryName": found["name"], "repositoryLocationName": found["location"]["name"]}


@pytest.fixture(scope="module")
def finished_run(server, location):
    return run(server[0], location, {})


def run(base, location, config):
    """Run the tiny study with this config from the server; how it ended."""
    tags = [{"key": "dagster/partition", "value": "tiny"}]
    parameters = {
        "selector": location | {"jobName": "study"},
        "runConfigData": config,
        "mode": "default",
        "executionMetadata": {"tags": tags},
    }
    launched = graphql(base, LAUNCH, params=parameters)["launchRun"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    run_id = launched["run"]["runId"]
    query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"

    def ended():
        status = graphql(base, query, id=run_id)["runOrError"]["status"]
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    return wait_for("the run", 400, ended)


def test_a_run_from_the_server_succeeds_and_leaves_its_report(server, finished_run):
    assert finished_run == "SUCCESS"
    assert (server[1] / "reports" / "tiny" / "cam.pdf").read_bytes().startswith(b"%PDF")
    assert (server[1] / "dagster" / "history").is_dir()  # history lasts: it is not in a temporary folder


def test_a_run_may_choose_a_process_for_each_step(server, location, finished_run):
    config = {"execution": {"config": {"gpu_tagged": {"max_concurrent": 2}}}}
    assert run(server[0], location, config) == "SUCCESS"


def test_what_starts_work_starts_stopped(server, location):
    query = """query($where: RepositorySelector!) { sensorsOrError(repositorySelector: $where) {
        ... on Sensors { results { name sensorState { status } } } } }"""
    found = graphql(server[0], query, where=location)["sensorsOrError"]["results"]
    assert {sensor["name"]: sensor["sensorState"]["status"] for sensor in found} == {
        "changed_images": "STOPPED",
        "changed_models": "STOPPED",
        "default_automation_condition_sensor": "STOPPED",
        "lost_runs": "RUNNING",
    }


def test_dead_runs_are_looked_for(server, location):
    query = """query($which: SensorSelector!) { sensorOrError(sensorSelector: $which) {
        ... on Sensor { sensorState { ticks { status skipReason error { message } } } } } }"""
    which = location | {"sensorName": "lost_runs"}

    def ticks():
        return graphql(server[0], query, which=which)["sensorOrError"]["sensorState"]["ticks"]

    (tick, *_) = wait_for("a tick of lost_runs", 90, ticks)
    assert tick == {"status": "SKIPPED", "skipReason": "every run in progress has its process", "error": None}


def test_the_report_is_one_click_away_in_a_real_browser(server, finished_run, tmp_path):
    from playwright.sync_api import sync_playwright

    base, data = server
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        page = browser.new_context(viewport={"width": 1500, "height": 1100}, accept_downloads=True).new_page()
        page.goto(f"{base}/assets/cam_report?partition=tiny&view=partitions")
        link = page.get_by_text("Download PDF").first
        link.wait_for(timeout=90_000)
        with page.expect_download(timeout=60_000) as download:
            link.click()
        download.value.save_as(tmp_path / "cam.pdf")
        browser.close()
    assert (tmp_path / "cam.pdf").read_bytes() == (data / "reports" / "tiny" / "cam.pdf").read_bytes()


def test_maps_are_seen_on_their_assets_page(server, finished_run):
    from playwright.sync_api import sync_playwright

    base, _ = server
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        page = browser.new_context(viewport={"width": 1500, "height": 1100}).new_page()
        page.goto(f"{base}/assets/gradcam_masks?partition=tiny&view=partitions")
        strip = page.locator("img[src*='/logs/pictures/tiny/gradcam_masks/png']").first
        strip.wait_for(timeout=90_000)
        drawn = "image => image.complete && image.naturalWidth"
        width = wait_for("the picture", 30, lambda: strip.evaluate(drawn))
        text = page.inner_text("body")
        browser.close()
    assert width == 160  # one map
    assert "images_per_second" in text and "device" in text
