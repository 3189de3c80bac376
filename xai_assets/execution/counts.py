"""How far steps are that run in processes of their own: each writes its count to a small file, which `xai run` reads."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

SECONDS_BETWEEN_WRITES = 0.5

_folder: Path | None = None


@contextmanager
def collected() -> Iterator[Callable[[str], tuple[int, int] | None]]:
    """A folder for the counts of steps that begin in this block, and the function that reads a step's: done, total."""
    global _folder
    with TemporaryDirectory(prefix="xai-run-", ignore_cleanup_errors=True) as name:
        _folder = Path(name)
        try:
            yield read
        finally:
            _folder = None


def folder() -> Path | None:
    """Where counts are collected; None where nobody reads them."""
    return _folder


def write_to(path: Path | None) -> None:
    """Write this process's counts to that folder."""
    global _folder
    _folder = path


def read(step: str) -> tuple[int, int] | None:
    """The step's items done and in all; None where it has said nothing yet."""
    if _folder is None:
        return None
    try:
        found = re.fullmatch(r"(\d{1,15}) (\d{1,15})\n", (_folder / step).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        return None
    return (int(found[1]), int(found[2])) if found else None


def writer(step: str) -> Callable[[int, int], None] | None:
    """A progress function that writes the step's counts; None where nobody reads them."""
    if _folder is None:
        return None
    path, said = _folder / step, 0.0

    def progress(done: int, total: int) -> None:
        nonlocal said
        now = time.monotonic()
        if done == total or now - said >= SECONDS_BETWEEN_WRITES:
            said = now
            try:
                path.write_text(f"{done} {total}\n", encoding="ascii")
            except OSError:
                return  # a display that is late harms nothing; the step's own files say when a disk is full

    return progress
