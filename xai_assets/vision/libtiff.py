"""The errors that libtiff meets while Pillow decodes, which it would write on the terminal and forget.

Damaged fax strips are such errors: libtiff fills the rest and reports success.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import PIL

_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


@contextmanager
def libtiff_errors() -> Iterator[list[str]]:
    """A list that gets the text of each error which libtiff meets inside; nothing is written to the terminal.

    The handler is the process's: use it where only one thread decodes. The list stays empty where Pillow's libtiff
    is not found (a Pillow that is linked statically).
    """
    found: list[str] = []
    library = _library()
    if library is None:
        yield found
        return

    def note(module: bytes | None, text: bytes | None, _values: int | None) -> None:
        found.append(" ".join(part.decode("utf-8", "replace") for part in (module, text) if part)[:200])

    handler = _HANDLER(note)
    before = library.TIFFSetErrorHandler(handler)
    try:
        yield found
    finally:
        library.TIFFSetErrorHandler(before)


@cache
def _library() -> Any:
    """The libtiff that Pillow has loaded: of its wheel, or the system's."""
    root = Path(PIL.__file__).parent
    bundled = [*root.parent.glob("pillow.libs/libtiff*"), *root.glob(".dylibs/libtiff*")]
    name = str(bundled[0]) if bundled else ctypes.util.find_library("tiff")
    if name is None:
        return None
    try:
        library = ctypes.CDLL(name)
        library.TIFFSetErrorHandler.restype = ctypes.c_void_p
        library.TIFFSetErrorHandler.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError):
        return None
    return library
