"""A run keeps the study that it began with, and mixes no two contents of one input."""

import os
import subprocess
import sys
import time

import dagster as dg
import numpy as np
import pytest
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.utils import make_new_run_id
from PIL import Image

from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.probe import FolderProbe
from xai_assets.errors import XaiError
from xai_assets.execution.run_inputs import STUDY, begin, pinned_study, same_input
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, find_study

TEXT = """\
title: {title}
attribution:
  model: diorama/object
  images: {{diorama: {{singles: 1, pairs: 0}}}}
  methods: {{gradcam: {{}}}}
"""


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "studies").mkdir()
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    write(settings, "First")
    return settings


@pytest.fixture
def instance():
    with dg.instance_for_test() as instance:
        yield instance


def write(settings, title):
    (settings.studies / "mine.yaml").write_text(TEXT.format(title=title), encoding="utf-8")


def new_run(instance, **more):
    run = DagsterRun(
        job_name="study",
        run_id=make_new_run_id(),
        tags={"dagster/partition": "mine", **more.pop("tags", {})},
        **more,
    )
    return instance.add_run(run)


def title(instance, run, settings):
    return pinned_study(instance, run.run_id, "mine", settings).study.title


def test_a_run_keeps_its_study_and_the_next_one_has_the_new_text(instance, settings):
    run = new_run(instance)
    assert title(instance, run, settings) == "First"
    write(settings, "Second")
    assert title(instance, run, settings) == "First"
    assert title(instance, new_run(instance), settings) == "Second"
    (settings.studies / "mine.yaml").write_text("title: [", encoding="utf-8")
    assert title(instance, run, settings) == "First"
    (settings.studies / "mine.yaml").unlink()
    file = pinned_study(instance, run.run_id, "mine", settings)
    assert file.study.title == "First" and file.resolve("x") == settings.studies / "x"
    with pytest.raises(StudyError, match="gone"):
        pinned_study(instance, new_run(instance).run_id, "mine", settings)


def test_the_executor_keeps_it_before_any_step(instance, settings, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(settings.data))
    run = new_run(instance)
    begin(instance, run)
    write(settings, "Second")
    assert title(instance, run, settings) == "First"
    assert STUDY.startswith(".dagster/")  # the UI hides such tags


def test_a_study_that_is_not_valid_ends_no_executor_and_is_said_by_the_step(instance, settings, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(settings.data))
    (settings.studies / "mine.yaml").write_text("title: [", encoding="utf-8")
    run = new_run(instance)
    begin(instance, run)
    with pytest.raises(StudyError, match="not valid YAML"):
        pinned_study(instance, run.run_id, "mine", settings)


def continuing(instance, parent, **more):
    """As the UI makes such a run: with the tags of the one before."""
    tags = instance.get_run_by_id(parent.run_id).tags
    return new_run(instance, parent_run_id=parent.run_id, root_run_id=parent.run_id, tags={**tags, **more})


def test_a_run_that_goes_on_from_a_failure_keeps_the_study_and_says_when_it_changed(instance, settings):
    first = new_run(instance)
    title(instance, first, settings)
    assert (
        title(instance, continuing(instance, first, **{"dagster/is_resume_retry": "true"}), settings)
        == "First"
    )
    write(settings, "Second")
    with pytest.raises(StudyError, match=f"changed since the run {first.run_id[:8]} began"):
        title(instance, continuing(instance, first, **{"dagster/is_resume_retry": "true"}), settings)
    assert title(instance, continuing(instance, first), settings) == "Second"  # all of it is done again


def test_an_input_that_changes_in_a_run_is_named(instance, settings):
    first, second = new_run(instance), new_run(instance)
    for run, content in ((first, "a" * 64), (first, "a" * 64), (second, "b" * 64)):
        same_input(instance, run.run_id, settings, "the checkpoint x.pth", content)
        same_input(instance, run.run_id, settings, "the checkpoint y.pth", "c" * 64)
    with pytest.raises(XaiError, match=r"the checkpoint x\.pth: it changed since this run began"):
        same_input(instance, first.run_id, settings, "the checkpoint x.pth", "b" * 64)
    resumed = continuing(instance, second, **{"dagster/is_resume_retry": "true"})
    with pytest.raises(XaiError, match="changed since"):
        same_input(instance, resumed.run_id, settings, "the checkpoint x.pth", "d" * 64)
    same_input(instance, continuing(instance, second).run_id, settings, "the checkpoint x.pth", "d" * 64)


ASK = """
import sys
import dagster as dg
from xai_assets.execution.run_inputs import pinned_study, same_input
from xai_assets.settings import Settings
run_id, name = sys.argv[1:]
settings = Settings.from_environment()
with dg.DagsterInstance.get() as instance:
    for number in range(5):
        same_input(instance, run_id, settings, f"input {number} of {name}", "a" * 64)
    print(pinned_study(instance, run_id, "mine", settings).study.title)
"""


def test_processes_that_ask_at_once_get_the_same_study_and_lose_no_input(instance, settings):
    run = new_run(instance)
    environment = os.environ | {"XAI_DATA": str(settings.data)}  # DAGSTER_HOME is that of the instance
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, run.run_id, str(number)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for edit in range(20):
        write(settings, f"Edited {edit}")
        time.sleep(0.1)
    titles = {process.communicate(timeout=120)[0] for process in asking}
    assert len(titles) == 1 and titles != {""}
    tags = instance.get_run_by_id(run.run_id).tags
    assert len([tag for tag in tags if tag.startswith(".dagster/xai_input")]) == 15


def test_a_checkpoint_that_changes_is_named_by_whoever_opens_it(settings):
    seen = {}

    def same(what, sha256):
        if seen.setdefault(what, sha256) != sha256:
            raise XaiError(what, "changed", "Again.")

    bench = Workbench(settings, find_study("mine", settings), same_input=same)
    open_classifier(bench, bench.attribution.model)
    assert set(seen) == {"the checkpoint diorama/object", "the class names of diorama/object"}
    seen["the checkpoint diorama/object"] = "0" * 64
    with pytest.raises(XaiError, match="the checkpoint diorama/object: changed"):
        open_classifier(bench, bench.attribution.model)


def test_a_probe_image_that_changes_after_the_probe_was_made_is_named(tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name)
    probe = FolderProbe(tmp_path)
    Image.fromarray(np.ones((8, 8, 3), np.uint8)).save(tmp_path / "b.png")
    assert probe.image(0).shape == (8, 8, 3)
    with pytest.raises(XaiError, match=r"b\.png.*changed"):
        probe.image(1)
