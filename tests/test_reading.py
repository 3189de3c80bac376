"""Reading only regular files: nothing waits for a pipe, no device is read, and no file is read beyond the limit."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.errors import XaiError
from xai_assets.reading import as_text, kind_of, open_regular, read_regular, read_text, shown, text_lines


class OddFileError(XaiError):
    """To see that the reader's own class is raised."""


def odd_files(folder: Path) -> dict[str, Path]:
    """One path of every kind that is no regular file, by what it should be called."""
    found = {
        name: folder / name.replace(" ", "_")
        for name in ("a folder", "a named pipe", "a socket", "a link that leads nowhere")
    }
    found["a folder"].mkdir()
    os.mkfifo(found["a named pipe"])
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(folder)  # the address of a socket has at most 107 bytes
        try:
            server.bind("a_socket")
        finally:
            os.chdir(here)
    found["a link that leads nowhere"].symlink_to(folder / "nothing")
    return found | {"a device": Path("/dev/zero")}


def test_no_regular_file_is_refused_by_its_kind_without_waiting(tmp_path: Path) -> None:
    """A pipe without a writer would block for ever, and /dev/zero never ends."""
    for kind, path in odd_files(tmp_path).items():
        assert kind_of(path) == kind
        with pytest.raises(OddFileError, match=kind):
            read_regular(path, 10, error=OddFileError)
        with pytest.raises(OddFileError, match=kind), open_regular(path, 10, error=OddFileError):
            pass
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(OddFileError, match="cannot be read"):
        read_regular(loop, 10, error=OddFileError)


@pytest.mark.parametrize("name", ["missing", "a\0b", "x" * 300])
def test_a_name_without_a_file_is_a_plain_error(tmp_path: Path, name: str) -> None:
    """Also names that no file can have."""
    assert kind_of(tmp_path / "missing") is None
    with pytest.raises(XaiError) as caught:
        read_regular(tmp_path / name, 10, remedy="Name another.")
    assert caught.value.remedy == "Name another."


def test_the_limit_holds_exactly_and_for_a_file_that_claims_to_be_empty(tmp_path: Path) -> None:
    """Files of /proc have size 0 and content; the same holds for a file that grows."""
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(XaiError, match="5 bytes, more than 4"):
        read_regular(path, 4)
    with pytest.raises(XaiError, match="more than 3 bytes"):
        read_regular("/proc/self/status", 3)


def test_text_names_the_line_of_the_first_wrong_byte(tmp_path: Path) -> None:
    """Latin-1, UTF-16 and zero bytes are refused; a byte order mark is no part of the text."""
    path = tmp_path / "a.txt"
    for data, said in {
        b"dog\ncaf\xe9\n": "line 2: it is not UTF-8 .byte 0xe9",
        "dog\n".encode("utf-16"): "UTF-16",
        b"a\nb\nc\0d\n": "line 3: it holds a zero byte",
    }.items():
        path.write_bytes(data)
        with pytest.raises(XaiError, match=said):
            read_text(path, 100)
    path.write_bytes("dog\n".encode("utf-8-sig"))
    assert read_text(path, 100) == "dog\n"


@settings(deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_utf_8_comes_back_as_it_was(text: str) -> None:
    """Any text, with or without a mark."""
    assert as_text(text.removeprefix("\ufeff").encode("utf-8-sig"), name="a") == text.removeprefix("\ufeff")


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), min_size=1))
def test_only_line_feeds_and_carriage_returns_end_a_line(lines: list[str]) -> None:
    """U+2028, U+0085 and form feeds may stand in a name."""
    for end in ("\n", "\r\n", "\r"):
        assert text_lines(end.join(lines)) == lines


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=[])))
def test_any_name_is_shown_as_text_that_utf_8_can_carry(name: str) -> None:
    """File names can have bytes that are no text, line feeds and overrides; a plain name stays as it is."""
    assert shown(name).encode("utf-8").decode().isprintable() or not name.isprintable()
    assert shown("caf\udce9\n.png") == r"caf\xe9\n.png"
    assert shown("Müller 1.png") == "Müller 1.png"
