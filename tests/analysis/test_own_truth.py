"""A study's own masks or boxes: the truth of its cases in the model's frame, as Diorama's is; what lacks is said."""

import json
import unicodedata

import numpy as np
import pytest
from PIL import Image
from torchvision.models._meta import _IMAGENET_CATEGORIES

from xai_assets.analysis.evaluation import localization
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.images import images
from xai_assets.analysis.label_classes import LabelClasses
from xai_assets.analysis.needs import needs
from xai_assets.analysis.own_truth import ground_truth, within
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.reference_masks import Case, MaskError, names_of_images
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.automation.watched_files import image_files
from xai_assets.settings import Settings
from xai_assets.study import TruthSource
from xai_assets.study_file import StudyError, read_study
from xai_assets.vision.class_matching import ClassMatcher
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
OTHER = np.roll(MASK, -12, axis=1)


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


def test_some_truth_is_given(tmp_path):
    with pytest.raises(StudyError, match="truth"):
        bench(tmp_path, "{}")


def coco(path, file_name="a.png", bbox=(25, 10, 15, 10), **image):
    content = {
        "images": [{"id": 1, "file_name": file_name, **image}],
        "categories": [{"id": 1, "name": "Dog"}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": list(bbox)}],
    }
    path.write_text(json.dumps(content), encoding="utf-8")


def truth_of(root, given, image_id="a.png", target="dog", *, size=(40, 60), tally=None, **case):
    frame = whole_frame(*size, size, "native")
    source = TruthSource.model_validate(given)
    of_case = ground_truth(source, lambda name: root / name, tally or Tally())
    return of_case(Case(image_id, target, True, frame, **case))


@pytest.mark.parametrize(
    "file_name", ["a.png", "val2017/a.png", "C:\\data\\val\\a.png", " a.png "]
)  # fmt: skip
def test_a_file_may_name_folders_and_cases(tmp_path, file_name):
    coco(tmp_path / "b.json", file_name, width=60, height=40)
    np.testing.assert_array_equal(truth_of(tmp_path, {"boxes": "b.json"}), MASK)


def test_names_in_two_unicode_forms_are_one(tmp_path):
    coco(tmp_path / "b.json", unicodedata.normalize("NFC", "caf\u00e9.png"))
    image = unicodedata.normalize("NFD", "caf\u00e9.png")
    np.testing.assert_array_equal(truth_of(tmp_path, {"boxes": "b.json"}, image), MASK)
    (tmp_path / "masks").mkdir()
    save(tmp_path / "masks" / "caf\u00e9.png", MASK)
    np.testing.assert_array_equal(truth_of(tmp_path, {"masks": "masks"}, image), MASK)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"width": 120, "height": 80}, "120 x 80 pixels, and it has 60 x 40"),
        ({"width": 40, "height": 60}, "EXIF orientation"),
        ({"bbox": (25, 10, 100, 10)}, "reaches beyond the image of 60 x 40"),
        ({"bbox": (-9, 10, 20, 10)}, "reaches beyond the image of 60 x 40"),
        ({"file_name": "other.png"}, "no image of that name"),
        ({"width": 0, "height": 40}, "width is 0"),
    ],
)
def test_boxes_of_another_size_or_image_are_no_truth(tmp_path, given, why):
    coco(tmp_path / "b.json", **given)
    with pytest.raises(MaskError, match=why):
        truth_of(tmp_path, {"boxes": "b.json"})


