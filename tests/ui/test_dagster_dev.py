"""`xai ui` as people use it: a study is run from the UI's server, and its report downloaded with a click."""

import pytest

from tests.ui.dagster_dev import graphql, run, wait_for

pytestmark = pytest.mark.ui


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
        found = graphql(server[0], query, which=which)["sensorOrError"]["sensorState"]["ticks"]
        return [tick for tick in found if tick["status"] != "STARTED"]

    (tick, *_) = wait_for("a tick of lost_runs", 90, ticks)
    assert tick == {"status": "SKIPPED", "skipReason": "every run in progress has its process", "error": None}


def test_the_report_is_one_click_away_in_a_real_browser(server, finished_run, page, tmp_path):
    base, data = server
    page.goto(f"{base}/assets/cam_report?partition=tiny&view=partitions")
    link = page.get_by_text("Download PDF").first
    link.wait_for(timeout=90_000)
    with page.expect_download(timeout=60_000) as download:
        link.click()
    download.value.save_as(tmp_path / "cam.pdf")
    assert (tmp_path / "cam.pdf").read_bytes() == (data / "reports" / "tiny" / "cam.pdf").read_bytes()


def test_maps_are_seen_on_their_assets_page(server, finished_run, page):
    base, _ = server
    page.goto(f"{base}/assets/gradcam_masks?partition=tiny&view=partitions")
    strip = page.locator("img[src*='/logs/pictures/tiny/gradcam_masks/png']").first
    strip.wait_for(timeout=90_000)
    drawn = "image => image.complete && image.naturalWidth"
    assert wait_for("the picture", 30, lambda: strip.evaluate(drawn)) == 160  # one map
    text = page.inner_text("body")
    assert "images_per_second" in text and "device" in text


def test_curves_are_seen_on_the_page_of_faithfulness(server, finished_run, page):
    base, _ = server
    page.goto(f"{base}/assets/faithfulness?partition=tiny&view=partitions")
    chart = page.locator("img[src*='/logs/pictures/tiny/faithfulness/png']").first
    chart.wait_for(timeout=90_000)
    drawn = "image => image.complete && image.naturalWidth"
    assert wait_for("the picture", 30, lambda: chart.evaluate(drawn)) > 300
    assert "dashed: the least relevant" in page.inner_text("body")
