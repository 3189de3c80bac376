"""One way in: a kind of report and a study's results give HTML, PDF and data."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.reporting.content import KINDS, build
from xai_assets.reporting.page import both, canonical
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults

__all__ = ["RenderedReport", "ReportError", "canonical", "render"]


class ReportError(XaiError):
    """A report that is not known or cannot be made."""


@dataclass(frozen=True)
class RenderedReport:
    """A finished report.

    Attributes:
        kind: which report.
        html: stands alone: pictures and fonts are in it.
        pdf: PDF/UA-1, with `report.json` attached.
        data: every number of the report, JSON-able.
        complaints: what WeasyPrint warned of; nothing, unless a template was changed or a name has no glyph.
    """

    kind: str
    html: str
    pdf: bytes
    data: dict[str, Any]
    complaints: tuple[str, ...] = ()

    @property
    def json(self) -> bytes:
        """The content of report.json: keys sorted, UTF-8."""
        return canonical(self.data)


def render(kind: str, results: StudyResults) -> RenderedReport:
    """Make the report `kind` (dissection, cam, lime, comparison, failures or study) of `results`.

    The same results give the same HTML, PDF and JSON to the byte: no time is printed but `results.study["created"]`.

    Raises:
        ReportError: for an unknown kind, or a `created` that is not ISO 8601.
        PdfError: when the templates ask for what is not in the report.
    """
    if kind not in KINDS:
        raise ReportError(f"report {kind!r}", "is not known", f"Known reports: {', '.join(KINDS)}.")
    created = _created(results)
    pictures = Pictures()
    data = build(kind, results, pictures)
    html, pdf, complaints = both("report", data, pictures, created)
    return RenderedReport(kind, html, pdf, data, complaints)


def _created(results: StudyResults) -> datetime | None:
    text = results.study.get("created")
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise ReportError(
            "the study's date", f"{text!r} is not ISO 8601", "Give UTC as 2026-01-31T12:00:00Z."
        ) from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)
