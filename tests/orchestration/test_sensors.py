"""A changed file gives one run of its study, an unchanged one none; a study that is not valid takes no other's."""

import os
import shutil

import dagster as dg
import pytest

from tests.conftest import CHECKOUT
from xai_assets.automation.sensors import sensors
from xai_assets.build import build_definitions
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


@pytest.mark.parametrize("away", ["mine/photographs", "mine/weights.safetensors", "mine/classes.txt", "mine"])
def test_a_folder_that_is_away_is_a_note_and_no_change(ticks, data, away):
    name = "changed_images" if away == "mine/photographs" else "changed_models"
    asked(ticks, name, 1)
    (data / away).rename(data / "elsewhere")
    for _ in range(3):
        requests, result = ticks(name)
        assert requests == [] and "that counts as no change" in result.skip_reason.skip_message
    (data / "elsewhere").rename(data / away)
    assert asked(ticks, name, 3) == []


def test_an_empty_mount_point_is_no_change_and_what_changed_meanwhile_is(ticks, data):
    photographs = data / "mine" / "photographs"
    asked(ticks, "changed_images", 1)
    photographs.rename(data / "elsewhere")
    photographs.mkdir()
    assert asked(ticks, "changed_images", 3) == []
    photographs.rmdir()
    (data / "elsewhere").rename(photographs)
    write(photographs / "one.png", b"another")
    assert asked(ticks, "changed_images", 3) == ["demo"]


def test_a_folder_of_studies_that_is_away_is_a_note_also_where_a_shipped_study_has_the_name(ticks, data):
    asked(ticks, "changed_models", 1)
    (data / "studies").rename(data / "elsewhere")
    for _ in range(3):
        requests, result = ticks("changed_models")
        assert requests == [] and "the folder of studies" in result.skip_reason.skip_message
    (data / "elsewhere").rename(data / "studies")
    assert asked(ticks, "changed_models", 3) == []


def test_a_change_waits_for_the_run_that_has_not_ended(data):
    settings = Settings.from_environment({"XAI_DATA": str(data)})
    (sensor,) = [s for s in sensors(settings) if s.name == "changed_models"]
    with dg.DagsterInstance.ephemeral() as instance:
        cursor = sensor(dg.build_sensor_context(instance)).cursor
        run = instance.create_run_for_job(
            build_definitions().resolve_job_def("study"),
            tags={"dagster/partition": "demo"},
            status=dg.DagsterRunStatus.STARTED,
        )
        write(data / "mine" / "classes.txt", b"dog\n")
        for _ in range(3):
            result = sensor(dg.build_sensor_context(instance, cursor=cursor))
            cursor = result.cursor
            assert not result.run_requests and run.run_id[:8] in result.skip_reason.skip_message
        instance.report_run_failed(run)
        requests = []
        for _ in range(3):
            result = sensor(dg.build_sensor_context(instance, cursor=cursor))
            cursor = result.cursor
            requests += result.run_requests
        assert [request.partition_key for request in requests] == ["demo"]


@pytest.mark.parametrize("cursor", ["half a {", "[1]", '{"demo": 3}', "[" * 100_000])
def test_a_cursor_that_is_none_of_ours_counts_as_no_look_yet(data, cursor):
    found = {s.name: s for s in sensors(Settings.from_environment({"XAI_DATA": str(data)}))}
    with dg.DagsterInstance.ephemeral() as instance:
        result = found["changed_images"](dg.build_sensor_context(instance, cursor=cursor))
    assert not result.run_requests and "demo" in result.cursor


def test_names_that_no_study_may_have_are_said_and_not_called_new(ticks, data):
    for name in ("Good.yaml", "a_b.yaml", "demo.yml"):
        (data / "studies" / name).write_text(STUDY, encoding="utf-8")
    said = ticks("changed_images")[1].skip_reason.skip_message
    assert "is new" not in said
    assert "good.yaml" in said and "a_b.yaml is not read" in said and "demo.yaml has the same name" in said


def test_what_starts_work_starts_stopped_and_what_ends_dead_runs_starts_running():
    states = {s.name: s.default_status.value for s in sensors(Settings.from_environment({}))}
    assert states == {"changed_images": "STOPPED", "changed_models": "STOPPED", "lost_runs": "RUNNING"}
