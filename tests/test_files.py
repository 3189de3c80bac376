"""Writes are whole or not at all; names follow content."""

import hashlib
import multiprocessing
import os
import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.files import (
    PART,
    fingerprint,
    left_over,
    sha256_bytes,
    sha256_file,
    write_bytes,
    write_json,
    write_with,
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    target = write_bytes(tmp_path / "a" / "table.bin", b"old")

    def half(file):
        file.write(b"new, but")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_with(target, half)
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == ["table.bin"]


def _killed_while_it_writes(target):
    def stop(file):
        file.write(b"half")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=write_with, args=(target, stop))
    process.start()
    process.join()
    return [path for path in target.parent.iterdir() if path.name.endswith(PART)]


def test_what_a_killed_process_left_goes_with_the_next_write_of_the_same_file(tmp_path):
    target, other = tmp_path / "table.bin", tmp_path / ".other.bin.abcdefgh.part"
    other.write_bytes(b"of another file")
    [left, _] = sorted(_killed_while_it_writes(target), key=lambda path: path == other)
    assert left_over(left)
    write_bytes(target, b"new")
    assert sorted(os.listdir(tmp_path)) == [other.name, "table.bin"]


def test_what_another_process_is_writing_is_left_alone(tmp_path):
    target = tmp_path / "table.bin"

    def slow(file):
        file.write(b"slow")
        [part] = [path for path in tmp_path.iterdir() if path.name.endswith(PART)]
        assert not left_over(part)
        write_bytes(target, b"quick")
        assert part.is_file()

    write_with(target, slow)
    assert target.read_bytes() == b"slow"
    assert os.listdir(tmp_path) == ["table.bin"]


def test_a_link_is_never_taken_for_left_over(tmp_path):
    (tmp_path / "mine").write_bytes(b"x")
    link = tmp_path / ".table.bin.abcdefgh.part"
    link.symlink_to("mine")
    write_bytes(tmp_path / "table.bin", b"new")
    assert link.is_symlink() and (tmp_path / "mine").is_file()


def test_written_files_follow_the_umask(tmp_path):
    before = os.umask(0o022)
    try:
        assert write_bytes(tmp_path / "f", b"x").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(before)


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "f.json", {"iou": float("nan")})
    assert not (tmp_path / "f.json").exists()


def test_hashes_are_sha256(tmp_path):
    data = bytes(range(256)) * 5000
    expected = hashlib.sha256(data).hexdigest()
    assert sha256_bytes(data) == expected == sha256_file(write_bytes(tmp_path / "f", data))


@given(st.dictionaries(st.text(), json_values, min_size=2, max_size=5))
def test_a_fingerprint_does_not_depend_on_order(value):
    assert fingerprint(value) == fingerprint(dict(reversed(value.items())))


def test_a_fingerprint_tells_values_apart_and_refuses_nan():
    assert fingerprint({"a": 1}) != fingerprint({"a": "1"})
    with pytest.raises(ValueError, match="not JSON compliant"):
        fingerprint({"a": float("inf")})
