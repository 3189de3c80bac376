"""Tables between steps: read as they were written, or named as damaged."""

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.resources.frames import has_table, read_table, table_path, write_table
from xai_assets.resources.store import ArtifactError

TABLE = pd.DataFrame(
    {
        "image_id": ["a", None, "xai_assets table x/y sha256 " + "0" * 64],
        "iou": [0.5, np.nan, 1],
        "rank": pd.array([1, None, 3], dtype="Int64"),
        "constant": [True, False, True],
    }
)
EMPTY = TABLE.iloc[:0]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return write_table(tmp_path_factory.mktemp("sound"), "images", "demo", TABLE).read_bytes()


@pytest.mark.parametrize("table", [TABLE, EMPTY, pd.DataFrame()], ids=["rows", "no rows", "nothing"])
def test_a_table_is_read_as_it_was_written(tmp_path, table):
    write_table(tmp_path, "images", "demo", table)
    assert has_table(tmp_path, "images", "demo")
    found = read_table(tmp_path, "images", "demo")
    pd.testing.assert_frame_equal(found, table, check_column_type=len(table.columns) > 0)


def test_the_same_table_is_the_same_bytes(tmp_path, written):
    assert write_table(tmp_path, "images", "demo", TABLE).read_bytes() == written


def _unusable(root, content, match=""):
    path = table_path(root, "images", "demo")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    noticed = []
    assert not has_table(root, "images", "demo", on_damage=noticed.append)
    assert [damage.path for damage in noticed] == [path]
    with pytest.raises(ArtifactError, match=match or "Materialise images again"):
        read_table(root, "images", "demo")


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_any_byte_that_changes_is_noticed(tmp_path_factory, written, data):
    at = data.draw(st.integers(0, len(written) - 1) | st.integers(-400, -1))
    changed = bytearray(written)
    changed[at] ^= data.draw(st.integers(1, 255))
    _unusable(tmp_path_factory.mktemp("flipped"), bytes(changed))


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_table_that_is_cut_off_is_noticed(tmp_path, written, share):
    _unusable(tmp_path, written[: int(len(written) * share)])


def test_another_table_under_this_name_is_noticed(tmp_path):
    other = write_table(tmp_path, "predictions", "demo", TABLE).read_bytes()
    _unusable(tmp_path, other, "another table, predictions/demo")


def test_a_table_of_an_older_version_is_called_so(tmp_path):
    path = tmp_path / "old.parquet"
    TABLE[["iou", "rank"]].to_parquet(path, index=False)
    _unusable(tmp_path, path.read_bytes(), "older version")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("nowhere", path)])
def test_what_is_no_file_is_noticed_and_replaced(tmp_path, make):
    path = table_path(tmp_path, "images", "demo")
    path.parent.mkdir(parents=True)
    make(path)
    assert not has_table(tmp_path, "images", "demo")
    with pytest.raises(ArtifactError, match="is not usable"):
        read_table(tmp_path, "images", "demo")
    write_table(tmp_path, "images", "demo", TABLE)
    assert len(read_table(tmp_path, "images", "demo")) == len(TABLE)
