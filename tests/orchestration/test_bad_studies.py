"""Studies that are not valid leave the code location loading the others, and say what is wrong where they are run."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from xai_assets.cli import cli
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, find_study

GOOD = """\
title: Good
schedule: "0 3 * * *"
attribution:
  model: diorama/object
  images: {diorama: {singles: 1, pairs: 0}}
  methods: {gradcam: {}}
"""
BAD = {
    "typo": (GOOD.replace("methods", "methdos"), "typo.yaml:6: attribution.methdos"),
    "method": (GOOD.replace("gradcam", "gradcamm"), "method.yaml:6: attribution.methods.gradcamm"),
    "negative": (GOOD.replace("singles: 1", "singles: -1"), "negative.yaml:5: attribution.images.diorama.singles"),
    "folder": (GOOD.replace("{diorama: {singles: 1, pairs: 0}}", "{folder: nowhere}"), None),
    "cron": (GOOD.replace("0 3 * * *", "0 99 * * *"), None),
    "garbage": ("\x00\x01", "zero byte"),
}  # fmt: skip


@pytest.fixture
def studies(tmp_path):
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "good.yaml").write_text(GOOD, encoding="utf-8")
    for name, (text, _) in BAD.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    (folder / "folder-of-its-own.yaml").mkdir()
    (folder / "nothing.yaml").symlink_to(folder / "gone")
    (folder / "a...name.yaml").write_text(GOOD, encoding="utf-8")  # Dagster has no partitions of such names
    return tmp_path


def test_the_code_location_loads_and_schedules_what_is_valid(studies):
    code = (
        "import json; from xai_assets.definitions import defs; job = defs.resolve_job_def('study');"
        "print(json.dumps([job.partitions_def.get_partition_keys(), [s.name for s in defs.schedules]]))"
    )
    environment = os.environ | {"XAI_DATA": str(studies)}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    partitions, schedules = json.loads(ran.stdout)
    assert {"good", "demo", *BAD} <= set(partitions)
    assert "a...name" not in partitions
    assert schedules == ["folder_schedule", "good_schedule"]


@pytest.mark.parametrize("name", [name for name, (_, problem) in BAD.items() if problem])
def test_what_is_wrong_is_said_with_file_line_and_field(studies, name):
    with pytest.raises(StudyError) as caught:
        find_study(name, Settings.from_environment({"XAI_DATA": str(studies)}))
    assert BAD[name][1] in str(caught.value)


@pytest.mark.parametrize("name", ["folder-of-its-own", "nothing"])
def test_what_cannot_be_read_is_said(studies, name):
    with pytest.raises(StudyError, match=f"{name}.yaml: cannot be read"):
        find_study(name, Settings.from_environment({"XAI_DATA": str(studies)}))


def test_check_names_a_schedule_that_is_none(studies, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(studies))
    found = CliRunner().invoke(cli, ["check", "cron"])
    assert found.exit_code == 2
    assert "cron.yaml: schedule: '0 99 * * *' is no cron expression" in found.output
