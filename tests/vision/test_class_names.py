"""Lists of class names as people write them and as Places365 publishes its own."""

from pathlib import Path

import pytest

from xai_assets.errors import XaiError
from xai_assets.vision.class_names import read_class_names


def written(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "names.txt"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "data", [b"cat\nred fox\n", b"\xef\xbb\xbfcat\r\nred fox\r\n\r\n", b" cat\nred fox "]
)
def test_one_name_a_line(tmp_path: Path, data: bytes) -> None:
    assert read_class_names(written(tmp_path, data)) == ("cat", "red fox")


def test_the_format_of_places365(tmp_path: Path) -> None:
    data = b"/a/airfield 0\n/a/airplane_cabin 1\n/a/apartment_building/outdoor 2\n"
    names = read_class_names(written(tmp_path, data))
    assert names == ("airfield", "airplane_cabin", "apartment_building/outdoor")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"cat\n\ndog\n", "line 2 is empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"cat\ncaf\xe9\n", "line 2: it is not UTF-8"),
        (b"cat\nd\0g\n", "line 2: it holds a zero byte"),
        (b"cat\n\x1b[31mdog\n", "line 2: it has characters that cannot be seen"),
        (b"cat\n" + b"x" * 301, "line 2: it has 301 characters"),
        (b"/a/airfield 0\n/a/alcove 2\n", "line 2 .alcove. has the number 2"),
    ],
)
def test_a_list_that_is_none_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(XaiError, match=why):
        read_class_names(written(tmp_path, data))


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(XaiError, match=r"names\.txt"):
        read_class_names(tmp_path / "names.txt")


def test_only_line_ends_end_a_line_and_only_regular_files_are_read(tmp_path: Path) -> None:
    assert read_class_names(written(tmp_path, "cat\u00a0b\rdog\n".encode())) == ("cat\u00a0b", "dog")
    for path, why in ((Path("/dev/zero"), "a device"), (tmp_path, "a folder")):
        with pytest.raises(XaiError, match=why):
            read_class_names(path)
