"""Broden's published layout, written by hand here, and what can be wrong with it."""

import os
import re

import numpy as np
import pytest
from PIL import Image

from xai_assets.dissection.probe import ProbeError
from xai_assets.errors import XaiError
from xai_assets.interop import broden
from xai_assets.interop.broden import BrodenProbe

INDEX = """image,split,ih,iw,sh,sw,color,object,part,material,scene,texture
a/one.png,train,8,12,4,6,a/one_color.png,a/one_object.png;a/one_more.png,,,3,
a/two.png,val,8,12,4,6,,301,,,3;4,
"""
LABEL = """number,name,category,frequency,coverage,syns
0,-,-,0,0,
1,black-c,color(1),1,0.5,
2,car,object(1);part(1),2,0.9,auto;automobile
3,street-s,scene(2),2,2.0,
4,beach-s,scene(1),1,1.0,
301,house,object(1),1,1.0,
"""
CATEGORY = "name,first,last,count,frequency\ncolor,1,1,1,1\nobject,2,301,2,2\npart,2,2,1,1\nscene,3,4,2,2\n"
TABLES = {
    "c_color.csv": "code,number,name,frequency,coverage\n1,1,black-c,1,0.5\n",
    "c_object.csv": "code,number,name,frequency,coverage\n1,2,car,1,0.8\n2,301,house,1,1.0\n",
    "c_part.csv": "code,number,name,frequency,coverage\n1,2,car,1,0.1\n",
    "c_scene.csv": "code,number,name,frequency,coverage\n1,3,street-s,2,2.0\n2,4,beach-s,1,1.0\n",
}


def label_map(number, size=(4, 6)):
    numbers = np.zeros(size, np.uint16)
    numbers[:2] = number
    return Image.fromarray(np.stack([numbers % 256, numbers // 256, np.zeros(size)], -1).astype(np.uint8))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "images" / "a").mkdir(parents=True)
    for name, text in {"index.csv": INDEX, "label.csv": LABEL, "category.csv": CATEGORY, **TABLES}.items():
        (tmp_path / name).write_text(text)
    for name, value in (("one", 10), ("two", 20)):
        Image.fromarray(np.full((8, 12, 3), value, np.uint8)).save(tmp_path / "images" / "a" / f"{name}.png")
    label_map(1).save(tmp_path / "images" / "a" / "one_color.png")
    label_map(301).save(tmp_path / "images" / "a" / "one_object.png")
    label_map(2).save(tmp_path / "images" / "a" / "one_more.png")
    return tmp_path


def test_pictures_and_labels_are_read(folder):
    probe = BrodenProbe(folder)
    assert probe.ids == ["a/one.png", "a/two.png"] and len(probe) == 2
    assert probe.image(1).shape == (8, 12, 3) and probe.image(1)[0, 0, 0] == 20
    assert probe.label_size(0) == (4, 6)
    labels = probe.labels(0)
    assert set(labels) == {"color", "object", "scene"}
    assert labels["object"].shape == (2, 4, 6) and labels["object"].dtype == np.uint16
    assert (
        labels["object"][0, 0, 0] == 301
        and labels["object"][1, 0, 0] == 2
        and not labels["object"][:, 2:].any()
    )
    assert labels["scene"].shape == (1, 1, 1) and labels["scene"].item() == 3
    assert {name: found.ravel().tolist() for name, found in probe.labels(1).items()} == {
        "object": [301],
        "scene": [3, 4],
    }


def test_a_label_belongs_to_the_category_where_it_covers_most(folder):
    concepts = BrodenProbe(folder).concepts.set_index("number")
    assert concepts["category"].to_dict() == {1: "color", 2: "object", 3: "scene", 4: "scene", 301: "object"}
    assert concepts.loc[2, "synonyms"] == ("auto", "automobile")


def test_limit_and_categories_narrow_it(folder):
    assert BrodenProbe(folder, limit=1).ids == ["a/one.png"]
    probe = BrodenProbe(folder, categories=["scene"])
    assert set(probe.labels(0)) == {"scene"} and probe.concepts["name"].tolist() == ["street-s", "beach-s"]
    with pytest.raises(ProbeError, match=r"no category colour.*There are color"):
        BrodenProbe(folder, categories=["colour"])


def test_the_hash_follows_the_content(folder):
    before, first_only = BrodenProbe(folder).sha256, BrodenProbe(folder, limit=1).sha256
    assert BrodenProbe(folder).sha256 == before != first_only
    label_map(2).save(folder / "images" / "a" / "one_object.png")
    changed = BrodenProbe(folder).sha256
    assert changed != before
    (folder / "label.csv").write_text(LABEL.replace("house", "hut"))
    assert BrodenProbe(folder).sha256 not in (before, changed)


def test_a_number_may_stand_beside_a_label_map(folder):
    (folder / "index.csv").write_text(INDEX.replace("one_more.png", "one_more.png;301"))
    found = BrodenProbe(folder).labels(0)["object"]
    assert found.shape == (3, 4, 6) and (found[2] == 301).all()


@pytest.mark.parametrize(
    ("name", "old", "new", "match"),
    [
        ("index.csv", "image,split", "picture,split", r"index\.csv.*no column image"),
        ("index.csv", "val,8,12,4,6", "val,8,12,4,six", r"index\.csv, line 3.*sw is 'six'"),
        ("index.csv", "a/two.png", "a/one.png", r"index\.csv, line 3.*stands in line 2 already"),
        ("label.csv", "4,beach-s", "3,beach-s", r"label\.csv, line 6.*3 is given twice"),
        ("label.csv", "number,name", "code,name", r"label\.csv.*no column number"),
        ("c_scene.csv", "2,2.0", "2,much", r"c_scene\.csv, line 2.*coverage is 'much'"),
        ("category.csv", "part,2,2,1,1", "mood,2,2,1,1", r"c_mood\.csv.*no such file"),
        ("index.csv", "train,8", "train,8,8,8", r"index\.csv, line 2.*too many"),
        ("c_scene.csv", "2,2.0", "2,nan", r"c_scene\.csv, line 2.*coverage is 'nan'"),
        ("c_scene.csv", "2,2.0", "2,1e999", r"c_scene\.csv, line 2.*coverage is '1e999'"),
        (
            "category.csv",
            "part,2,2,1,1",
            "../part,2,2,1,1",
            r"category\.csv, line 4.*cannot be part of a file's name",
        ),
        ("index.csv", "3;4", "3;70000", r"index\.csv, line 3.*at most 65535"),
        ("index.csv", "3;4", "3;" + "9" * 5000, r"index\.csv, line 3.*at most 65535"),
        ("index.csv", "3;4", "3;" * 300, r"index\.csv, line 3.*scene has 300 entries, more than 256"),
    ],
)
def test_a_wrong_table_names_file_and_line(folder, name, old, new, match):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))
    with pytest.raises(ProbeError, match=match):
        BrodenProbe(folder)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("a/one_color.png", "../../secret.png", r"line 2.*leads out of the folder"),
        ("a/one_color.png", "/etc/passwd", r"line 2.*leads out of the folder"),
        ("a/one_color.png", "a/none.png", r"line 2.*no file .*none\.png"),
        (",3,\n", ",77,\n", r"line 2.*label 77, which label\.csv does not have"),
    ],
)
def test_a_wrong_label_entry_names_the_line(folder, old, new, match):
    assert old in INDEX
    (folder / "index.csv").write_text(INDEX.replace(old, new, 1))
    with pytest.raises(ProbeError, match=match):
        BrodenProbe(folder).labels(0)


