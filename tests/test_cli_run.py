"""`xai run` with each executor: the same results, and options that do not go together are said."""

import os
import signal
import subprocess
import sys
import time

import duckdb
import pytest

from tests.conftest import TINY_STUDY
from tests.terminal import Program
from xai_assets import cli_run_ready
from xai_assets.cli_run_ready import ready
from xai_assets.errors import XaiError
from xai_assets.execution.history import open_instance
from xai_assets.settings import Settings
from xai_assets.study_file import find_study


@pytest.fixture
def xai(tmp_path):
    def run(*arguments, data="data", **more):
        folder = tmp_path / data
        (folder / "studies").mkdir(parents=True, exist_ok=True)
        (folder / "studies" / "tiny.yaml").write_text(TINY_STUDY, encoding="utf-8")
        environment = os.environ | {
            "XAI_DATA": str(folder), "XAI_LOCKS": str(tmp_path / "locks"), "DAGSTER_HOME": "", "XAI_DEVICES": "",
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "xai_assets", *arguments],
            env=environment | more,
            capture_output=True,
            text=True,
        )

    return run


def test_a_run_that_needs_a_gpu_fails_by_name_without_one(xai):
    ran = xai("run", "tiny", "--executor", "gpu_tagged", "--on-no-gpu", "fail")
    assert ran.returncode == 2  # no step has begun
    assert "gradcam_masks" in ran.stderr
    assert "there is no device: XAI_DEVICES lists 0" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_options_of_one_executor_are_refused_with_another(xai):
    ran = xai("run", "tiny", "--cpu-slots", "2")
    assert ran.returncode == 2
    assert "go with --executor gpu_tagged" in ran.stderr


def test_ctrl_c_stops_a_run_and_says_how_to_go_on(tmp_path):
    environment = os.environ | {
        "XAI_DATA": str(tmp_path),
        "XAI_LOCKS": str(tmp_path / "locks"),
        "DAGSTER_HOME": "",
    }
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "xai_assets", "run", "demo", "--executor", "in_process"],
            env=environment, stdout=said, stderr=said, start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
        )  # fmt: skip
    try:
        while b"images" not in (tmp_path / "said").read_bytes() and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130, (tmp_path / "said").read_text(encoding="utf-8")
    finally:
        process.kill()
    said = (tmp_path / "said").read_text(encoding="utf-8")
    assert "`xai run demo` goes on where it stopped" in said and "Traceback" not in said
    with open_instance(tmp_path / "dagster") as instance:
        assert [run.status.value for run in instance.get_runs()] == ["CANCELED"]


@pytest.mark.slow
def test_both_executors_leave_the_same_tables(xai, tmp_path):
    query = "SELECT * EXCLUDE (seconds, peak_memory_mib) FROM maps"
    tables = {}
    for executor in ("in_process", "gpu_tagged"):
        ran = xai("run", "tiny", "--executor", executor, data=executor)
        assert ran.returncode == 0, ran.stderr
        assert ("No GPU" in ran.stderr) == (executor == "gpu_tagged")
        with duckdb.connect(str(tmp_path / executor / "warehouse.duckdb"), read_only=True) as connection:
            tables[executor] = connection.execute(query).fetchall()
    assert len(tables["in_process"]) == 1
    assert tables["in_process"] == tables["gpu_tagged"]


def test_chosen_assets_run_alone_and_in_selection_syntax(xai, tmp_path):
    ran = xai("run", "tiny", "--only", "+gradcam_masks")
    assert ran.returncode == 0, ran.stderr
    artifacts = tmp_path / "data" / "artifacts"
    made = {
        name for name in ("images", "predictions", "gradcam_masks", "lime_masks") if _made(artifacts, name)
    }
    assert made == {"images", "predictions", "gradcam_masks"}
    assert not list((tmp_path / "data").rglob("*.pdf"))
    assert xai("run", "tiny", "--only", "gradcam_masks").returncode == 0  # the ones above are read


def _made(artifacts, asset):
    return any(asset in str(file) for file in artifacts.rglob("*.parquet"))


def test_an_unknown_asset_is_named_with_those_that_are_close(xai):
    ran = xai("run", "tiny", "--only", "gradcam_mask")
    assert ran.returncode == 2
    assert "--only gradcam_mask: selects no asset. Did you mean 'gradcam_masks" in ran.stderr


def test_an_asset_whose_inputs_were_never_made_says_which(xai):
    ran = xai("run", "tiny", "--only", "gradcam_masks")
    assert ran.returncode == 1
    assert "images" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_file_outside_the_folder_of_studies_is_refused_before_anything_runs(xai, tmp_path):
    other = tmp_path / "tiny.yaml"
    other.write_text(TINY_STUDY.replace("A tiny study", "Another one"), encoding="utf-8")
    ran = xai("run", str(other))
    assert ran.returncode == 2
    assert ran.stderr.startswith(str(other)) and "Another one" not in ran.stderr
    assert str(tmp_path / "data" / "studies" / "tiny.yaml") in ran.stderr  # which has its name
    assert not (tmp_path / "data" / "dagster").exists()


def test_a_disk_without_room_is_said_before_anything_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    monkeypatch.setattr(cli_run_ready, "free_bytes", lambda folder: 3 * 2**20)
    with pytest.raises(XaiError, match="the disk is full"):
        ready(find_study("demo", Settings.from_environment()), Settings.from_environment())
    monkeypatch.setattr(cli_run_ready, "free_bytes", lambda folder: 40 * 2**20)
    said = ready(find_study("demo", Settings.from_environment()), Settings.from_environment())
    assert said is not None and "40 MiB are free" in said
    monkeypatch.setattr(cli_run_ready, "free_bytes", lambda folder: 40 * 2**30)
    assert ready(find_study("demo", Settings.from_environment()), Settings.from_environment()) is None


@pytest.mark.slow
@pytest.mark.parametrize("columns", [100, 50])
def test_a_run_in_a_terminal_shows_what_runs_and_ends_with_numbers_and_what_to_do_next(tmp_path, columns):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "tiny.yaml").write_text(TINY_STUDY, encoding="utf-8")
    environment = os.environ | {"XAI_DATA": str(tmp_path), "DAGSTER_HOME": "", "XAI_DEVICES": ""}
    command = [sys.executable, "-m", "xai_assets", "run", "tiny", "--executor", "in_process"]
    program = Program(command, columns=columns, environment=environment)
    try:
        program.read(seconds=600)
        assert program.process.wait(60) == 0, program.said[-2000:]
    finally:
        program.close()
    shown = [line.rstrip() for line in program.screen.lines]
    during = [line for lines in program.seen for line in lines if line.startswith("  gradcam_masks")]
    assert during and all(len(line) < columns for line in during)
    assert all(sum(line.startswith("assets") for line in lines) <= 1 for lines in program.seen)
    assert not [line for line in shown if "━" in line or line.startswith("assets")]
    assert "elemetry" not in program.said and "Warning" not in program.said
    text = "\n".join(shown)
    assert "Checks: " in text and "not asked" in text and "cam.pdf" in text and "xai ui" in text
    assert any(line.startswith("  gradcam ") for line in shown)
