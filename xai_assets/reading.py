"""Reading files that come from elsewhere: regular files only, without waiting, and never more than a stated size.

A named pipe blocks whoever opens it, a device never ends, and a file may grow while it is read. Every reader of a
user's file opens it here. What the bytes mean is for the reader to say.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from xai_assets.errors import XaiError
from xai_assets.text import printable

_BLOCK = 1 << 20
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a link that leads nowhere"),
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CHECK_PATH = "Check the path."


def kind_of(path: str | Path) -> str | None:
    """What a path leads to where that is no regular file: "a folder", "a named pipe", "a link that leads nowhere".

    None for a regular file, and where there is nothing. Nothing is opened.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return "a link that leads nowhere" if os.path.islink(path) else None
    except OSError as error:
        return f"unreadable ({error.strerror})"
    except ValueError:
        return None  # a zero byte in the name: there is no such file
    return _kind(mode)


def shown(path: str | Path) -> str:
    r"""A path or file name as text for messages and tables: bytes that are not UTF-8, and controls, as `\xe9`."""
    text = str(path)
    try:
        return printable(text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return printable(text)


@contextmanager
def open_regular(
    path: str | Path, max_bytes: int, *, error: type[XaiError] = XaiError, remedy: str = _CHECK_PATH
) -> Iterator[IO[bytes]]:
    """A regular file of at most `max_bytes` bytes, open for reading in binary.

    The caller bounds what it reads: the file may grow after it was opened (`read_regular` does).

    Args:
        path: the file; links are followed.
        max_bytes: the largest size.
        error: the class to raise.
        remedy: what to do where the file is missing, of another kind or too large.

    Raises:
        XaiError: (of the class `error`) no such file, a folder, pipe, socket or device, larger than `max_bytes`, or
            no permission. A pipe or device is not opened, and nothing waits for it.
    """
    what = shown(path)
    try:
        # Asked before it is opened, since opening a device can act on it, and again behind: it may have been replaced.
        _check_kind(what, os.stat(path).st_mode, error, remedy)
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as found:
        raise _unreadable(path, found, error, remedy) from found
    except ValueError as found:
        raise error(what, "its name holds a zero byte", remedy) from found
    with os.fdopen(handle, "rb") as file:
        opened = os.fstat(handle)
        _check_kind(what, opened.st_mode, error, remedy)
        if opened.st_size > max_bytes:
            raise error(what, f"it has {opened.st_size:,} bytes, more than {max_bytes:,}", remedy)
        yield file


def read_regular(
    path: str | Path, max_bytes: int, *, error: type[XaiError] = XaiError, remedy: str = _CHECK_PATH
) -> bytes:
    """The bytes of a regular file, at most `max_bytes`, also where the file grows while it is read.

    Raises:
        XaiError: as `open_regular`, and where reading fails.
    """
    data = bytearray()
    with open_regular(path, max_bytes, error=error, remedy=remedy) as file:
        try:
            # In blocks: Python reserves as many bytes as it is asked for before it reads one.
            while block := file.read(min(_BLOCK, max_bytes + 1 - len(data))):
                data += block
        except OSError as found:
            raise _unreadable(path, found, error, remedy) from found
    if len(data) > max_bytes:
        raise error(shown(path), f"it has more than {max_bytes:,} bytes", remedy)
    return bytes(data)


def read_text(
    path: str | Path, max_bytes: int, *, error: type[XaiError] = XaiError, remedy: str = _CHECK_PATH
) -> str:
    """The text of a regular UTF-8 file of at most `max_bytes` bytes; a byte order mark is left out.

    Raises:
        XaiError: as `read_regular`; not UTF-8, or a zero byte, with the line.
    """
    return as_text(read_regular(path, max_bytes, error=error, remedy=remedy), name=shown(path), error=error)


def as_text(data: bytes, *, name: str, error: type[XaiError] = XaiError) -> str:
    """UTF-8 bytes as text; a byte order mark is left out.

    Raises:
        XaiError: (of the class `error`) UTF-16, not UTF-8, or a zero byte; with the line of the first wrong byte.
    """
    if data.startswith(_UTF_16):
        raise error(f"{name}, line 1", "it is not UTF-8 but UTF-16", "Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as found:
        line, byte = data.count(b"\n", 0, found.start) + 1, data[found.start]
        raise error(
            f"{name}, line {line}", f"it is not UTF-8 (byte {byte:#04x})", "Save it as UTF-8."
        ) from found
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise error(f"{name}, line {line}", "it holds a zero byte", "Save it as plain text in UTF-8.")
    return text


def text_lines(text: str) -> list[str]:
    """The lines of a text file: LF, CR LF and CR end one, no other character does.

    `str.splitlines` also splits at U+2028, U+0085 and form feeds, which may stand within a name.
    """
    return re.split(r"\r\n|\n|\r", text)


def _kind(mode: int) -> str | None:
    if stat.S_ISREG(mode):
        return None
    return next((kind for test, kind in _KINDS if test(mode)), "no regular file")


def _check_kind(what: str, mode: int, error: type[XaiError], remedy: str) -> None:
    kind = _kind(mode)
    if kind is not None:
        raise error(what, f"it is {kind}, not a regular file", remedy)


def _unreadable(path: str | Path, found: OSError, error: type[XaiError], remedy: str) -> XaiError:
    if isinstance(found, FileNotFoundError):
        why = "it is a link that leads nowhere" if os.path.islink(path) else "there is no such file"
        return error(shown(path), why, remedy)
    if isinstance(found, PermissionError):
        remedy = "Check its permissions."
    return error(shown(path), f"it cannot be read ({found.strerror})", remedy)
