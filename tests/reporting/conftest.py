"""Reports are slow to make: the tests share one study and one rendering of each kind."""

from functools import cache

import pytest

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
def _render(kind: str) -> RenderedReport:
    return render(kind, plausible(3, 1, layers=SMALL, wrong=WRONG))


@pytest.fixture(scope="session", params=KINDS)
def report(request: pytest.FixtureRequest) -> RenderedReport:
    """Each kind of report of the small study."""
    return _render(request.param)
