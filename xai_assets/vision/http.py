"""Asking a web server for a file: only http and https, no way back from https, and no answer that never ends."""

import io
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urljoin, urlsplit

TIMEOUT = 30.0
"""Seconds without a byte."""

WINDOW = 30.0
"""Seconds in which at least SLOWEST bytes must arrive each second on average, headers included."""

SLOWEST = 1024

MAX_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_USUAL = {"User-Agent": "xai-assets", "Accept-Encoding": "identity"}


class Refused(Exception):
    """An answer that is not followed or not waited for, with the reason."""


def open_url(url: str, headers: Mapping[str, str]) -> HTTPResponse:
    """The answer to a GET, after at most MAX_REDIRECTS redirects; the caller closes it.

    Reading from it raises TimeoutError where fewer bytes arrive than `SLOWEST` a second over `WINDOW` seconds.

    Raises:
        Refused: an address that is neither http nor https, a redirect to one or from https to http, or too many.
        urllib.error.HTTPError: the server refused.
        OSError, http.client.HTTPException: no connection, or no sense in what came.
    """
    for _ in range(MAX_REDIRECTS + 1):
        if urlsplit(url).scheme not in ("http", "https"):
            raise Refused(f"the address {url[:200]} is neither http nor https")
        request = urllib.request.Request(url, headers={**_USUAL, **headers})  # noqa: S310 (checked above)
        try:
            answer: HTTPResponse = _OPENER.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            location = error.headers.get("Location") if error.code in _REDIRECTS else None
            error.close()
            if location is None:
                raise
            wanted = urljoin(url, location)
            if urlsplit(url).scheme == "https" and urlsplit(wanted).scheme == "http":
                why = f"it redirects from https to http ({wanted[:200]}), which anybody on the way can change"
                raise Refused(why) from None
            url = wanted
            continue
        return answer
    raise Refused(f"it redirects more than {MAX_REDIRECTS} times")


class _Steady(io.RawIOBase):
    """A socket's bytes, as long as enough of them come."""

    def __init__(self, raw: Any) -> None:
        super().__init__()
        self._raw, self._since, self._bytes = raw, time.monotonic(), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count: int | None = self._raw.readinto(buffer)
        self._bytes += count or 0
        passed = time.monotonic() - self._since
        if passed > WINDOW:
            if self._bytes < SLOWEST * passed:
                raise TimeoutError(f"{self._bytes:,} bytes in {passed:.0f} s are too few to go on waiting")
            self._since, self._bytes = time.monotonic(), 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fp = io.BufferedReader(_Steady(self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecureConnection(HTTPSConnection):
    response_class = _Answer


class _Http(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_Connection, request)


class _Https(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_SecureConnection, request)


def _opener() -> urllib.request.OpenerDirector:
    """Of the handlers of urllib only these: it has others for files, FTP and `data:`, and follows redirects to some."""
    found = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Http(),
        _Https(),
    ):
        found.add_handler(handler)
    return found


_OPENER = _opener()
