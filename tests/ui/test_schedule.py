"""A schedule that a person switches on in the UI ticks, and its tick runs the study."""

import pytest

from tests.ui.dagster_dev import graphql, wait_for

STATE = """query($which: ScheduleSelector!) { scheduleOrError(scheduleSelector: $which) { ... on Schedule {
    scheduleState { status ticks { status runIds error { message } } } } } }"""
RUNS = """{ runsOrError(filter: {tags: [{key: "dagster/schedule_name", value: "every_minute_schedule"}]}) {
    ... on Runs { results { runId status tags { key value } } } } }"""
pytestmark = pytest.mark.ui


def test_a_schedule_switched_on_by_a_click_ticks_and_runs_its_study(server, location, page):
    base, data = server
    which = location | {"scheduleName": "every_minute_schedule"}

    def state():
        return graphql(base, STATE, which=which)["scheduleOrError"]["scheduleState"]

    assert state() == {"status": "STOPPED", "ticks": []}
    page.goto(f"{base}/automation")
    row = page.locator("div[data-index]").filter(has_text="every_minute_schedule")
    switch = row.locator(
        "label[class*=formatSwitch]:not([class*=disabled])"
    )  # the row's other checkbox selects it
    switch.wait_for(timeout=90_000)
    assert not switch.is_checked()
    switch.click()
    wait_for("the schedule to be on", 20, lambda: state()["status"] == "RUNNING")
    (tick, *_) = wait_for(
        "a tick", 90, lambda: [tick for tick in state()["ticks"] if tick["status"] != "STARTED"]
    )
    wait_for("the switch to be shown as on", 20, switch.is_checked)
    switch.click()  # one tick is enough
    wait_for("the schedule to be off", 20, lambda: state()["status"] == "STOPPED")
    assert tick["status"] == "SUCCESS", tick
    (run_id,) = tick["runIds"]

    def ended():
        (found,) = [run for run in graphql(base, RUNS)["runsOrError"]["results"] if run["runId"] == run_id]
        return found if found["status"] in ("SUCCESS", "FAILURE", "CANCELED") else None

    run = wait_for("the run of the tick", 400, ended)
    assert run["status"] == "SUCCESS"
    assert {"key": "dagster/partition", "value": "every-minute"} in run["tags"]
    assert (data / "reports" / "every-minute" / "cam.pdf").read_bytes().startswith(b"%PDF")
