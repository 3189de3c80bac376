"""What changed since the run before stands in the report; where nothing did, there is no such chapter."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.reporting.render import render

ROW = {
    "kind": "masks", "subject": "lime", "measure": "iou", "compared": 15, "same": 3, "appeared": 0, "gone": 1,
    "value": 0.71, "low": 0.6, "high": 0.8, "drifted": True, "said": "3 of 15 masks are the same pixel by pixel.",
}  # fmt: skip
NOISE = ROW | {
    "kind": "concepts",
    "subject": "m/<b>",
    "measure": "clip_dissect",
    "drifted": False,
    "low": None,
}


def made(kind, *rows):
    return render(kind, replace(plausible(1, 1, layers=SMALL), explanation_drift=pd.DataFrame(list(rows))))


@pytest.mark.parametrize("kind", ["comparison", "study"])
def test_what_changed_is_told_with_its_numbers(kind):
    report = made(kind, ROW, NOISE)
    assert report.complaints == ()
    assert "More than noise changed since the run before." in report.html
    assert "LIME, iou: 3 of 15 masks are the same pixel by pixel." in report.html
    assert "0.710" in report.html and "m/<b>" not in report.html
    assert [row["title"] for row in report.data["drift"]["rows"]] == ["LIME", "m/<b>"]


def test_noise_alone_is_called_noise():
    assert "No change beyond noise" in made("comparison", NOISE).html


def test_nothing_changed_is_no_chapter():
    report = made("comparison")
    assert report.data["drift"] == {"rows": [], "sentences": []} and "the one before" not in report.html