def test_a_name_that_two_folders_have_is_not_guessed(tmp_path):
    content = {
        "images": [{"id": n, "file_name": f"{n}/a.png"} for n in (1, 2)],
        "categories": [{"id": 1, "name": "dog"}],
        "annotations": [{"image_id": n, "category_id": 1, "bbox": [25, 10, 15, 10]} for n in (1, 2)],
    }
    (tmp_path / "b.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MaskError, match=r"1/a\.png and 2/a\.png"):
        truth_of(tmp_path, {"boxes": "b.json"})


def test_a_class_that_the_image_has_no_box_of_is_told_which_it_has(tmp_path):
    coco(tmp_path / "b.json")
    with pytest.raises(MaskError, match="none of this class for the image; it has Dog"):
        truth_of(tmp_path, {"boxes": "b.json"}, target="cat")


@pytest.mark.parametrize(
    ("bbox", "fits"), [((24, 9, 17, 12), True), ((0, 0, 15, 10), False), ((0, 0, 60, 40), False)]
)
def test_masks_and_boxes_are_compared(tmp_path, bbox, fits):
    coco(tmp_path / "b.json", bbox=bbox)
    (tmp_path / "masks").mkdir()
    save(tmp_path / "masks" / "a.png", MASK)
    both = {"masks": "masks", "boxes": "b.json"}
    if fits:
        np.testing.assert_array_equal(truth_of(tmp_path, both), MASK)
    else:
        with pytest.raises(MaskError, match="do not agree"):
            truth_of(tmp_path, both)


def test_rows_that_are_set_aside_are_in_the_tally(tmp_path):
    (tmp_path / "b.csv").write_text(
        "image,class,left,top,right,bottom\na.png,dog,25,10,40,20\na.png,dog,9,9,9,9\n", encoding="utf-8"
    )
    tally = Tally()
    np.testing.assert_array_equal(truth_of(tmp_path, {"boxes": "b.csv"}, tally=tally), MASK)
    (line,) = tally.problems
    assert line.startswith("b.csv, line 3: the box from (9, 9)")


def test_a_mask_of_no_class_and_an_inverted_one_are_remarked(tmp_path):
    folder = tmp_path / "masks"
    (folder / "dog").mkdir(parents=True)
    disc = np.hypot(*np.mgrid[-20:20, -30:30]) > 9
    save(folder / "a.png", disc)
    save(folder / "dog" / "b.png", MASK)
    save(folder / "c.dog.png", MASK)
    for image, said in (("a.png", ["is it inverted", "names no class"]), ("b.jpg", []), ("c.jpg", [])):
        tally = Tally()
        assert truth_of(tmp_path, {"masks": "masks"}, image, tally=tally).any()
        assert len(tally.problems) == len(said) and not tally.lost
        assert all(word in line for word, line in zip(said, tally.problems, strict=True))


def test_a_mask_of_two_images_is_not_guessed(tmp_path):
    (tmp_path / "masks").mkdir()
    save(tmp_path / "masks" / "a.png", MASK)
    with pytest.raises(MaskError, match="several images are called a"):
        truth_of(tmp_path, {"masks": "masks"}, "a.jpg", names=("a.jpg",))
    save(tmp_path / "masks" / "a.jpg.png", MASK)
    np.testing.assert_array_equal(truth_of(tmp_path, {"masks": "masks"}, "a.jpg", names=("a.jpg",)), MASK)


def test_two_images_of_one_name_have_their_own_masks_and_boxes(tmp_path):
    names = names_of_images(["dog/a.jpg", "cat/a.jpg", "cat/b.jpg"])
    assert names["dog/a.jpg"] == ("dog/a.jpg", "dog/a")
    assert names["cat/b.jpg"] == ("cat/b.jpg", "cat/b", "b.jpg", "b")
    for folder in ("dog", "cat"):
        (tmp_path / "masks" / folder).mkdir(parents=True)
    save(tmp_path / "masks" / "dog" / "a.png", MASK)
    save(tmp_path / "masks" / "cat" / "a.png", OTHER)
    masks, boxes = {"masks": "masks"}, {"boxes": "boxes.csv"}
    for image, target, wanted in (("dog/a.jpg", "dog", MASK), ("cat/a.jpg", "cat", OTHER)):
        found = truth_of(tmp_path, masks, image, target, names=names[image])
        np.testing.assert_array_equal(found, wanted)
    (tmp_path / "boxes.csv").write_text(
        "image,class,left,top,right,bottom\ndog/a.jpg,dog,25,10,40,20\nb.jpg,cat,25,10,40,20\n",
        encoding="utf-8",
    )
    for image, target in (("dog/a.jpg", "dog"), ("cat/b.jpg", "cat")):
        np.testing.assert_array_equal(truth_of(tmp_path, boxes, image, target, names=names[image]), MASK)
    with pytest.raises(MaskError, match=r"lists no image of that name"):
        truth_of(tmp_path, boxes, "cat/a.jpg", "cat", names=names["cat/a.jpg"])
    (tmp_path / "boxes.csv").write_text(
        "image,class,left,top,right,bottom\na.jpg,dog,25,10,40,20\n", encoding="utf-8"
    )
    with pytest.raises(MaskError, match=r"several images are called a\.jpg"):
        truth_of(tmp_path, boxes, "dog/a.jpg", names=names["dog/a.jpg"])


def test_classes_of_masks_and_boxes_are_found_as_labels_are(tmp_path):
    matcher = ClassMatcher(_IMAGENET_CATEGORIES, "m")
    case = {"means": lambda word: 207 in matcher.candidates(word)}
    for at, name in enumerate(
        ("a.n02099601.png", "n02099601-golden_retriever/a.png", "a.Golden_Retriever.png", "a.207.png")
    ):
        folder = tmp_path / f"masks{at}"
        (folder / name).parent.mkdir(parents=True)
        save(folder / name, MASK)
        save(folder / "a.tench.png", OTHER)
        found = truth_of(tmp_path, {"masks": f"masks{at}"}, "a.jpg", "golden retriever", **case)
        np.testing.assert_array_equal(found, MASK)
    (tmp_path / "boxes.csv").write_text(
        "image,class,left,top,right,bottom\na.jpg,tench,0,0,60,40\na.jpg,n02099601,25,10,40,20\n",
        encoding="utf-8",
    )
    found = truth_of(tmp_path, {"boxes": "boxes.csv"}, "a.jpg", "golden retriever", **case)
    np.testing.assert_array_equal(found, MASK)


def test_a_mask_without_a_class_is_of_the_label_and_not_of_a_wrong_answer(tmp_path):
    classes = LabelClasses(ClassMatcher(["dog", "cat"], "m"))
    (tmp_path / "masks").mkdir()
    save(tmp_path / "masks" / "a.png", MASK)
    frame = whole_frame(40, 60, (40, 60), "native")
    tally = Tally()
    of_case = ground_truth(TruthSource(masks="masks"), lambda name: tmp_path / name, tally)
    np.testing.assert_array_equal(of_case(classes.case("a.jpg", 0, [0, 1], ["Dog"], frame)), MASK)
    assert tally.problems == ("a.png: it names no class and is taken as of the image's label",)
    for labels, why in (
        (["Dog"], "names no class, and is taken as of the image's label 'Dog'"),
        (["zebra"], "names no class, and is taken as of the image's label 'zebra'"),
        (["dog", "cat"], "the image has several target classes"),
    ):
        with pytest.raises(MaskError, match=why):
            of_case(classes.case("a.jpg", 1, [0, 1], labels, frame))
    np.testing.assert_array_equal(of_case(classes.case("a.jpg", 1, [1], [], frame)), MASK)


def save(path, mask):
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)
