"""Fetching a weights file: resumed, verified, whole or not at all; and without a network, how to by hand."""

import contextlib
import fcntl
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from xai_assets.errors import XaiError
from xai_assets.files import sha256_file, write_json
from xai_assets.progress import Progress, silent

MAX_BYTES = 8 * 2**30
TIMEOUT = 30.0  # seconds without a byte
_BLOCK = 1 << 20


class DownloadError(XaiError):
    """A file that could not be fetched; the message names the address and where to put it by hand.

    `status` is the server's answer where it refused, else None.
    """

    status: int | None = None


def fetch(
    url: str, sha256: str | None, target: Path, progress: Progress = silent, *, max_bytes: int = MAX_BYTES
) -> Path:
    """Have the file of `url` at `target`: nothing is done where it stands there already.

    What arrives is kept beside the target as `.NAME.part`, and a later call goes on from there if the server
    still has the same file (its ETag or modification time). Two processes that want a file fetch it once.

    Args:
        url: http or https.
        sha256: the file's SHA-256, or as many of its first digits as are known; None where it is unpublished.
        target: where the file is wanted.
        progress: called with bytes so far and bytes in all (0 where the server does not say).
        max_bytes: refuse more.

    Raises:
        DownloadError: no network, the server's refusal, an end before the end, too large, or another hash.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise _error(url, target, "the address is neither http nor https")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        if target.is_file():
            return target
        part, note = _beside(target, "part"), _beside(target, "part.json")
        resumed = part.exists()
        _receive(url, target, part, note, progress, max_bytes)
        if sha256 and not sha256_file(part).startswith(sha256) and resumed:
            part.unlink()  # the first half may have been another file's: once from the beginning
            _receive(url, target, part, note, progress, max_bytes)
        actual = sha256_file(part)
        if sha256 and not actual.startswith(sha256):
            part.unlink()
            note.unlink(missing_ok=True)
            raise _error(url, target, f"what arrived has the SHA-256 {actual}, expected {sha256}")
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
        note.unlink(missing_ok=True)
    return target


def _receive(url: str, target: Path, part: Path, note: Path, progress: Progress, max_bytes: int) -> None:
    version = _version(url, part, note)
    start = part.stat().st_size if version else 0
    headers = {"User-Agent": "xai-assets", "Accept-Encoding": "identity"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (`fetch` lets only http and https pass)
    if start and version:
        request.add_header("Range", f"bytes={start}-")
        request.add_header("If-Range", version)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            if response.status != 206 or not response.headers.get("Content-Range", "").startswith(
                f"bytes {start}-"
            ):
                start = 0
            _save(response, target, part, note, start, progress, max_bytes)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the half that is here is longer than the server's file
            part.unlink(missing_ok=True)
        refusal = _error(url, target, f"the server answered {error.code} {error.reason}")
        refusal.status = error.code
        raise refusal from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise _error(url, target, f"the connection failed ({type(error).__name__}: {reason})") from error


def _save(
    response: HTTPResponse,
    target: Path,
    part: Path,
    note: Path,
    start: int,
    progress: Progress,
    max_bytes: int,
) -> None:
    url = response.url
    length = response.headers.get("Content-Length")
    total = start + int(length) if length and length.isdigit() else 0
    if total > max_bytes:
        raise _error(url, target, f"the file has {total:,} bytes, more than {max_bytes:,}")
    version = response.headers.get("ETag") or response.headers.get("Last-Modified")
    if version and not version.startswith("W/"):  # a weak tag does not promise the same bytes
        write_json(note, {"version": version})
    else:
        note.unlink(missing_ok=True)
    done = start
    with part.open("ab" if start else "wb") as file:
        while block := response.read(_BLOCK):
            done += len(block)
            if done > max_bytes:
                raise _error(url, target, f"the file has more than {max_bytes:,} bytes")
            file.write(block)
            progress(done, total)
    if total and done != total:
        raise _error(
            url, target, f"the connection ended after {done:,} of {total:,} bytes; what came is kept"
        )


def _version(url: str, part: Path, note: Path) -> str | None:
    """What the server called the half that is here, or None where it is not known: then it starts anew."""
    if not part.is_file() or not note.is_file():
        return None
    try:
        version = json.loads(note.read_text(encoding="utf-8"))["version"]
    except (ValueError, KeyError, TypeError):
        return None
    return version if isinstance(version, str) else None


@contextlib.contextmanager
def _alone(target: Path) -> Iterator[None]:
    with _beside(target, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the kernel when the process ends
        yield


def _beside(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{suffix}")


def _error(url: str, target: Path, why: str) -> DownloadError:
    return DownloadError(
        target.name,
        f"it could not be fetched from {url}: {why}",
        f"Try again with a network, or put it by hand into {target.parent} under the name {target.name}.",
    )
