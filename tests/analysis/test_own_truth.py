"""A study's own masks or boxes: the truth of its cases in the model's frame, as Diorama's is; what lacks is said."""

import numpy as np
import pytest
from PIL import Image

from xai_assets.analysis.evaluation import localization
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.images import images
from xai_assets.analysis.needs import needs
from xai_assets.analysis.own_truth import within
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.reference_masks import MaskError
from xai_assets.analysis.workbench import Workbench
from xai_assets.automation.watched_files import image_files
from xai_assets.settings import Settings
from xai_assets.study_file import StudyError, read_study
from xai_assets.vision.geometry import resize_crop_frame, whole_frame

STUDY = """\
title: Photographs with their truth
attribution:
  model: diorama/object
  images: {{folder: pictures}}
  truth: {truth}
  methods: {{gradcam: {{}}}}
"""
MASK = np.zeros((40, 60), dtype=bool)
MASK[10:20, 25:40] = True


def bench(root, truth):
    (root / "pictures").mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    for name in ("a.png", "b.png"):
        Image.fromarray(noise).save(root / "pictures" / name)
    (root / "own.yaml").write_text(STUDY.format(truth=truth), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(root / "data"), "XAI_DEVICE": "cpu"})
    return Workbench(settings, read_study(root / "own.yaml"))


def localised(root, truth):
    opened = bench(root, truth)
    pictures = images(opened)
    said = predictions(opened, pictures)
    return localization(opened, maps(opened, said, pictures, "gradcam"), said), said, opened


def test_masks_and_the_same_boxes_give_the_same_table(tmp_path):
    (tmp_path / "masks").mkdir()
    Image.fromarray(MASK.astype(np.uint8) * 255).save(tmp_path / "masks" / "a.png")
    drawn, said, opened = localised(tmp_path, "{masks: masks}")
    assert set(drawn["image_id"]) == {"a.png"}
    assert {"gradcam", "random"} <= set(drawn["method"])
    assert any("b.png" in problem and "no ground truth" in problem for problem in opened.tally.problems)
    name = said["target_name"].iloc[0]
    (tmp_path / "boxes.csv").write_text(
        f"image,class,left,top,right,bottom\na.png,{name},25,10,40,20\n", encoding="utf-8"
    )
    boxed, _, _ = localised(tmp_path, "{boxes: boxes.csv}")
    assert boxed.equals(drawn)


def test_another_truth_is_another_view(tmp_path):
    (tmp_path / "boxes.csv").write_text("image,class,left,top,right,bottom\n", encoding="utf-8")
    none, said, _ = localised(tmp_path, "{boxes: boxes.csv}")
    assert none.empty
    name = said["target_name"].iloc[0]
    densities = set()
    for right in (30, 40):
        (tmp_path / "boxes.csv").write_text(
            f"image,class,left,top,right,bottom\na.png,{name},20,5,{right},35\n", encoding="utf-8"
        )
        densities |= set(localised(tmp_path, "{boxes: boxes.csv}")[0]["chance_ap"].round(6))
    assert len(densities) == 2


def test_boxes_are_pixels_whose_centre_they_hold():
    frame = whole_frame(40, 60, (40, 60), "native")
    np.testing.assert_array_equal(within([(25, 10, 40, 20)], frame), MASK)
    np.testing.assert_array_equal(within([(24.51, 9.51, 40.49, 20.4)], frame), MASK)
    np.testing.assert_array_equal(within([(25, 10, 33, 20), (30, 10, 40, 20)], frame), MASK)
    cropped = resize_crop_frame(40, 60, 40, 32)
    np.testing.assert_array_equal(within([(25, 10, 40, 20)], cropped), cropped.crop_mask(MASK))
    for outside in ((100, 100, 120, 120), (0, 0, 0.4, 40)):
        with pytest.raises(MaskError, match="no pixel of what the model sees"):
            within([outside], frame)


def test_truth_that_is_missing_is_told_before_anything_runs_and_watched(tmp_path):
    opened = bench(tmp_path, "{masks: masks}")
    assert "the folder of true masks" in [need.what for need in needs(opened.file, opened.settings)]
    (tmp_path / "masks").mkdir()
    Image.fromarray(MASK).save(tmp_path / "masks" / "a.png")
    assert tmp_path / "masks" / "a.png" in image_files(opened.file)
    boxed = bench(tmp_path, "{boxes: boxes.csv}")
    assert "the file of true boxes" in [need.what for need in needs(boxed.file, boxed.settings)]
    (tmp_path / "boxes.csv").touch()
    assert tmp_path / "boxes.csv" in image_files(boxed.file)


@pytest.mark.parametrize("truth", ["{}", "{masks: a, boxes: b}"])
def test_exactly_one_kind_of_truth_is_given(tmp_path, truth):
    with pytest.raises(StudyError, match="truth"):
        bench(tmp_path, truth)