def test_a_wrong_label_map_names_the_file(folder):
    path = folder / "images" / "a" / "one_object.png"
    probe = BrodenProbe(folder)
    label_map(301, (8, 6)).save(path)
    with pytest.raises(ProbeError, match=re.escape(str(path.resolve())) + r".*8 x 6, line 2 .* 4 x 6"):
        probe.labels(0)
    label_map(300).save(path)
    with pytest.raises(ProbeError, match=r"one_object\.png.*label 300"):
        probe.labels(0)
    path.write_bytes(b"not a picture")
    with pytest.raises(ProbeError, match=r"one_object\.png.*no readable PNG"):
        probe.labels(0)
    Image.fromarray(np.zeros((4, 6), np.uint16)).save(path)
    with pytest.raises(ProbeError, match=r"one_object\.png.*its mode is I;16"):
        probe.labels(0)


def test_label_maps_are_limited_before_they_are_decoded(folder, monkeypatch):
    """A small PNG can claim any number of pixels, and a cell can name it many times."""
    probe = BrodenProbe(folder)
    monkeypatch.setattr(broden, "MAX_PIXELS", 30)
    with pytest.raises(ProbeError, match="line 2: its 2 maps of object have more than 30 pixels"):
        probe.labels(0)
    monkeypatch.setattr(broden, "MAX_PIXELS", 20)
    with pytest.raises(ProbeError, match=r"one_color\.png: 4 x 6 pixels are more than 20"):
        probe.labels(0)


@pytest.mark.parametrize("name", ["one.png", "one_color.png"])
def test_a_file_that_changes_after_it_was_hashed_is_refused(folder, name):
    probe = BrodenProbe(folder)
    assert probe.sha256 == BrodenProbe(folder).sha256
    label_map(0, (8, 12) if name == "one.png" else (4, 6)).save(folder / "images" / "a" / name)
    with pytest.raises(XaiError, match="the file has changed while it was worked with"):
        probe.image(0) if name == "one.png" else probe.labels(0)


def test_a_pipe_is_no_table(folder):
    (folder / "index.csv").unlink()
    os.mkfifo(folder / "index.csv")
    with pytest.raises(ProbeError, match="named pipe"):
        BrodenProbe(folder)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "label.png"
    label_map(1).save(outside)
    path = folder / "images" / "a" / "one_color.png"
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(ProbeError, match="leads out of the folder"):
        BrodenProbe(folder).labels(0)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ProbeError, match="no folder images"):
        BrodenProbe(tmp_path)
