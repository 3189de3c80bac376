"""`dg dev` does as `dagster dev` does: the same code location by the same name, the same history, the same files."""

import shutil
import sys
import urllib.request
from pathlib import Path

import pytest
from dagster._core.test_utils import create_run_for_test

from tests.conftest import CHECKOUT
from tests.ui.dagster_dev import code_location, graphql, start, stop, wait_for
from xai_assets.cli_run import open_instance
from xai_assets.web.publish import PREFIX, publish

RUNS = "{ runsOrError { ... on Runs { results { runId jobName } } } }"
PATH = "/tools/xai"
pytestmark = pytest.mark.ui


@pytest.fixture
def project(tmp_path):
    """The project as `dg` knows it, in a folder whose data are of its own."""
    (tmp_path / "data" / "studies").mkdir(parents=True)
    for name in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    (tmp_path / "xai_assets").symlink_to(CHECKOUT / "xai_assets")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return tmp_path


def test_dg_dev_loads_the_location_keeps_runs_and_serves_below_a_path(project, monkeypatch):
    monkeypatch.setenv(PREFIX, PATH)
    (home := project / "data" / "dagster").mkdir()
    with open_instance(home) as instance:
        run = create_run_for_test(instance, job_name="study")
        served = publish(instance, ("reports", "demo", "cam"), "pdf", b"%PDF", kept="cam.pdf")
    process, base = start(project, str(Path(sys.prefix) / "bin" / "dg"), "dev")
    try:
        wait_for("dg dev", 90, lambda: urllib.request.urlopen(f"{base}{PATH}/server_info", timeout=2))
        location = code_location(f"{base}{PATH}")
        runs = graphql(f"{base}{PATH}", RUNS)["runsOrError"]["results"]
        with urllib.request.urlopen(f"{base}{served.address}", timeout=10) as answer:
            downloaded, how = answer.read(), answer.headers["content-disposition"]
    finally:
        stop(process)
    assert location == {"repositoryName": "__repository__", "repositoryLocationName": "xai_assets"}
    assert runs == [{"runId": run.run_id, "jobName": "study"}]
    assert downloaded == b"%PDF" and how.startswith("attachment")
