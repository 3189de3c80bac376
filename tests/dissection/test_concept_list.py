"""Concept lists as people save them, and files that are none."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.dissection import concept_list
from xai_assets.dissection.concept_list import read_concept_list
from xai_assets.errors import XaiError


def written(folder: Path, data: bytes | str) -> Path:
    path = folder / "w.txt"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_mark_and_the_line_ends_of_any_system_are_no_part_of_a_concept(
    tmp_path: Path, end: str, encoding: str
) -> None:
    found = read_concept_list(written(tmp_path, end.join(["dog", " café ", "", "dog"]).encode(encoding)))
    assert found.words == ("dog", "café")
    assert found.left_out == (("w.txt, line 4", "it names 'dog' again, as line 1 did"),)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("dog\ncafé\nbird\n".encode("latin-1"), r"w\.txt, line 2: it is not UTF-8 \(byte 0xe9\)"),
        ("dog\ncat\n".encode("utf-16"), "UTF-16"),
        (b"dog\ncat\0\n", "line 2: it holds a zero byte"),
        (b"\x1b\n\x1b[1m\n", r"it is empty; w\.txt, line 1: it has characters that cannot be seen"),
    ],
)
def test_other_encodings_and_binary_files_are_refused_with_the_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    with pytest.raises(XaiError, match=said):
        read_concept_list(written(tmp_path, data))


def test_single_bad_lines_are_set_aside_with_their_reason(tmp_path: Path) -> None:
    """Composed and decomposed letters are one word; a separator within a line does not split it."""
    lines = ["dog", "x" * 301, "a\x1b[31mb", "a\u2028b", "a\u202eb", "caf\u00e9", "cafe\u0301", "cat"]
    found = read_concept_list(written(tmp_path, "\n".join(lines)))
    assert found.words == ("dog", "café", "cat")
    assert [place for place, _ in found.left_out] == [f"w.txt, line {n}" for n in (2, 3, 4, 5, 7)]
    said = " ".join(why for _, why in found.left_out)
    assert "301 characters, more than 300" in said
    assert r"\x1b[31mb" in said
    assert r"a\u2028b" in said
    assert "names 'café' again, as line 6 did" in said


def test_lists_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, said in (
        (tmp_path / "pipe", "named pipe"),
        (Path("/dev/zero"), "a device"),
        (tmp_path, "a folder"),
    ):
        with pytest.raises(XaiError, match=said):
            read_concept_list(path)
    path = written(tmp_path, "\n".join(map(str, range(50))))
    monkeypatch.setattr(concept_list, "MAX_CONCEPTS", 40)
    with pytest.raises(XaiError, match="more than 40 concepts"):
        read_concept_list(path)
    monkeypatch.setattr(concept_list, "MAX_BYTES", 40)
    with pytest.raises(XaiError, match="more than 40"):
        read_concept_list(path)


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)))
def test_every_line_is_a_concept_blank_or_set_aside(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = written(tmp_path_factory.getbasetemp(), "\n".join(["dog", "cat", *lines]))
    found = read_concept_list(path)
    blank = sum(not line.strip() for line in lines)
    assert len(found.words) + len(found.left_out) + blank == len(lines) + 2
    assert len(set(found.words)) == len(found.words)
    assert all(unicodedata.normalize("NFC", word) == word == word.strip() for word in found.words)
