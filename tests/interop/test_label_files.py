"""Labels from CSV and COCO's JSON: known answers, wrong rows by their line, and never a traceback."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.interop.label_files import LabelError, read_labels

HEAD = "image,label\n"
COCO = {
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.jpg"}, {"id": 11, "file_name": "c.jpg"}],
    "categories": [{"id": 3, "name": "dog"}, {"id": 5, "name": "cat; or so"}],
    "annotations": [
        {"image_id": 7, "category_id": 3, "bbox": [1, 2, 10, 20.5]},
        {"image_id": 7, "category_id": 3},
        {"image_id": 9, "category_id": 5, "bbox": [4, 4, 4, 0]},
        {"image_id": 9, "category_id": 3, "iscrowd": 1},
    ],
}  # fmt: skip


def written(folder, text, name="labels.csv"):
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder / name


def test_a_csv_file(tmp_path):
    path = written(
        tmp_path, '\ufefflabel, image ,note\ndog,a.jpg,\r\n"cat; or, so", b.jpg ,x\ndog,b.jpg,\ndog,a.jpg,\n'
    )
    found = read_labels(path)
    assert found.labels == {"a.jpg": ["dog"], "b.jpg": ["cat; or, so", "dog"]}
    assert found.places == {"a.jpg": "line 2", "b.jpg": "line 3"}
    assert not found.set_aside and not found.splits


def test_coco_s_categories_also_of_crowds_and_without_boxes(tmp_path):
    found = read_labels(written(tmp_path, json.dumps(COCO), "instances.json"))
    assert found.labels == {"a.jpg": ["dog"], "b.jpg": ["cat; or so", "dog"], "c.jpg": []}
    assert found.places["b.jpg"] == "image 9" and not found.set_aside


def test_coco_s_wrong_entries_are_set_aside(tmp_path):
    wrong = [
        {"id": 4, "image_id": 8, "category_id": 3},
        {"image_id": 7, "category_id": 4},
        {"image_id": 7},
        5,
    ]
    content = COCO | {"annotations": [*COCO["annotations"], *wrong]}
    found = read_labels(written(tmp_path, json.dumps(content), "a.json"))
    assert found.labels["a.jpg"] == ["dog"]
    assert dict(found.set_aside) == {
        "annotation 4": "there is no image 8 in the file",
        "annotation number 6": "there is no category 4 in the file",
        "annotation number 7": "it has no category_id",
        "annotation number 8": "it is no object",
    }


def test_a_split(tmp_path):
    path = written(
        tmp_path, "image,label,split\na.jpg,dog,train\nb.jpg,cat,test\nc.jpg,cat,\nb.jpg,dog,train\n"
    )
    assert read_labels(path).splits == {"train": 2, "test": 1}
    assert set(read_labels(path).labels) == {"a.jpg", "b.jpg", "c.jpg"}
    assert read_labels(path, "test").labels == {"b.jpg": ["cat"]}
    with pytest.raises(LabelError, match=r"no split 'tset'; it has test, train. Did you mean 'test'"):
        read_labels(path, "tset")
    with pytest.raises(
        LabelError, match=r"line 1: it has no column split; it has image, label. Add the column"
    ):
        read_labels(written(tmp_path, HEAD + "a.jpg,dog\n"), "test")
    with pytest.raises(LabelError, match="COCO's files have no splits"):
        read_labels(written(tmp_path, json.dumps(COCO), "a.json"), "test")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.jpg", "too many or too few values"),
        ("a.jpg,dog,cat", "too many or too few values"),
        ("a.jpg,", "it has no label"),
        (" ,dog", "it has no image"),
        ("a.jpg,do\x1bg", r"its label has characters that cannot be seen: 'do\\x1bg'"),
        (f"a.jpg,{'x' * 301}", "its label has 301 characters, more than 300"),
    ],
)
def test_a_wrong_row_is_set_aside_by_its_line(tmp_path, row, why):
    found = read_labels(written(tmp_path, f"{HEAD}b.jpg,cat\n{row}\n"))
    assert found.labels == {"b.jpg": ["cat"]}
    ((line, said),) = found.set_aside
    assert line == "line 3" and re.search(why, said)
    with pytest.raises(LabelError, match=f"none of its rows can be used: line 2: .*{why}"):
        read_labels(written(tmp_path, f"{HEAD}{row}\n"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "line 1: it has no column image and no column label; it has none"),
        (HEAD, "it has no rows"),
        ("filename,class\na.jpg,dog\n", "line 1: it has no column image and no column label; it has filename, class"),
        ("image,class\na.jpg,dog\n", "line 1: it has no column label; it has image, class"),
        ("image;label\na.jpg;dog\n", "it has image;label, parted by something else than commas"),
        ("a.jpg,dog\nb.jpg,cat\n", "it has a.jpg, dog. The first line is image,label"),
        ("image,label,label\na.jpg,dog,cat\n", "line 1: the column label stands twice"),
        (f'{HEAD}a.jpg,"{"x" * 140_000}"\n', "line 2: it cannot be read as CSV"),
    ],
)  # fmt: skip
def test_another_header_or_none_is_one_line(tmp_path, text, why):
    with pytest.raises(LabelError, match=why) as caught:
        read_labels(written(tmp_path, text))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "why"), [(b"image,label\na,\xff\n", "line 2"), (b"image,label\na,\0\n", "line 2")]
)
def test_bytes_that_are_no_text_are_refused_by_their_line(tmp_path, data, why):
    (tmp_path / "labels.csv").write_bytes(data)
    with pytest.raises(LabelError, match=why):
        read_labels(tmp_path / "labels.csv")


def test_what_is_no_file(tmp_path):
    with pytest.raises(LabelError, match="there is no such file"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(LabelError, match="a folder"):
        read_labels(tmp_path)


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    st.lists(st.lists(CELL, max_size=4), max_size=6),
    st.sampled_from(["image,label\n", "image,label,split\n", ""]),
)
def test_any_rows_are_labels_or_set_aside_by_line(tmp_path_factory, rows, head):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    _told(written(tmp_path_factory.getbasetemp(), head + text.getvalue(), "any.csv"))


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.sampled_from([HEAD, "image,label,split\n", ""]))
def test_any_text_is_labels_or_a_refusal_by_line(tmp_path_factory, text, head):
    _told(written(tmp_path_factory.getbasetemp(), head + text, "text.csv"))


def _told(path):
    lines = len(re.split(r"\r\n|\n|\r", path.read_text(encoding="utf-8"))) + 1
    refusal, found = "", None
    try:
        found = read_labels(path)
    except LabelError as error:
        refusal = str(error)
    if found is None:
        said = re.search(r"line (\d+)", refusal)
        assert (said and 1 <= int(said[1]) <= lines) or "it has no rows" in refusal
        assert "\n" not in refusal
        return
    assert all(labels and len(set(labels)) == len(labels) for labels in found.labels.values())
    for row, why in found.set_aside:
        assert re.fullmatch(r"line \d+", row) and 2 <= int(row.split()[1]) <= lines and why
