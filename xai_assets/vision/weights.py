"""One file that a model needs: where it stands, where it comes from, and the hash it must have."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from xai_assets.errors import XaiError
from xai_assets.files import sha256_file, write_text
from xai_assets.progress import Progress, silent
from xai_assets.reading import kind_of, read_text, shown
from xai_assets.vision.downloads import MAX_BYTES, DownloadError, fetch

NAME_THE_HASH = (
    "Put it there by hand, or name the file's hash in the study: `sha256:` beside `name:` of the model; "
    "`sha256sum FILE` prints it."
)
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAX_RECORD = 10_000


class WeightsError(XaiError):
    """A file that a model needs and that is missing, or is not the one it should be."""


@dataclass(frozen=True)
class WeightsFile:
    """A file that a model needs.

    Attributes:
        what: what it is, for messages ("weights of torchvision/resnet50").
        path: where it is looked for and downloaded to.
        url: where it can be had; None for shipped files and the user's own.
        sha256: the SHA-256 it must have, or as many of its first digits as are published (torchvision: 8).
            None where nobody published it: a file that comes over https is then trusted on first use, its hash
            recorded beside it, and none is fetched over http.
        remedy: what to do when a file without `url` is missing.
        alternative: another file that serves as well, such as the same weights in another format.
    """

    what: str
    path: Path
    url: str | None = None
    sha256: str | None = None
    remedy: str = "Check the path."
    alternative: "WeightsFile | None" = None

    def candidates(self) -> Iterator["WeightsFile"]:
        """The file and its alternatives, best first."""
        yield self
        if self.alternative is not None:
            yield from self.alternative.candidates()

    def present(self) -> bool:
        """Whether the file or an alternative stands where it should."""
        return any(candidate.path.is_file() for candidate in self.candidates())


def obtain(file: WeightsFile, progress: Progress = silent) -> tuple[Path, str]:
    """The path of the file and its SHA-256, downloaded first where it is absent and has an address.

    Raises:
        WeightsError: missing without an address, an http address without a hash, or another hash than it must have.
        DownloadError: it could not be fetched.
    """
    for candidate in file.candidates():
        if candidate.path.is_file():
            return candidate.path, _verified(candidate)
        if kind := kind_of(candidate.path):
            why = f"it is {kind}, not a regular file ({candidate.what})"
            raise WeightsError(shown(candidate.path), why, "Put the file itself there.")
    if file.url is None:
        raise WeightsError(str(file.path), f"it is missing ({file.what})", file.remedy)
    if open_to_change(file.url, file.sha256):
        raise WeightsError(
            str(file.path),
            f"it is missing ({file.what}); its address {file.url} is http and its hash is not known, so anybody on "
            "the way could send another file",
            NAME_THE_HASH,
        )
    try:
        fetch(file.url, file.sha256, file.path, progress)
    except DownloadError as error:
        if error.status != 404 or file.alternative is None:
            raise
        return obtain(file.alternative, progress)
    return file.path, _verified(file)


def open_to_change(url: str, sha256: str | None) -> bool:
    """Whether anybody on the way could send another file unnoticed: http, and no hash that would tell."""
    address = urlsplit(url)
    return address.scheme == "http" and sha256 is None and address.hostname not in _LOOPBACK


def verify_sha256(path: Path, expected: str) -> str:
    """The file's SHA-256, which must begin with `expected`: 8 to 64 hexadecimal digits.

    Raises:
        WeightsError: it does not.
    """
    actual = sha256_file(path)
    if not actual.startswith(expected.lower()):
        raise WeightsError(
            str(path),
            f"its SHA-256 is {actual}, expected {expected}{'' if len(expected) == 64 else '...'}",
            "Delete it and get it again, or correct the expected hash if this file is the one you mean.",
        )
    return actual


def file_name(url: str) -> str:
    """The name of the file that an address ends in."""
    return PurePosixPath(urlsplit(url).path).name


def hash_in_name(url: str) -> str | None:
    """The first digits of the SHA-256 where a file's name has them: `resnet50-11ad3fa6.pth`."""
    digits = re.search(r"-([0-9a-f]{8,64})\.\w+$", file_name(url))
    return digits.group(1) if digits else None


def _verified(file: WeightsFile) -> str:
    size = file.path.stat().st_size
    if size > MAX_BYTES:  # before it is hashed: a file with holes can claim any size
        why = f"it has {size:,} bytes, more than {MAX_BYTES:,} ({file.what})"
        raise WeightsError(shown(file.path), why, "Save the weights alone.")
    if file.sha256 is not None:
        return verify_sha256(file.path, file.sha256)
    return sha256_file(file.path) if file.url is None else _trusted_on_first_use(file.path)


def _trusted_on_first_use(path: Path) -> str:
    """The file's SHA-256, recorded beside it the first time and compared every time after."""
    record = path.with_name(f"{path.name}.sha256")
    if record.is_file():
        words = read_text(record, _MAX_RECORD, error=WeightsError).split()
        if not words:
            raise WeightsError(
                str(record), "the record of the hash is empty", "Delete it to trust the file anew."
            )
        return verify_sha256(path, words[0])
    actual = sha256_file(path)
    write_text(record, f"{actual}  {path.name}\n")  # as sha256sum writes it, so that `sha256sum -c` checks it
    return actual
