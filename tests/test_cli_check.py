"""`xai check`: what would stop a run is said before it, by name, with exit codes that tell one kind from another."""

import json
import shutil

import numpy as np
import pytest
import torchvision
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

from tests.analysis.test_explanations import place, step  # noqa: F401  (place is a fixture)
from xai_assets.analysis import precheck as precheck_module
from xai_assets.analysis.precheck import precheck
from xai_assets.analysis.room import BYTES_ANYWAY, Amounts, free_bytes, in_words, least_amounts, ran_before
from xai_assets.cli import cli

STUDY = """\
title: "Mine"
attribution:
  model:
    name: mine
    architecture: torchvision/resnet18
    checkpoint: ../resnet18.safetensors
    class_names: ../classes.txt
    preprocessing: {mode: resize_crop, resize: 72, size: 64}
  layer: layer4
  images: {folder: ../photographs}
  methods: {gradcam: {}}
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    (folder / "studies").mkdir()
    (folder / "photographs").mkdir()
    save_file(torchvision.models.resnet18(num_classes=3).state_dict(), folder / "resnet18.safetensors")
    (folder / "classes.txt").write_text("cat\ndog\nheron\n", encoding="utf-8")
    for name, size in {"a": (80, 60), "b": (400, 300)}.items():
        Image.fromarray(np.zeros((size[1], size[0], 3), np.uint8)).save(
            folder / "photographs" / f"{name}.png"
        )
    return folder


@pytest.fixture
def check(mine, tmp_path, monkeypatch):
    """Check a study made of STUDY with some text replaced: exit code, and what was found by name."""
    for name in ("XAI_ARTIFACTS", "XAI_MODELS", "XAI_STUDIES", "XAI_DEVICE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    shutil.copytree(mine, tmp_path / "mine")

    def run(*replaced, json_too=True):
        text = STUDY
        for old, new in replaced:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "mine" / "studies" / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        ran = CliRunner().invoke(cli, ["check", str(path), "--json"])
        said = json.loads(ran.stdout)
        plain = CliRunner().invoke(cli, ["check", str(path)])
        assert plain.exit_code == ran.exit_code
        assert all(problem in plain.output for problem in said["problems"])
        return ran.exit_code, said

    run.folder = tmp_path / "mine"
    return run


def states(said):
    return {found["what"]: found["state"] for found in said["found"]}


def test_what_can_be_run_is_ready_and_nothing_is_written(check, tmp_path):
    code, said = check()
    assert (code, said["valid"], said["ready"], said["problems"]) == (0, True, True, [])
    assert states(said) == dict.fromkeys(
        ["files", "images", "explained model mine", "method gradcam", "cost", "warehouse", "room"], "ok"
    )
    told = {found["what"]: found["said"] for found in said["found"]}
    assert told["explained model mine"].startswith("3 classes")
    assert told["method gradcam"] == "layer4 of 512 channels, 2 x 2"
    assert told["images"] == "2 images of 80 x 60 to 400 x 300 pixels"
    assert not (tmp_path / "data").exists()


def test_what_comparing_with_the_libraries_costs_is_said_and_what_they_do_not_have(check):
    methods = "{gradcam: {}, ablationcam: {}, scorecam: {weighting: increase}, lime: {num_samples: 100}}"
    code, said = check(("{gradcam: {}}", f"{methods}\n  verify: {{maps: 9}}"))
    assert code == 0
    told = {found["said"]: found["state"] for found in said["found"] if found["what"] == "verification"}
    passes = 2 * (3 + 512 + 100)  # of two images: a gradient, a pass a channel, a pass a sample
    assert told == {
        "scorecam will not be compared: the library weights by a softmax over scores, and the study asks for the "
        "increase": "look",
        f"for 2 maps of each of gradcam, ablationcam, lime the libraries make about {passes:,} forward passes": "ok",
    }
    one = check(("{gradcam: {}}", "{gradcam: {}, lime: {}}\n  verify: {maps: 1, methods: [gradcam]}"))[1]
    told = [found["said"] for found in one["found"] if found["what"] == "verification"]
    assert told == ["for 1 map of gradcam the libraries make about 3 forward passes"]


def test_how_forward_passes_are_computed_is_said_where_there_are_many(check, monkeypatch):
    replaced = ("{gradcam: {}}", "{scorecam: {}}")
    told = {found["what"]: found for found in check(replaced)[1]["found"]}["forward passes"]
    assert (told["state"], told["said"][:36]) == ("ok", "by a copy with batch norm folded and")
    slow = "by the network as it is, the slow way (fused, folded: TraceError)"
    monkeypatch.setattr("xai_assets.analysis.precheck.attribution.of_network", lambda *_: (slow, False))
    code, said = check(replaced)
    assert code == 0
    assert {found["what"]: found for found in said["found"]}["forward passes"] == {
        "what": "forward passes",
        "state": "look",
        "said": slow,
    }


@pytest.mark.parametrize(
    ("replaced", "problem"),
    [
        (("layer: layer4", "layer: layr4"), "method gradcam: the layer 'layr4'"),
        (("layer: layer4", "layer: layer4.0.downsample.7"), "Did you mean 'layer4"),
        (("torchvision/resnet18", "torchvision/resnet34"), "resnet18.safetensors"),
    ],
)
def test_what_does_not_fit_ends_with_1(check, replaced, problem):
    code, said = check(replaced)
    assert code == 1 and said["valid"] and not said["ready"]
    (found,) = said["problems"]
    assert problem in found


def test_what_is_missing_ends_with_2(check):
    code, said = check(("../photographs", "../nowhere"), ("../classes.txt", "../none.txt"))
    assert code == 2 and said["valid"] and not said["ready"]
    assert set(states(said).values()) == {"missing"} and len(said["problems"]) == 2
    assert all(name in "".join(said["problems"]) for name in ("nowhere", "none.txt"))


def test_what_is_not_valid_ends_with_2(check):
    code, said = check(("methods", "methdos"))
    assert code == 2 and not said["valid"] and not said["ready"]
    assert any("mine.yaml:11: attribution.methdos" in problem for problem in said["problems"])


def test_pictures_that_will_be_set_aside_are_named_and_stop_nothing(check):
    (check.folder / "photographs" / "broken.jpg").write_bytes(b"\xff\xd8\xff no picture")
    Image.fromarray(np.zeros((1, 40_000, 3), np.uint8)).save(check.folder / "photographs" / "thin.png")
    code, said = check()
    assert code == 0 and said["ready"] and states(said)["images"] == "ok"
    told = "; ".join(found["said"] for found in said["found"] if found["what"] == "images set aside")
    assert "broken.jpg: it is not an image" in told and "it is too long and thin" in told


def test_a_folder_in_which_no_picture_can_be_used_does_not_fit(check):
    for path in (check.folder / "photographs").iterdir():
        path.write_bytes(b"no picture")
    code, said = check()
    assert code == 1
    assert "no image can be used from ../photographs: 2 images: it is not an image" in said["problems"][0]


def test_a_warehouse_that_cannot_be_read_is_said_before_the_maps_are_made(check, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "warehouse.duckdb").write_text("garbage")
    code, said = check()
    assert code == 1 and states(said)["warehouse"] == "unfit"
    assert any("warehouse.duckdb" in problem for problem in said["problems"])


def test_a_disk_that_is_too_small_is_said_with_both_numbers(check, monkeypatch):
    monkeypatch.setattr(precheck_module, "free_bytes", lambda folder: 10 * 2**20)
    code, said = check()
    assert code == 1
    (problem,) = said["problems"]
    assert problem.startswith("room: results take about 100 MiB, 10 MiB are free at")
    assert "XAI_ARTIFACTS" in problem


def test_a_study_that_ran_before_is_not_refused_for_what_is_there(place, monkeypatch):  # noqa: F811
    bench, _, _ = step(place, "gradcam")
    assert (
        0
        < least_amounts(bench.file).bytes
        <= Amounts(**vars(least_amounts(bench.file)) | {"units": [64]}).bytes
    )
    assert not ran_before(bench.file, bench.settings)
    monkeypatch.setattr(precheck_module, "free_bytes", lambda folder: 2**20)
    for ran, state in ((False, "unfit"), (True, "look")):
        monkeypatch.setattr(precheck_module, "ran_before", lambda *_, ran=ran: ran)
        (room,) = [found for found in precheck(bench.file, bench.settings) if found.what == "room"]
        assert room.state == state


def test_room_grows_with_pictures_cases_methods_and_units():
    small = Amounts(picture_pixels=10**6, cases=4, methods=2, view_pixels=64**2, units=[64], probe_images=100)
    assert Amounts().bytes == BYTES_ANYWAY
    for more in (
        {"picture_pixels": 2 * 10**6}, {"cases": 8}, {"methods": 4}, {"methods": 3, "layer_methods": 1},
        {"view_pixels": 128**2}, {"units": [64, 64]}, {"probe_images": 200}, {"rendered": 100}, {"scenes": True},
    ):  # fmt: skip
        assert Amounts(**{**vars(small), **more}).bytes > small.bytes


def test_free_room_is_that_of_the_folder_that_will_be_made(tmp_path):
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.01)


def test_the_estimate_is_what_a_run_takes_and_not_many_times_that(place):  # noqa: F811
    bench, _, _ = step(place, "gradcam", "scorecam")
    kept = bench.settings.artifacts.rglob("*.safetensors")
    # The reference of the model's domain has one size whatever the study, and is among what is taken anyway.
    taken = sum(path.stat().st_size for path in kept if "domain_reference" not in path.parts)
    (room,) = [found for found in precheck(bench.file, bench.settings) if found.what == "room"]
    assert room.state == "ok"
    methods = {"methods": len(bench.attribution.methods.chosen()), "layer_methods": 3}
    # Five methods are asked for, of which two were run; three pictures of 128 x 128, which is what the model sees.
    asked = Amounts(picture_pixels=3 * 128**2, cases=3, view_pixels=128**2, **methods)
    ran = Amounts(picture_pixels=3 * 128**2, cases=3, methods=2, layer_methods=1, view_pixels=128**2)
    assert f"about {in_words(asked.bytes)}," in room.said
    assert 0.8 * taken <= ran.bytes - BYTES_ANYWAY <= 1.6 * taken
