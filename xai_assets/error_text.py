"""What a person reads of an error: our message and its remedy first, then what a library said, in short."""

import re
import shutil
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.text import printable

LONGEST_CAUSE = 240
"""Characters of what a library said."""

FULL_BELOW = 4 * 2**20
"""Bytes; with less, an error of the disk counts as one of a full disk: SQLite calls both "disk I/O error"."""

_UNSAFE_ADVICE = re.compile(
    r"weights_only|allow_pickle|trust_remote_code|safe_globals|unsafe|allow_unsafe|verify=False|DISABLE_SAFE"
    r"|arbitrary code|trusted source",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`'\"(])")

FULL = (
    "the disk is full",
    "Make room on it (`xai prune` removes what no study needs any more); the same command then goes on where it stopped.",
)
_SYSTEM = (
    (r"No space left on device|disk is full|Disk quota exceeded|\bErrno (28|122)\b|File too large", *FULL),
    (
        r"Read-only file system|readonly database|read-only mode|\bErrno 30\b",
        "the folder is read-only",
        "Choose a folder that can be written, such as XAI_DATA=FOLDER.",
    ),
    (
        r"Permission denied|Operation not permitted|\bErrno (1|13)\b",
        "permission denied",
        "Give yourself the right to it, or choose another folder, such as XAI_DATA=FOLDER.",
    ),
    (
        r"Too many open files|\bErrno 24\b",
        "too many files are open",
        "Raise the limit, as in `ulimit -n 4096`, and try again.",
    ),
    (
        r"disk I/O error|Input/output error|Stale file handle|\bErrno (5|116)\b",
        "the disk reports an error",
        "Look whether it is full, damaged or away (`df`, `dmesg`); the same command then goes on where it stopped.",
    ),
    (
        r"^MemoryError|Unable to allocate|can't allocate memory|out of memory|Cannot allocate memory|\bErrno 12\b",
        "memory is not enough",
        "End what else runs, choose a smaller batch_size or smaller images; the same command then goes on.",
    ),
)


def cause_in_short(said: str) -> str:
    """The first sentences of a library's message, on one line; those that advise to switch safety off are left out."""
    sentences = _SENTENCE.split(" ".join(said.split()))
    text = " ".join(sentence for sentence in sentences if not _UNSAFE_ADVICE.search(sentence))
    if len(text) > LONGEST_CAUSE:
        text = text[:LONGEST_CAUSE].rsplit(" ", 1)[0] + " …"
    return printable(text)


def with_cause(message: str, cause: str) -> str:
    """Our message, and after it the library's where it says something that ours does not."""
    short = cause_in_short(cause)
    told = not short or _plain(short.partition(": ")[2] or short) in _plain(message)
    return message if told else f"{message} (Cause: {short})"


def system_error(said: str, folder: Path) -> XaiError | None:
    """An error of the operating system in our words; None for any other.

    Args:
        said: the error's class and message, as in "OSError: [Errno 28] No space left on device: '/data/x'".
        folder: the data folder, which is named where the message names no file.
    """
    for pattern, why, remedy in _SYSTEM:
        if re.search(pattern, said):
            if "disk" in why and free_bytes(folder) < FULL_BELOW:
                why, remedy = FULL
            named = re.search(r"'((?:/|[A-Za-z]:)[^']*)'", said)
            return XaiError(named[1] if named else str(folder), why, remedy)
    return None


def free_bytes(folder: Path) -> int:
    """What is free where the folder is or would be; as much as one likes where nobody can say."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except OSError:
            continue
    return 1 << 62


def of_exception(error: BaseException, folder: Path) -> str | None:
    """What to say of an exception that a person can do something about; None for an unexpected one, a bug."""
    if isinstance(error, XaiError):
        cause = error.__cause__
        while cause is not None and cause.__cause__ is not None:
            cause = cause.__cause__
        said = "" if cause is None or isinstance(cause, XaiError) else f"{type(cause).__name__}: {cause}"
        return with_cause(str(error), said)
    known = system_error(f"{type(error).__name__}: {error}", folder)
    return None if known is None else str(known)


def _plain(text: str) -> str:
    return " ".join(text.rstrip(" .…").split())
