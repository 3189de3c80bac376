"""A changed file gives one run of its study, an unchanged one none; a study that is not valid takes no other's."""

import os
import shutil

import dagster as dg
import pytest

from tests.conftest import CHECKOUT
from xai_assets.automation.sensors import sensors
from xai_assets.settings import Settings

STUDY = """\
title: Mine
attribution:
  model:
    name: my-resnet
    architecture: torchvision/resnet18
    checkpoint: ../mine/weights.safetensors
    class_names: ../mine/classes.txt
    preprocessing: {mode: squash, size: 64}
  images: {folder: ../mine/photographs}
  methods: {gradcam: {}}
"""


@pytest.fixture
def data(tmp_path):
    """A data folder whose study `demo`, a name that the code location knows, has files of its own."""
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "demo.yaml").write_text(STUDY, encoding="utf-8")
    photographs = tmp_path / "mine" / "photographs"
    photographs.mkdir(parents=True)
    for name in ("one.png", "two.png"):
        (photographs / name).write_bytes(name.encode())
    (tmp_path / "mine" / "weights.safetensors").write_bytes(b"weights")
    (tmp_path / "mine" / "classes.txt").write_text("cat\n", encoding="utf-8")
    shutil.copy(CHECKOUT / "data" / "studies" / "imagenet-places.yaml", tmp_path / "studies")
    return tmp_path


@pytest.fixture
def ticks(data):
    """Ticks of the sensor of that name, each beginning where the one before ended: requests and what was skipped."""
    found = {s.name: s for s in sensors(Settings.from_environment({"XAI_DATA": str(data)}))}
    cursors = {}

    def tick(name):
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance, cursor=cursors.get(name))
            result = found[name](context)
        cursors[name] = result.cursor
        return [request.partition_key for request in result.run_requests], result

    return tick


def write(path, content):
    path.write_bytes(content)
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))  # even on a clock that does not move


def asked(tick, name, times):
    return [partition for _ in range(times) for partition in tick(name)[0]]


def test_what_has_not_changed_gives_no_run(ticks):
    for name in ("changed_images", "changed_models"):
        assert asked(ticks, name, 4) == []


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("changed_images", "mine/photographs/one.png"),
        ("changed_images", "mine/photographs/new.png"),
        ("changed_models", "mine/weights.safetensors"),
        ("changed_models", "mine/classes.txt"),
    ],
)
def test_a_changed_file_gives_one_run_of_its_study(ticks, data, name, file):
    other = "changed_models" if name == "changed_images" else "changed_images"
    asked(ticks, name, 1), asked(ticks, other, 1)
    write(data / file, b"something else")
    assert asked(ticks, name, 4) == ["demo"]
    assert asked(ticks, other, 4) == []


def test_a_picture_that_is_taken_away_gives_a_run(ticks, data):
    asked(ticks, "changed_images", 1)
    (data / "mine" / "photographs" / "two.png").unlink()
    assert asked(ticks, "changed_images", 3) == ["demo"]


def test_a_changed_study_gives_a_run_and_a_broken_one_a_reason(ticks, data):
    asked(ticks, "changed_models", 1)
    study = data / "studies" / "demo.yaml"
    write(study, STUDY.replace("Mine", "Ours").encode())
    assert asked(ticks, "changed_models", 3) == ["demo"]
    write(study, STUDY.replace("gradcam", "gradcamm").encode())
    requests, result = ticks("changed_models")
    assert requests == []
    assert "demo is not valid: demo.yaml:10" in result.skip_reason.skip_message


def test_a_file_that_is_still_being_written_gives_one_run_when_it_is_whole(ticks, data):
    asked(ticks, "changed_images", 1)
    for length in range(1, 4):
        write(data / "mine" / "photographs" / "large.png", b"x" * length)
        assert asked(ticks, "changed_images", 1) == []
    assert asked(ticks, "changed_images", 3) == ["demo"]


def test_a_touched_file_gives_no_run_and_one_that_is_changed_back_another(ticks, data):
    picture = data / "mine" / "photographs" / "one.png"
    asked(ticks, "changed_images", 1)
    write(picture, b"one.png")
    assert asked(ticks, "changed_images", 3) == []
    keys = []
    for content in (b"b", b"one.png", b"b"):
        write(picture, content)
        ticks("changed_images")
        keys += [request.run_key for request in ticks("changed_images")[1].run_requests]
    assert len(set(keys)) == 3


def test_what_starts_work_starts_stopped_and_what_ends_dead_runs_starts_running():
    states = {s.name: s.default_status.value for s in sensors(Settings.from_environment({}))}
    assert states == {"changed_images": "STOPPED", "changed_models": "STOPPED", "lost_runs": "RUNNING"}
