"""A folder as people have them: right pictures in the table, the others by name, and no picture suffers from another."""

import os

import numpy as np
import pytest
from PIL import Image

from xai_assets.analysis import predictions as predictions_module
from xai_assets.analysis.images import image_names, images
from xai_assets.analysis.predictions import explained_classifier, predictions
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.explain import explain
from xai_assets.checks.inputs import PREDICTED
from xai_assets.errors import XaiError
from xai_assets.settings import Settings
from xai_assets.study_file import read_study
from xai_assets.vision.class_matching import UnknownClass

STUDY = """\
title: A folder as it comes
attribution:
  model: diorama/object
  images: {folder: pictures}
  methods:
    lime: {num_samples: 10}
"""
RAMP = np.linspace(0, 255, 40 * 60 * 3).astype(np.uint8).reshape(40, 60, 3)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    root = tmp_path_factory.mktemp("bad")
    folder = root / "pictures"
    folder.mkdir()
    ramp = Image.fromarray(RAMP)
    turned = Image.Exif()
    turned[0x0112] = 6  # the stored left edge is the upright top
    frames = [Image.new("RGB", (5, 5), colour) for colour in ("red", "blue")]
    ramp.save(folder / "plain.png")
    ramp.convert("CMYK").save(folder / "cmyk.jpg", quality=98)
    ramp.convert("P").save(folder / "palette.png")
    Image.fromarray(RAMP[..., 0].astype(np.uint16) * 257).save(folder / "sixteen.png")
    ramp.convert("RGBA").save(folder / "alpha.png")
    ramp.save(folder / "turned.jpg", exif=turned.tobytes(), quality=98)
    Image.new("RGB", (1, 1), (9, 200, 30)).save(folder / "one.png")
    Image.fromarray(RAMP % 2).save(folder / "scaled.png")
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("1", (12_000, 8_000)).save(folder / "vast.png")
    ramp.save(folder / "cut.jpg")
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:-200])
    (folder / "empty.png").touch()
    (folder / "text.jpg").write_text("not a picture", encoding="utf-8")
    path = root / "folder.yaml"
    path.write_text(STUDY, encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(root / "data"), "XAI_DEVICE": "cpu"})
    return Workbench(settings, read_study(path))


@pytest.fixture(scope="module")
def table(bench):
    return images(bench)


GOOD = {
    "plain.png": "RGB", "cmyk.jpg": "CMYK", "palette.png": "P", "sixteen.png": "I;16", "alpha.png": "RGBA",
    "turned.jpg": "RGB", "one.png": "RGB", "scaled.png": "RGB",
}  # fmt: skip
BAD = {
    "moving.gif": "several frames",
    "vast.png": "12000 x 8000 pixels",
    "cut.jpg": "truncated or damaged",
    "empty.png": "empty",
    "text.jpg": "not an image",
}


def test_right_pictures_are_kept_with_the_mode_they_had(table):
    good = table[table["status"] == "ok"].set_index("image_id")
    assert good["mode"].to_dict() == GOOD
    assert (good.loc["turned.jpg", "height"], good.loc["turned.jpg", "width"]) == (60, 40)


def test_the_others_are_quarantined_by_name_with_reason_and_remedy(table, bench):
    bad = table[table["status"] == "quarantined"].set_index("image_id")["reason"].to_dict()
    assert bad.keys() == BAD.keys()
    for name, why in BAD.items():
        assert why in bad[name]
        assert any(problem.startswith(f"{name}: ") for problem in bench.tally.set_aside)


def test_every_right_picture_is_what_it_shows(table, bench):
    kept = table[table["status"] == "ok"].set_index("image_id")["picture"].to_dict()
    pixels = {name: bench.store.get("pictures", key)[0]["pixels"].astype(int) for name, key in kept.items()}
    np.testing.assert_array_equal(pixels["alpha.png"], RAMP)
    np.testing.assert_array_equal(pixels["sixteen.png"], np.repeat(RAMP[..., :1], 3, axis=2))
    assert np.abs(pixels["cmyk.jpg"] - RAMP).mean() < 8
    assert np.abs(pixels["turned.jpg"] - np.rot90(RAMP, -1)).mean() < 3
    assert pixels["one.png"].tolist() == [[[9, 200, 30]]]


