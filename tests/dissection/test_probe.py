"""Probe sets from folders and from memory."""

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from xai_assets.dissection.probe import ArrayProbe, FolderProbe, ProbeError
from xai_assets.errors import XaiError


@pytest.fixture
def folder(tmp_path):
    for name in "cab":
        Image.fromarray(np.full((5, 7, 3), ord(name), np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "aa.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not asked for")
    return tmp_path


def test_a_folder_is_read_in_order_and_bad_files_set_aside(folder):
    probe = FolderProbe(folder)
    assert probe.ids == ["a.png", "b.png", "c.png"] and probe.image(1)[0, 0, 0] == ord("b")
    assert [bad.path.endswith("aa.png") for bad in probe.quarantined] == [True]
    assert probe.others == ["notes.txt"]
    assert probe.concepts is None and probe.labels(0) == {} and probe.label_size(0) == (5, 7)
    assert FolderProbe(folder, limit=2).ids == ["a.png", "b.png"]


def test_the_hash_follows_names_and_content(folder):
    before = FolderProbe(folder).sha256
    assert FolderProbe(folder).sha256 == before != FolderProbe(folder, limit=2).sha256
    (folder / "c.png").rename(folder / "d.png")
    renamed = FolderProbe(folder).sha256
    Image.fromarray(np.zeros((5, 7, 3), np.uint8)).save(folder / "d.png")
    assert len({before, renamed, FolderProbe(folder).sha256}) == 3


def test_a_folder_of_broken_files_is_an_error(tmp_path):
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(ProbeError, match="none of its 1 image files"):
        FolderProbe(tmp_path)


def test_a_folder_without_pictures_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(XaiError, match="it holds no image files"):
        FolderProbe(tmp_path)
    with pytest.raises(XaiError, match="there is no such folder"):
        FolderProbe(tmp_path / "none")


def test_arrays_make_a_probe_named_by_content():
    images = [np.zeros((4, 4, 3), np.uint8)]
    concepts = pd.DataFrame({"number": [1], "name": ["sky"], "category": ["object"]})

    def labelled(value):
        return ArrayProbe(images, [{"object": np.full((1, 2, 2), value, np.uint16)}], concepts)

    assert labelled(1).sha256 == labelled(1).sha256 != labelled(0).sha256 != ArrayProbe(images).sha256
    assert labelled(1).label_size(0) == (2, 2) and ArrayProbe(images).label_size(0) == (4, 4)
    with pytest.raises(ProbeError, match="come together"):
        ArrayProbe(images, [{}])
    with pytest.raises(ProbeError, match="1 images, 2 different ids"):
        ArrayProbe(images, ids=["a", "b"])
    with pytest.raises(ProbeError, match="concept number 0"):
        ArrayProbe(images, [{}], concepts.assign(number=0))


def test_a_file_that_changes_is_no_image_of_the_probe_any_more(tmp_path):
    """Else activations of one image would stand beside words found for another."""
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    probe = FolderProbe(tmp_path)
    probe.load(0)
    Image.fromarray(np.ones((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(XaiError, match="the file has changed while it was worked with"):
        probe.image(0)


def test_names_that_are_shown_alike_are_not_filed_under_one(tmp_path):
    for name in (b"caf\xe9.png", rb"caf\xe9.png", b"a\nb.png"):
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "x.png")
        (tmp_path / "x.png").rename(tmp_path / os.fsdecode(name))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "1.jpg").write_bytes(b"x")
    probe = FolderProbe(tmp_path)
    assert sorted(probe.ids) == [r"a\nb.png", r"caf\xe9.png"]
    assert "its name is taken" in probe.quarantined[0].why
    assert probe.others == ["sub/1.jpg"]
