"""`xai layers`: what is listed of a model, what is taken, and what its exit code says."""

import json

import pytest
from click.testing import CliRunner

from xai_assets.cli import cli


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XAI_DEVICE", "cpu")


def run(*arguments):
    return CliRunner().invoke(cli, ["layers", *arguments])


def test_the_layers_of_a_model_of_the_zoo_are_listed_with_the_one_that_is_taken():
    done = run("diorama/object")
    assert done.exit_code == 0
    (taken,) = [line.split() for line in done.stdout.splitlines() if line.startswith(">")]
    assert taken[:3] == [">", "layer4", "map"]
    assert taken[4:7] == ["8", "x", "8"]
    assert "taken where none is named: layer4" in done.stdout
    assert "forward passes: by a copy with batch norm folded" in done.stdout
    assert "layer3.0.conv2" not in done.stdout
    assert "layer3.0.conv2" in run("diorama/object", "--all").stdout


def test_of_an_architecture_no_weights_are_needed():
    done = run("timm/resnet10t", "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["default"], found["input"]) == (0, "layer4", [176, 176])
    by_path = {row["path"]: row for row in found["layers"]}
    assert [path for path, row in by_path.items() if row["default"]] == ["layer4"]
    row = by_path["layer4"]
    assert (row["kind"], row["channels"], row["height"], row["width"]) == ("map", 512, 6, 6)
    assert row["methods"] == "all"
    assert found["forward_passes"].startswith("by a copy with batch norm folded")
    assert by_path["fc"]["methods"] == "no map (dissection only)"


def test_a_model_that_is_not_known_is_said():
    done = run("diorama/objects")
    assert done.exit_code == 2
    assert "Did you mean" in done.stderr
    assert run("timm/resnet18nosuch").exit_code == 2