def test_each_prediction_has_its_range_check(table, bench):
    found = predictions(bench, table).set_index("image_id")
    assert set(found.index) == set(GOOD)
    check = found["input_check"].to_dict()
    assert {name for name, said in check.items() if said == "ok"} == set(GOOD) - {"one.png", "scaled.png"}
    assert check["one.png"].startswith("nearly constant")
    assert check["scaled.png"].startswith("no pixel is above 1 of 255")
    low, high = (-0.485 / 0.229, (1 - 0.406) / 0.225)
    assert ((found["input_low"] >= low - 1e-4) & (found["input_high"] <= high + 1e-4)).all()
    assert (found["input_low"] <= found["input_high"]).all()
    assert found["probability"].between(0, 1).all()


def test_a_folder_of_bad_pictures_alone_says_why(bench, tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.png").touch()
    (tmp_path / "folder.yaml").write_text(STUDY, encoding="utf-8")
    with pytest.raises(XaiError, match=r"no image can be used .*empty"):
        images(Workbench(bench.settings, read_study(tmp_path / "folder.yaml")))


@pytest.mark.parametrize("target", [-1, 12, 10**6])
def test_a_class_out_of_range_is_named_with_the_range(bench, target):
    with pytest.raises(UnknownClass, match=rf"the class {target}: .*Use 0 to 11"):
        explain("lime", explained_classifier(bench), RAMP, target)


@pytest.mark.parametrize(
    ("preprocessing", "sides", "why"),
    [
        ("{mode: native, size: 128}", (160, 128), "160 x 128"),
        ("{mode: resize_crop, resize: 256, size: 224}", (60_000, 1), "too long and thin"),
    ],
)
def test_an_image_that_preprocessing_does_not_take_is_set_aside(bench, tmp_path, preprocessing, sides, why):
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.new("RGB", (128, 128), (90, 60, 30)).save(folder / "good.png")
    Image.new("RGB", sides).save(folder / "other.png")
    model = f"{{name: diorama/object, preprocessing: {preprocessing}}}"
    (tmp_path / "folder.yaml").write_text(STUDY.replace("diorama/object", model), encoding="utf-8")
    opened = Workbench(bench.settings, read_study(tmp_path / "folder.yaml"))
    table = images(opened).set_index("image_id")
    assert table["status"].to_dict() == {"good.png": "ok", "other.png": "quarantined"}
    assert why in table.loc["other.png", "reason"] and "other.png" in opened.tally.set_aside[0]
    assert set(predictions(opened, table.reset_index())["image_id"]) == {"good.png"}


def test_an_image_without_an_answer_is_left_out_of_predictions_alone(bench, table, monkeypatch):
    def unlucky(bench, classifier, classes, image, *more, **known):
        if image["image_id"] == "one.png":
            raise XaiError("one.png", "gives scores that are not finite", "Look at the checkpoint.")
        return real(bench, classifier, classes, image, *more, **known)

    real = predictions_module.explained_rows
    monkeypatch.setattr(predictions_module, "explained_rows", unlucky)
    opened = Workbench(bench.settings, bench.file)
    found = predictions(opened, table)
    assert set(found["image_id"]) == set(GOOD) - {"one.png"}
    left_out = predictions_module.step_facts(opened, found)
    assert left_out[["what", "name"]].to_numpy().tolist() == [["prediction", "one.png"]]
    verdict = PREDICTED.look(found, table, left_out)
    assert verdict.passed and "1 have no prediction. one.png" in verdict.said
    assert not PREDICTED.look(found, table).passed


def test_odd_names_and_files_beside_the_images_are_told(bench, tmp_path):
    """A name that is no UTF-8, one with a line feed, a pipe named like an image, and an image that is nearly black."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in (b"caf\xe9.png", b"a\nb;c.png"):
        Image.fromarray(RAMP).save(folder / "x.png")
        (folder / "x.png").rename(folder / os.fsdecode(name))
    Image.fromarray(RAMP[..., 0].astype(np.uint16) * 16).save(folder / "xray.png")
    (folder / "scan.heic").write_bytes(b"x")
    os.mkfifo(folder / "pipe.png")
    (tmp_path / "folder.yaml").write_text(STUDY, encoding="utf-8")
    other = Workbench(bench.settings, read_study(tmp_path / "folder.yaml"))
    table = images(other)
    assert table["image_id"].tolist() == [r"a\nb;c.png", r"caf\xe9.png", "xray.png"]
    assert table["image_id"].tolist() == list(image_names(other.file))
    said = "\n".join(other.tally.problems)
    assert "scan.heic: files of the suffix .heic are not read" in said
    assert "pipe.png: it is a named pipe" in said
    assert "its values are at most " in said.split("xray.png: ")[1]
    check = predictions(other, table).set_index("image_id")["input_check"]
    assert "12-bit values" in check["xray.png"]
    assert "12-bit" not in check[r"caf\xe9.png"]
