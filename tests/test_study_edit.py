"""Entries go into a study's file, and every other byte stays."""

import os

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets import study_edit
from xai_assets.attribution.parameters import Grid, LimeParameters, Quickshift
from xai_assets.settings import shipped
from xai_assets.study_edit import block_text, entry_text, plain, with_entries, write_entries
from xai_assets.study_file import StudyError, StudyFile, read_study

HEAD = """\
# A study   with  its own spacing.
title: "Photographs"   # 'single' quotes elsewhere
attribution:
  model: diorama/object   # which one
  images: {folder: pictures}
  methods:
    lime: {segmentation: slic}
"""
TAIL = """\

# The end: ünïcode, and a schedule.
reports:   [lime]
"""
NEW = LimeParameters(segmentation=Grid(rows=4, columns=5), num_samples=200, hide_color=(1, 2, 3))
LINE = "{segmentation: {name: grid, rows: 4, columns: 5}, num_samples: 200, num_features: null, hide_color: [1, 2, 3]}"


def edited(text, entries=None):
    return with_entries(text, entries or {"a.png": NEW}, name="x")


def test_a_block_is_added_at_the_end_of_the_attribution_and_nothing_else_moves():
    assert edited(HEAD + TAIL) == HEAD + f"  lime_per_image:\n    a.png: {LINE}\n" + TAIL


def test_an_entry_is_added_to_a_block_below_its_last_line():
    block = "  # by hand\n  lime_per_image:\n    b.png: {num_samples: 5}  # few\n    # c is missing\n"
    assert (
        edited(HEAD + block + TAIL) == HEAD + block.replace("# few\n", f"# few\n    a.png: {LINE}\n") + TAIL
    )


@pytest.mark.parametrize(
    "old", ["{num_samples: 5}", "\n      num_samples: 5\n      segmentation:\n        name: slic"]
)
def test_an_entry_is_replaced_where_it_stands(old):
    text = HEAD + f"  lime_per_image:\n    a.png: {old}  # mine\n    b.png: {{num_samples: 7}}\n" + TAIL
    assert edited(text) == text.replace("a.png: " + old, "a.png: " + LINE)


@pytest.mark.parametrize(
    ("block", "new"),
    [
        ("  lime_per_image: {}  # none yet\n", f"  lime_per_image:  # none yet\n    a.png: {LINE}\n"),
        (
            "  lime_per_image: {b: {num_samples: 5}}\n",
            f"  lime_per_image: {{b: {{num_samples: 5}}, a.png: {LINE}}}\n",
        ),
        (
            "  lime_per_image: {\n    b: {num_samples: 5},  # five\n  }\n",
            f"  lime_per_image: {{\n    b: {{num_samples: 5}}, a.png: {LINE},  # five\n  }}\n",
        ),
    ],
)
def test_blocks_in_braces(block, new):
    assert edited(HEAD + block + TAIL) == HEAD + new + TAIL


@pytest.mark.parametrize("block", ["", ", lime_per_image: {}"])
def test_a_whole_attribution_in_braces(block):
    text = (
        f"title: x\nattribution: {{model: m, images: {{folder: f}}, methods: {{lime: {{}}}}{block}}}  # end\n"
    )
    new = edited(text)
    assert new == text.replace("{lime: {}}" + block, f"{{lime: {{}}}}, lime_per_image: {{a.png: {LINE}}}")


def test_windows_line_ends_and_a_missing_last_one_are_kept():
    assert edited((HEAD + TAIL).replace("\n", "\r\n")) == edited(HEAD + TAIL).replace("\n", "\r\n")
    assert edited(HEAD.rstrip("\n")) == HEAD + f"  lime_per_image:\n    a.png: {LINE}\n"


@pytest.mark.parametrize("name", ["demo", "imagenet-places", "photographs"])
def test_the_shipped_studies_can_be_edited(name, tmp_path):
    path = tmp_path / f"{name}.yaml"
    before = (shipped("studies") / f"{name}.yaml").read_text(encoding="utf-8")
    path.write_text(before, encoding="utf-8")
    write_entries(read_study(path), {"a.png": NEW, "n01443537_goldfish.JPEG": NEW})
    after = read_study(path).study
    assert after.attribution.lime_per_image["a.png"] == NEW
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in before.splitlines() if line not in lines and "goldfish" not in line] == []


names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(images=st.lists(names, unique=True, min_size=1, max_size=4), tail=st.sampled_from(["", TAIL]))
def test_any_name_is_read_back_and_the_rest_is_as_it_was(images, tail):
    text = HEAD + tail
    new = with_entries(text, dict.fromkeys(images, NEW), name="x")
    assert yaml.safe_load(new)["attribution"]["lime_per_image"] == dict.fromkeys(images, plain(NEW))
    assert new.startswith(HEAD)
    assert new.endswith(tail)
    again = with_entries(new, dict.fromkeys(images, NEW), name="x")
    assert again == new


def test_an_entry_says_everything_that_was_searched_and_what_is_not_the_default():
    assert entry_text("x", LimeParameters(kernel_width=0.5)).endswith("hide_color: mean, kernel_width: 0.5}")
    quickshift = LimeParameters(segmentation=Quickshift())
    assert LimeParameters.model_validate(plain(quickshift)) == quickshift
    assert "\n" not in entry_text("x" * 300, quickshift)


def test_a_file_of_entries_alone():
    text = block_text({"a.png": NEW, "b: c": NEW}, heading="Two.\nLines.")
    assert text.startswith("# Two.\n# Lines.\nlime_per_image:\n")
    assert yaml.safe_load(text) == {"lime_per_image": {"a.png": plain(NEW), "b: c": plain(NEW)}}


def test_nothing_is_written_where_it_would_change_more(tmp_path, monkeypatch):
    path = tmp_path / "small.yaml"
    path.write_text(HEAD, encoding="utf-8")
    file = read_study(path)
    monkeypatch.setattr(study_edit, "entry_text", lambda image, parameters: "a.png: {num_samples: 3}")
    with pytest.raises(StudyError, match="cannot be edited"):
        write_entries(file, {"a.png": NEW})
    monkeypatch.setattr(study_edit, "entry_text", lambda image, parameters: "a.png: {{{")
    with pytest.raises(StudyError, match="cannot be edited"):
        write_entries(file, {"a.png": NEW})
    assert path.read_text(encoding="utf-8") == HEAD
    assert os.listdir(tmp_path) == ["small.yaml"]


def test_a_study_of_an_installed_package_is_left_alone(monkeypatch):
    file = read_study(shipped("studies") / "demo.yaml")
    monkeypatch.setattr(study_edit, "in_checkout", lambda: False)
    with pytest.raises(StudyError, match="installed package"):
        write_entries(file, {"a.png": NEW})


def test_a_study_without_attribution_says_so(tmp_path):
    file = read_study(shipped("studies") / "demo.yaml")
    without = StudyFile(file.study.model_copy(update={"attribution": None}), tmp_path / "demo.yaml")
    with pytest.raises(StudyError, match="no attribution"):
        write_entries(without, {"a.png": NEW})
