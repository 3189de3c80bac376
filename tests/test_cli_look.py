"""`xai look`: one page of photographs, whatever they are; what is left out, written over, and said."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

from xai_assets.analysis.given_model import given_model, in_words
from xai_assets.cli import cli
from xai_assets.errors import XaiError
from xai_assets.reporting.figures import marked_crop
from xai_assets.reporting.look_mark import is_look
from xai_assets.vision.architectures import build
from xai_assets.vision.geometry import resize_crop_frame, whole_frame
from xai_assets.vision.published_preprocessing import published_preprocessing

HOW = "{mode: resize_crop, resize: 64, size: 48}"


def photograph(path, width, height, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((width, height)).save(path)
    return path


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XAI_DEVICE", "cpu")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(cli, ["look", "--model", "diorama/object", *map(str, arguments)])


def test_a_folder_with_every_shape_of_photograph_gives_one_page(place):
    folder = place / "photographs"
    folder.mkdir()
    photograph(folder / "a.png", 128, 128)
    photograph(folder / "panorama.png", 900, 60, 1)
    photograph(folder / "tower.png", 40, 600, 2)
    photograph(folder / "tiny.png", 3, 2, 3)
    Image.fromarray(np.full((90, 120), 128, np.uint8)).save(folder / "grey <b>.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no image")
    (folder / "notes.txt").write_text("no image")
    done = run(folder, "nosuch.png", "--preprocessing", HOW, "--json")
    assert done.exit_code == 1
    data = json.loads(done.stdout)
    assert [one["name"] for one in data["images"]] == [
        "a.png", "grey <b>.png", "panorama.png", "tiny.png", "tower.png",
    ]  # fmt: skip
    by_name = {one["name"]: one for one in data["images"]}
    assert (by_name["panorama.png"]["way"], by_name["tower.png"]["way"]) == ("wide", "tall")
    assert by_name["a.png"]["seen"] == pytest.approx((48 / 64) ** 2)
    assert by_name["panorama.png"]["seen"] == pytest.approx(0.75 * 48 / (64 * 15), rel=0.01)
    assert "enlarged" in by_name["tiny.png"]["notes"][0]
    for one in data["images"]:
        probabilities = [row["probability"] for row in one["classes"]]
        assert probabilities == sorted(probabilities, reverse=True)
        assert sum(probabilities) + one["rest"] == pytest.approx(1)
        assert (one["predicted"], one["probability"]) == (one["classes"][0]["name"], probabilities[0])
    assert data["model"]["layer"] == "layer4"
    assert data["model"]["chosen"] is True
    reasons = " ".join(row["names"] for row in data["left_out"])
    assert {"broken.jpg", "nosuch.png"} <= set(reasons.replace(",", " ").split())
    html = (place / "look.html").read_text(encoding="utf-8")
    assert "grey &lt;b&gt;.png" in html
    assert "grey <b>.png" not in html
    assert html.count("<img ") == 10
    assert "http://" not in html.replace("http://www.w3.org", "")
    assert (place / "look.pdf").read_bytes().startswith(b"%PDF")


def test_a_page_is_written_over_and_no_other_file_is(place):
    one = photograph(place / "a.png", 128, 128)
    assert run(one, "--output", "pages/first.html").exit_code == 0
    assert is_look(place / "pages" / "first.html")
    assert is_look(place / "pages" / "first.pdf")
    assert run(one, "--output", "pages/first.html", "--layer", "layer3").exit_code == 0
    assert "layer3" in (place / "pages" / "first.html").read_text(encoding="utf-8")
    (place / "look.pdf").write_bytes(b"%PDF-1.7 a letter")
    done = run(one)
    assert done.exit_code == 2
    assert "is no page of `xai look`" in done.stderr
    assert (place / "look.pdf").read_bytes() == b"%PDF-1.7 a letter"
    assert not (place / "look.html").exists()


def test_where_nothing_can_be_used_no_page_is_written(place):
    done = run("nosuch.png")
    assert done.exit_code == 2
    assert "left out: nosuch.png: there is no such file" in done.stderr
    assert not (place / "look.html").exists()
    one = photograph(place / "a.png", 128, 128)
    assert "Did you mean" in run(one, "--layer", "layer44").stderr
    assert run(one, "--layer", "layer44").exit_code == 2


def test_weights_of_ones_own_are_looked_through(place):
    torch.manual_seed(0)
    network = build("torchvision/resnet18", 3)
    save_file(network.state_dict(), place / "mine.safetensors")
    (place / "classes.txt").write_text("cat\ndog\nowl\n")
    one = photograph(place / "a.png", 70, 60)
    given = [
        "--model",
        "torchvision/resnet18",
        "--checkpoint",
        "mine.safetensors",
        "--classes",
        "classes.txt",
    ]
    done = CliRunner().invoke(cli, ["look", str(one), *given])
    assert done.exit_code == 0
    assert "preprocessing as the published weights of torchvision/resnet18 want it" in done.stderr
    assert "look.html and look.pdf: Grad-CAM at layer4" in done.stdout


def test_a_model_is_named_in_few_words(place):
    assert given_model(None).spec.name == "lite/efficientnet-lite0"
    own = given_model("timm/resnet10t", checkpoint="w.pth", classes="c.txt")
    assert (own.spec.architecture, own.spec.checkpoint) == ("timm/resnet10t", "w.pth")
    assumed = given_model("mine", architecture="timm/resnet10t", checkpoint="w.pth")
    assert len(assumed.class_names) == assumed.spec.num_classes == 1000
    assert "ImageNet's 1,000 classes are assumed" in assumed.notes[1]
    with pytest.raises(XaiError, match="it is not said what network"):
        given_model(None, checkpoint="w.pth")
    with pytest.raises(XaiError, match="has no weights"):
        given_model("mine", architecture="timm/resnet10t")
    with pytest.raises(XaiError, match="preprocessing"):
        given_model("diorama/object", preprocessing="{mode: squash}")
    with pytest.raises(XaiError, match="preprocessing"):
        given_model("diorama/object", preprocessing="{mode: [}")


def test_published_preprocessing_is_the_librarys(place):
    timms = published_preprocessing("timm/tf_efficientnet_lite0")
    assert in_words(timms) == (
        "shorter side to 256 (bicubic), central 224 x 224; mean 0.5, 0.5, 0.5; standard deviation 0.5, 0.5, 0.5"
    )
    torchvisions = published_preprocessing("torchvision/resnet18")
    assert (torchvisions.resize, torchvisions.size, torchvisions.interpolation) == (256, 224, "bilinear")
    with pytest.raises(XaiError, match="no library says"):
        published_preprocessing("diorama/resnet10")


def test_a_crop_is_marked_where_the_model_sees_the_image():
    pixels = np.full((100, 200, 3), (250, 20, 20), np.uint8)
    marked = marked_crop(pixels, resize_crop_frame(100, 200, 256, 224), side=200)
    assert marked.shape == pixels.shape
    np.testing.assert_array_equal(marked[50, 100], (250, 20, 20))
    outside = marked[50, 5]
    assert outside[0] == outside[1] == outside[2]
    np.testing.assert_array_equal(
        marked_crop(pixels, whole_frame(100, 200, (48, 48), "squash"), side=200), pixels
    )
