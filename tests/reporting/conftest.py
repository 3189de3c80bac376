"""Reports are slow to make: the tests share one study and one rendering of each kind."""

from functools import cache
from typing import Any

import pytest
from weasyprint import HTML
from weasyprint.document import Document

from tests.reporting.plausible import plausible
from xai_assets.reporting.content import KINDS
from xai_assets.reporting.render import RenderedReport, render
from xai_assets.reporting.results import StudyResults

SMALL = {"layer3": 12, "layer4": 24}
WRONG = "scene-002"


@pytest.fixture(scope="session")
def results() -> StudyResults:
    """A small study: three images with one target, one with two, a wrong answer, two models with 36 units each."""
    return plausible(3, 1, layers=SMALL, wrong=WRONG)


@cache
def _render(kind: str) -> tuple[Document, RenderedReport]:
    return laid_out(kind, plausible(3, 1, layers=SMALL, wrong=WRONG))


def laid_out(kind: str, results: StudyResults) -> tuple[Document, RenderedReport]:
    """A report, and its pages with all their boxes as WeasyPrint made the PDF of them."""
    made: list[Document] = []
    own = HTML.render

    def kept(self: HTML, *args: Any, **options: Any) -> Document:
        made.append(own(self, *args, **options))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTML, "render", kept)
        report = render(kind, results)
    (document,) = made
    return document, report


@pytest.fixture(scope="session", params=KINDS)
def report(request: pytest.FixtureRequest) -> RenderedReport:
    """Each kind of report of the small study."""
    return _render(request.param)[1]


@pytest.fixture(scope="session", params=KINDS)
def document(request: pytest.FixtureRequest) -> Document:
    """The pages of each kind of report of the small study."""
    return _render(request.param)[0]
