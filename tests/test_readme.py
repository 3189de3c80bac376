"""What the README promises: its worked example and its library example run as they stand there."""

import json
import os
import re
import subprocess
import sys

import duckdb
import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from pypdf import PdfReader
from safetensors.torch import save_file

from tests.conftest import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    found = [
        text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if containing in text
    ]
    assert len(found) == 1
    return found[0]


def xai(*arguments, data):
    environment = os.environ | {"XAI_DATA": str(data), "XAI_DEVICE": "cpu", "DAGSTER_HOME": ""}
    return subprocess.run(
        [sys.executable, "-m", "xai_assets", *arguments], env=environment, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with the README's study, a checkpoint of the format it names, and one broken picture of four."""
    folder = tmp_path_factory.mktemp("data")
    mine = folder / "mine"
    (mine / "photographs").mkdir(parents=True)
    (folder / "studies").mkdir()
    study = block("yaml", "my-resnet")
    assert study.count("num_samples: 500") == 1
    fewer = study.replace("num_samples: 500", "num_samples: 200")  # the samples are what takes the time
    (folder / "studies" / "mine.yaml").write_text(fewer, encoding="utf-8")
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=3)
    save_file(network.state_dict(), mine / "resnet18.safetensors")
    (mine / "classes.txt").write_text("cat\ndog\nheron\n", encoding="utf-8")
    generator = np.random.default_rng(0)
    for number, (height, width) in enumerate([(240, 320), (300, 260), (64, 64)]):
        coarse = generator.integers(0, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(coarse).resize((width, height)).save(mine / "photographs" / f"picture {number}.png")
    (mine / "photographs" / "broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    return folder


def test_the_worked_example_runs_and_one_broken_picture_stops_nothing(data):
    assert xai("check", "mine", data=data).returncode == 0
    ran = xai("run", "mine", data=data)
    assert ran.returncode == 0, ran.stderr
    reports = data / "reports" / "mine"
    assert sorted(path.stem for path in reports.glob("*.pdf")) == ["cam", "lime", "study"]
    assert len(PdfReader(reports / "study.pdf").pages) >= 1
    assert json.loads((reports / "study.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(data / "warehouse.duckdb"), read_only=True) as connection:
        status = dict(connection.execute("SELECT image_id, status FROM images").fetchall())
        maps = connection.execute(
            "SELECT method, count(*) FROM maps GROUP BY method ORDER BY method"
        ).fetchall()
        reason = connection.execute("SELECT reason FROM images WHERE status = 'quarantined'").fetchone()[0]
    assert status == dict.fromkeys([f"picture {n}.png" for n in range(3)], "ok") | {
        "broken.jpg": "quarantined"
    }
    assert maps == [("gradcam", 3), ("lime", 3)]
    assert reason
    assert "broken.jpg" in "".join(page.extract_text() for page in PdfReader(reports / "study.pdf").pages)


def test_a_checkpoint_that_does_not_fit_is_named(data):
    network = torchvision.models.resnet18(num_classes=5)
    save_file(network.state_dict(), data / "mine" / "five.safetensors")
    study = (data / "studies" / "mine.yaml").read_text(encoding="utf-8")
    other = study.replace("resnet18.safetensors", "five.safetensors")
    (data / "studies" / "unfit.yaml").write_text(other, encoding="utf-8")
    ran = xai("run", "unfit", data=data)
    assert ran.returncode == 1
    assert "five.safetensors" in ran.stderr
    assert "fc.weight" in ran.stderr
    assert not (data / "reports" / "unfit").exists()


def test_a_typo_in_a_study_is_a_usage_error(data):
    (data / "studies" / "typo.yaml").write_text("title: x\nattribtion: {}\n", encoding="utf-8")
    ran = xai("run", "typo", data=data)
    assert ran.returncode == 2
    assert "typo.yaml:2: attribtion" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_what_imagenet_places_needs_is_named_all_at_once_and_nothing_is_written(tmp_path):
    (tmp_path / "data").mkdir()
    ran = xai("run", "imagenet-places", data=tmp_path / "data")
    assert ran.returncode == 2
    lines = [line for line in ran.stderr.splitlines() if line.startswith("missing: ")]
    for name in (
        "resnet18",
        "resnet50",
        "places365",
        "ViT-B-16",
        "Broden",
        "concept list",
        "images to explain",
    ):
        assert [line for line in lines if name in line], name
    assert sum("http" in line for line in lines) >= 6
    assert not list((tmp_path / "data").iterdir())


def test_the_library_example(capsys):
    exec(compile(block("python", "study_images"), "README.md", "exec"), {})  # our own text
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["gradcam", "ablationcam", "scorecam", "lime"]
    assert all("(128, 128)" in line for line in said)


def test_the_example_of_a_network_in_memory(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    coarse = np.random.default_rng(0).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((320, 240)).save("photograph.jpg")
    names: dict[str, object] = {}
    exec(compile(block("python", "save_overlay"), "README.md", "exec"), names)  # our own text
    layer, _, shape = capsys.readouterr().out.strip().split(" ", 2)
    assert (layer, shape) == ("layer4", "(224, 224)")
    assert names["drawn"].shape == (224, 224, 3)
    assert Image.open("overlay.png").size == (320, 240)
