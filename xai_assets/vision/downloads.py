"""Fetching a weights file: resumed, verified, whole or not at all; and without a network, how to by hand."""

import contextlib
import fcntl
import json
import os
import re
import stat
import urllib.error
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO

from xai_assets.errors import XaiError
from xai_assets.files import sha256_file, write_json
from xai_assets.progress import Progress, silent
from xai_assets.reading import read_regular
from xai_assets.vision.http import Refused, open_url

MAX_BYTES = 8 * 2**30
_MAX_NOTE = 10_000
_BLOCK = 1 << 20


class DownloadError(XaiError):
    """A file that could not be fetched; the message names the address and where to put it by hand.

    `status` is the server's answer where it refused, else None.
    """

    status: int | None = None


def fetch(
    url: str, sha256: str | None, target: Path, progress: Progress = silent, *, max_bytes: int = MAX_BYTES
) -> Path:
    """Have the file of `url` at `target`: nothing is done where it is there already.

    What arrives is kept beside the target as `.NAME.part`. Where the hash is known, a later call goes on from there if
    the server still has the same file (its ETag or modification time); without one, two halves could not be told
    from one file, so it begins anew. Two processes that want a file fetch it once.

    Args:
        url: http or https.
        sha256: the file's SHA-256, or as many of its first digits as are known; None where it is unpublished. The 8
            digits in torchvision's names are 32 bits: enough against accidents, not against a forger.
        target: where the file is wanted.
        progress: called with bytes so far and bytes in all (0 where the server does not say).
        max_bytes: refuse more.

    Raises:
        DownloadError: no network, the server's refusal, an end before the end, another part than was asked for, a
            packed or empty body, too large, too slow (see `http`), a redirect to something else than http and
            https or back from https, another hash, or a link or pipe where the parts are kept.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(url, target):
        if target.is_file():
            return target
        part, note = _beside(target, "part"), _beside(target, "part.json")
        resumed = _receive(url, target, part, note, progress, max_bytes, resume=sha256 is not None)
        actual = sha256_file(part)
        if sha256 and not actual.startswith(sha256.lower()) and resumed:
            # The first half may have been another file's: once from the beginning.
            _receive(url, target, part, note, progress, max_bytes, resume=False)
            actual = sha256_file(part)
        if sha256 and not actual.startswith(sha256.lower()):
            _forget(part, note)
            raise _error(url, target, f"what arrived has the SHA-256 {actual}, expected {sha256}")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
        note.unlink(missing_ok=True)
    return target


def _receive(
    url: str, target: Path, part: Path, note: Path, progress: Progress, max_bytes: int, *, resume: bool
) -> bool:
    """Have the whole of what the server sends in `part`; returns whether a half that was there is its beginning."""
    with _open_own(url, target, part) as file:
        version = _version(part, note) if resume else None
        start = file.seek(0, os.SEEK_END) if version else 0
        headers = {"Range": f"bytes={start}-", "If-Range": version} if start and version else {}
        try:
            with open_url(url, headers) as response:
                start = _start(response, url, target, start, part, note)
                file.truncate(start)
                file.seek(start)
                _save(response, target, file, note, start, progress, max_bytes)
        except urllib.error.HTTPError as error:
            if error.code == 416:  # the half that is here is longer than the server's file
                _forget(part, note)
            refusal = _error(url, target, f"the server answered {error.code} {error.reason}")
            refusal.status = error.code
            raise refusal from error
        except Refused as error:
            raise _error(url, target, str(error)) from error
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            raise _error(url, target, f"the connection failed ({type(error).__name__}: {reason})") from error
    return start > 0


def _start(response: HTTPResponse, url: str, target: Path, start: int, part: Path, note: Path) -> int:
    """Where in the file the answer begins."""
    if response.status == 200:
        return 0
    found = re.fullmatch(
        r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", response.headers.get("Content-Range", ""), re.ASCII
    )
    if response.status == 206 and start and found:
        first, last, size = found.groups()
        if int(first) == start and (size == "*" or int(last) == int(size) - 1):
            return start
    _forget(part, note)
    raise _error(
        url,
        target,
        f"the server answered {response.status} with another part of the file than the one that was asked for",
    )


def _save(
    response: HTTPResponse,
    target: Path,
    file: IO[bytes],
    note: Path,
    start: int,
    progress: Progress,
    max_bytes: int,
) -> None:
    url = response.url
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise _error(url, target, f"the server packs it ({packed[:40]}), though it was asked not to")
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if re.fullmatch(r"\d{1,18}", length, re.ASCII) else 0
    if total > max_bytes:
        raise _error(url, target, f"the file has {total:,} bytes, more than {max_bytes:,}")
    version = response.headers.get("ETag") or response.headers.get("Last-Modified")
    if version and not version.startswith("W/"):  # a weak tag does not promise the same bytes
        write_json(note, {"version": version[:1000]})
    else:
        note.unlink(missing_ok=True)
    done = start
    while block := response.read1(_BLOCK):  # not `read`, which returns only when all of a block is there
        done += len(block)
        if done > max_bytes:
            raise _error(url, target, f"the file has more than {max_bytes:,} bytes")
        file.write(block)
        progress(done, total)
    if total and done != total:
        raise _error(
            url, target, f"the connection ended after {done:,} of {total:,} bytes; what came is kept"
        )
    if not done:
        raise _error(url, target, "the server sent an empty file")


def _version(part: Path, note: Path) -> str | None:
    """What the server called the half that is here, or None where it is not known: then it starts anew."""
    if not part.is_file() or not note.is_file():
        return None
    try:
        version = json.loads(read_regular(note, _MAX_NOTE))["version"]
    except (XaiError, ValueError, KeyError, TypeError, RecursionError):
        return None
    # It goes into a header as it is.
    return version if isinstance(version, str) and version.isprintable() and version.isascii() else None


@contextlib.contextmanager
def _alone(url: str, target: Path) -> Iterator[None]:
    with _open_own(url, target, _beside(target, "lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the kernel when the process ends
        yield


@contextlib.contextmanager
def _open_own(url: str, target: Path, path: Path) -> Iterator[IO[bytes]]:
    """A file of ours, made where it is absent; a link that somebody put there is not followed, a pipe not opened."""
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(path, flags, 0o666)
    except OSError as error:
        why = f"{path.name} beside it cannot be written ({error.strerror}); a link there is not followed"
        raise _error(url, target, why) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _error(url, target, f"{path.name} beside it is not a regular file; remove it")
    with os.fdopen(handle, "r+b") as file:
        yield file


def _forget(part: Path, note: Path) -> None:
    part.unlink(missing_ok=True)
    note.unlink(missing_ok=True)


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{suffix}")


def _error(url: str, target: Path, why: str) -> DownloadError:
    return DownloadError(
        target.name,
        f"it could not be fetched from {url}: {why}",
        f"Try again with a network, or put it by hand into {target.parent} under the name {target.name}.",
    )
