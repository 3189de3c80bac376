"""Boxes from CSV and COCO's JSON: the same boxes; what is wrong is named by line or annotation."""

import json

import pytest

from xai_assets.interop.boxes import BoxError, read_boxes

HEAD = "image,class,left,top,right,bottom\n"
COCO = {
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.jpg"}],
    "categories": [{"id": 3, "name": "dog"}, {"id": 5, "name": "cat"}],
    "annotations": [
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 10, 20.5]},
        {"image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1], "iscrowd": 0},
        {"image_id": 9, "category_id": 5, "bbox": [4, 4, 4, 4]},
        {"image_id": 9, "category_id": 3, "bbox": [0, 0, 99, 99], "iscrowd": 1},
    ],
}
WANTED = {
    ("a.jpg", "dog"): [(1.0, 2.0, 11.0, 22.5), (0.0, 0.0, 1.0, 1.0)],
    ("b.jpg", "cat"): [(4.0, 4.0, 8.0, 8.0)],
}


def test_csv_and_coco_give_the_same_boxes(tmp_path):
    (tmp_path / "boxes.csv").write_text(
        HEAD + "a.jpg,dog,1,2,11,22.5\na.jpg,dog,0,0,1,1\nb.jpg, cat ,4,4,8,8\n", encoding="utf-8"
    )
    (tmp_path / "instances.json").write_text(json.dumps(COCO), encoding="utf-8")
    assert read_boxes(tmp_path / "boxes.csv") == read_boxes(tmp_path / "instances.json") == WANTED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("image,class\n", "it has no column left"),
        (HEAD + "a.jpg,dog,1,2,3\n", "line 2: it has too many or too few values"),
        (HEAD + "a.jpg,dog,1,2,one,4\n", "line 2: an edge is not a number"),
        (HEAD + "a.jpg,dog,5,2,5,4\n", "line 2: the box from .* has no area"),
        (HEAD + "a.jpg,dog,1,2,inf,4\n", "line 2: .* has no area"),
        (HEAD + "a.jpg,dog,nan,2,3,4\n", "line 2: .* has no area"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, text, why):
    (tmp_path / "boxes.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BoxError, match=why):
        read_boxes(tmp_path / "boxes.csv")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[1]", "no object at its top"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("{}", "not COCO's format .KeyError: 'images'"),
        (json.dumps(COCO | {"images": [{"id": "x", "file_name": "a"}]}), "not COCO's format .ValueError"),
        (json.dumps(COCO | {"annotations": [{"image_id": 8, "category_id": 3, "bbox": [0, 0, 1, 1]}]}), "KeyError: 8"),
        (json.dumps(COCO | {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 1]}]}), "ValueError"),
        (json.dumps(COCO | {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, -1, 1]}]}), "0: .*no area"),
        (json.dumps(COCO | {"annotations": "none"}), "not COCO's format .AttributeError"),
    ],
)  # fmt: skip
def test_json_that_is_not_coco_s_is_refused(tmp_path, content, why):
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(BoxError, match=why):
        read_boxes(tmp_path / "a.json")


def test_a_file_that_is_not_there_is_named(tmp_path):
    for name in ("a.csv", "a.json"):
        with pytest.raises(BoxError, match=name):
            read_boxes(tmp_path / name)
