"""`xai run` with each executor: the same results, and options that do not go together are said."""

import os
import subprocess
import sys

import duckdb
import pytest

STUDY = """\
title: "A tiny study"
attribution:
  model: diorama/object
  images: {diorama: {singles: 1, pairs: 0}}
  explain: labelled
  methods: {gradcam: {}}
reports: [cam]
"""


@pytest.fixture
def xai(tmp_path):
    def run(*arguments, data="data", **more):
        folder = tmp_path / data
        (folder / "studies").mkdir(parents=True, exist_ok=True)
        (folder / "studies" / "tiny.yaml").write_text(STUDY, encoding="utf-8")
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
    assert ran.returncode == 1
    assert "gradcam_masks" in ran.stderr
    assert "there is no device: XAI_DEVICES lists 0" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_options_of_one_executor_are_refused_with_another(xai):
    ran = xai("run", "tiny", "--cpu-slots", "2")
    assert ran.returncode == 2
    assert "go with --executor gpu_tagged" in ran.stderr


@pytest.mark.slow
def test_both_executors_leave_the_same_tables(xai, tmp_path):
    query = "SELECT * EXCLUDE (seconds) FROM maps"
    tables = {}
    for executor in ("in_process", "gpu_tagged"):
        ran = xai("run", "tiny", "--executor", executor, data=executor)
        assert ran.returncode == 0, ran.stderr
        assert ("No GPU" in ran.stderr) == (executor == "gpu_tagged")
        with duckdb.connect(str(tmp_path / executor / "warehouse.duckdb"), read_only=True) as connection:
            tables[executor] = connection.execute(query).fetchall()
    assert len(tables["in_process"]) == 1
    assert tables["in_process"] == tables["gpu_tagged"]
