"""Boxes from CSV and COCO's JSON: the same boxes; what is wrong is named by line or annotation."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    for name in ("boxes.csv", "instances.json"):
        found = read_boxes(tmp_path / name)
        assert found.boxes == WANTED and found.count == 3
        crowds = [("annotation number 4", "it is a crowd (iscrowd), no single object")]
        assert found.set_aside == (crowds if name == "instances.json" else [])


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.jpg,dog,1,2,3", "too many or too few values"),
        ("a.jpg,,1,2,3,4", "too many or too few values"),
        ("a.jpg,dog,1,2,one,4", "an edge is not a number"),
        ("a.jpg,dog,5,2,5,4", "has no area"),
        ("a.jpg,dog,1,2,inf,4", "an edge is not a number"),
        ("a.jpg,dog,nan,2,3,4", "an edge is not a number"),
        ("a.jpg,dog,1,2,1e999,4", "not a finite number"),
        ("a.jpg,dog,1,2,1_0,4", "an edge is not a number"),
        ("a.jpg,dog,1,2,\u0661\u0660,4", "an edge is not a number"),
    ],
)
def test_a_wrong_line_is_set_aside_and_named(tmp_path, row, why):
    good = "b.jpg,cat,4,4,8,8\n"
    (tmp_path / "boxes.csv").write_text(HEAD + row + "\n" + good, encoding="utf-8")
    found = read_boxes(tmp_path / "boxes.csv")
    assert found.boxes == {("b.jpg", "cat"): [(4.0, 4.0, 8.0, 8.0)]}
    ((line, said),) = found.set_aside
    assert line == "line 2" and why in said
    (tmp_path / "boxes.csv").write_text(HEAD + row, encoding="utf-8")
    with pytest.raises(BoxError, match=rf"none of its boxes can be used \(1 set aside\); line 2: .*{why}"):
        read_boxes(tmp_path / "boxes.csv")


BAD_ANNOTATIONS = [
    ({"image_id": 7, "category_id": 3, "bbox": [296.65, 388.33, 1.03, 0.0]}, "has no area"),
    ({"image_id": 7, "category_id": 3, "bbox": [0, 0, -1, 1]}, "has no area"),
    ({"image_id": 7, "category_id": 3, "bbox": []}, "not left, top, width and height"),
    ({"image_id": 7, "category_id": 3, "bbox": [0, 0, 1]}, "not left, top, width and height"),
    ({"image_id": 7, "category_id": 3}, "not left, top, width and height"),
    ({"image_id": 7, "category_id": 3, "bbox": [0, 0, float("nan"), 1]}, "not a finite number"),
    ({"image_id": 7, "category_id": 3, "bbox": [0, 0, 10**400, 1]}, "not a finite number"),
    ({"image_id": 7, "category_id": 3, "bbox": [0, 0, "1_0", 1]}, "not a number"),
    ({"image_id": 7, "category_id": 3, "bbox": [0, 0, True, 1]}, "not a number"),
    ({"image_id": 8, "category_id": 3, "bbox": [0, 0, 1, 1]}, "no image 8 in the file"),
    ({"image_id": 7, "category_id": 4, "bbox": [0, 0, 1, 1]}, "no category 4 in the file"),
    ({"category_id": 3, "bbox": [0, 0, 1, 1]}, "has no image_id"),
    ({"image_id": None, "category_id": 3, "bbox": [0, 0, 1, 1]}, "has no image_id"),
    ({"image_id": [7], "category_id": 3, "bbox": [0, 0, 1, 1]}, "its image_id is"),
    ({"image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1], "iscrowd": "no"}, "neither 0 nor 1"),
    ("text", "no object"),
]


@pytest.mark.parametrize(("bad", "why"), BAD_ANNOTATIONS)
def test_a_wrong_annotation_is_set_aside_and_named(tmp_path, bad, why):
    marked = bad | {"id": 918} if isinstance(bad, dict) else bad
    content = COCO | {"annotations": [*COCO["annotations"], marked]}
    (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
    found = read_boxes(tmp_path / "a.json")
    assert found.boxes == WANTED
    ((what, said),) = [row for row in found.set_aside if not row[1].startswith("it is a crowd")]
    assert what == ("annotation 918" if isinstance(bad, dict) else "annotation number 5") and why in said


def test_what_tools_write_differently_is_read_alike(tmp_path):
    content = {
        "annotations": [
            {"image_id": "7", "category_id": "3", "bbox": ["1", "2", "10", 20.5], "iscrowd": "0"},
            {
                "image_id": 7,
                "category_id": 3,
                "bbox": [0, 0, 1, 1],
                "iscrowd": False,
                "segmentation": {"counts": "a"},
            },
            {"image_id": 9, "category_id": 5, "bbox": [4, 4, 4, 4], "iscrowd": None, "segmentation": []},
            {"image_id": 9, "category_id": 3, "bbox": [0, 0, 99, 99], "iscrowd": "1"},
        ],
        "info": {"year": 2017, "deep": [[[{}]]]},
        "images": [entry | {"width": 640.0, "height": "480"} for entry in COCO["images"]],
        "categories": COCO["categories"],
    }
    (tmp_path / "a.JSON").write_text("\ufeff" + json.dumps(content, indent=1), encoding="utf-8")
    found = read_boxes(tmp_path / "a.JSON")
    assert found.boxes == WANTED and found.sizes == {"a.jpg": (640, 480), "b.jpg": (640, 480)}
    assert list(found.images) == ["a.jpg", "b.jpg"] and list(found.classes) == ["dog", "cat"]


def test_entries_that_contradict_each_other_give_no_boxes(tmp_path):
    images = [
        {"id": 7, "file_name": "a.jpg", "width": 10, "height": 10},
        {"id": 7, "file_name": "other.jpg"},
        {"id": 9, "file_name": "b.jpg", "width": 10, "height": 10},
        {"id": 10, "file_name": "b.jpg", "width": 20, "height": 10},
        {"id": 11, "file_name": "c.jpg", "width": 0, "height": 10},
        {"id": 12, "file_name": "d.jpg"},
    ]
    boxes = [{"image_id": n, "category_id": 3, "bbox": [0, 0, 5, 5], "id": n} for n in (7, 9, 10, 11, 12)]
    content = {"images": images, "categories": COCO["categories"], "annotations": boxes}
    (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
    found = read_boxes(tmp_path / "a.json")
    assert found.boxes == {("d.jpg", "dog"): [(0.0, 0.0, 5.0, 5.0)]}
    assert found.set_aside == [("annotation 7", "its number 7 is that of 'a.jpg' and of 'other.jpg'")]
    assert "10 x 10 and with 20 x 10" in found.unclear["b.jpg"] and "width is 0" in found.unclear["c.jpg"]


@pytest.mark.parametrize("name", ["a.csv", "a.json"])
def test_shares_of_an_image_are_no_pixels(tmp_path, name):
    boxes = [{"image_id": 7, "category_id": 3, "bbox": [0.1, 0.2, 0.5, 0.5]}]
    text = (
        HEAD + "a.jpg,dog,0.1,0.2,0.6,0.7\n" if name == "a.csv" else json.dumps(COCO | {"annotations": boxes})
    )
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BoxError, match="between 0 and 1"):
        read_boxes(tmp_path / name)


def test_a_file_without_the_columns_is_refused(tmp_path):
    (tmp_path / "boxes.csv").write_text("image,class\n", encoding="utf-8")
    with pytest.raises(BoxError, match="it has no column left"):
        read_boxes(tmp_path / "boxes.csv")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("[1]", "no object at its top"),
        ("{", "is not JSON"),
        ("{}{", "more behind its end"),
        (json.dumps(COCO)[:-1], "is not JSON"),
        (json.dumps(COCO)[:100], "is not JSON"),
        ('{"images": [' + "[" * 100_000, "is not JSON .*nested too deeply"),
        ('{"info": ' + "[" * 100_000, "is not JSON .*nested too deeply"),
        ('{"images": [' + "9" * 5000 + "]}", "is not JSON .a number has too many digits"),
        ("{}", "lists no images"),
        (json.dumps({"images": []}), "lists no images"),
        (json.dumps(COCO | {"annotations": "none"}), "none of its boxes can be used .*: it is no object"),
    ],
)  # fmt: skip
def test_json_that_is_not_coco_s_is_refused(tmp_path, content, why):
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(BoxError, match=why):
        read_boxes(tmp_path / "a.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["id", "file_name", "name", "width", "height", "image_id", "category_id", "bbox", "iscrowd"]
)


@given(
    st.dictionaries(
        st.sampled_from(["images", "categories", "annotations", "info"]),
        st.lists(st.dictionaries(KEYS, JSON, max_size=6) | JSON, max_size=4) | JSON,
    ),
    st.text(alphabet=" \n\t}],{", max_size=3),
)
def test_whatever_json_holds_is_boxes_or_a_plain_refusal(tmp_path_factory, content, behind):
    path = tmp_path_factory.getbasetemp() / "any.json"
    text = json.dumps(content)
    path.write_text(text + behind, encoding="utf-8")
    try:
        boxes = read_boxes(path).boxes
    except BoxError:
        return
    assert isinstance(json.loads(text + behind), dict)
    assert all(left < right and top < bottom for of in boxes.values() for left, top, right, bottom in of)


def test_a_file_that_is_not_there_is_named(tmp_path):
    for name in ("a.csv", "a.json"):
        with pytest.raises(BoxError, match=name):
            read_boxes(tmp_path / name)
