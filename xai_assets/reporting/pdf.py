"""HTML to PDF by WeasyPrint: tagged (PDF/UA-1), from memory only, the same bytes for the same report."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from weasyprint import HTML, Attachment
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from xai_assets.errors import XaiError
from xai_assets.files import sha256_bytes
from xai_assets.reporting.templating import SCHEME

_TYPES = {"jpg": "image/jpeg", "woff2": "font/woff2"}
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""An attachment must carry a date; that of a report without one is this, so that its bytes do not change."""


class PdfError(XaiError):
    """A report that could not be made into a PDF."""


class MemoryFetcher(URLFetcher):
    """Answers for the report's own pictures and fonts; anything else stops the rendering.

    Args:
        files: bytes by name, addressed as `memory:NAME`.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        # No protocol is allowed to the base class, should it ever be asked.
        super().__init__(allowed_protocols=(), allow_redirects=False, fail_on_errors=True)
        self._files = dict(files)

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """The file's bytes; raises FatalURLFetchingError, which WeasyPrint does not swallow, for any other address."""
        name = url.removeprefix(SCHEME)
        if not url.startswith(SCHEME) or name not in self._files:
            raise FatalURLFetchingError(f"a report may only show what was made for it, not {url[:200]!r}")
        kind = _TYPES[name.rsplit(".", 1)[-1]]
        return URLFetcherResponse(url, self._files[name], {"Content-Type": kind})


_NOT_OURS = "Using fontTools instead of HarfBuzz-Subset"
"""WeasyPrint's advice about an optional system library; the subset fonts are right either way."""


class _Complaints(logging.Handler):
    """Keeps what WeasyPrint warns of: for the report's own log, in place of lines on the terminal."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if not message.startswith(_NOT_OURS):
            self.messages.append(message)


@contextmanager
def _dated(when: datetime) -> Iterator[None]:
    """FontTools writes the time into the fonts' subsets; SOURCE_DATE_EPOCH is its way to be told which."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = str(int(when.timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


def to_pdf(
    html: str, files: Mapping[str, bytes], data: bytes, created: datetime | None = None
) -> tuple[bytes, tuple[str, ...]]:
    """Render `html` and attach `data` as report.json.

    Args:
        html: the whole document; its pictures and fonts are addressed as `memory:NAME`.
        files: those pictures and fonts.
        data: the report's content as JSON.
        created: the date of the attachment and of the fonts' subsets.

    Returns:
        The PDF, and what WeasyPrint complained of, each once: a missing alternative text, an unknown property, a font
        that does not load. For the templates as they are shipped it is nothing.

    Raises:
        PdfError: when the HTML asks for what is not the report's.
    """
    fetcher = MemoryFetcher(files)
    complaints = _Complaints()
    logger = logging.getLogger("weasyprint")
    before = logger.handlers[:]
    logger.handlers[:] = [complaints]
    when = created or _NO_TIME
    attachment = Attachment(
        string=data,
        name="report.json",
        description="Every number of this report.",
        created=when,
        modified=when,
        url_fetcher=fetcher,
    )
    try:
        with _dated(when):
            made = HTML(string=html, base_url=SCHEME, url_fetcher=fetcher).write_pdf(
                pdf_variant="pdf/ua-1",
                attachments=[attachment],
                pdf_identifier=sha256_bytes(html.encode())[:32].encode(),
            )
    except FatalURLFetchingError as error:
        raise PdfError(
            "report", str(error), "Escape what the templates print, and add pictures through Pictures."
        ) from error
    finally:
        logger.handlers[:] = before
    return made, tuple(dict.fromkeys(complaints.messages))
