"""What the study was made of stands before its results, and drawn pictures are said to be drawn."""

import io
from dataclasses import replace

import pypdf
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.reporting.content import KINDS
from xai_assets.reporting.cost import cost
from xai_assets.reporting.inputs import inputs
from xai_assets.reporting.render import render
from xai_assets.reporting.results import StudyResults


def test_pictures_models_and_probe_set_are_those_of_the_tables():
    small = plausible(2, 1, layers=SMALL)
    said = [(row["what"], row["said"]) for row in inputs(small)]
    assert said == [
        (
            "explained pictures",
            "3 pictures read of 4; sides of 128 to 192 pixels; 3 labelled; "
            "a true mask is known of 4 of 4 target classes",
        ),
        ("explained model", "diorama/object; target layer of the class activation maps: layer4"),
        ("dissected model", "diorama/object: layer3 (12 units) and layer4 (24 units)"),
        ("dissected model", "diorama/scene: layer3 (12 units) and layer4 (24 units)"),
        ("probe set", "1,000 of 1,000 could be read images"),
    ]
    assert inputs(StudyResults({"name": "x", "title": "X"})) == []


@pytest.mark.parametrize("kind", KINDS)
def test_drawn_pictures_are_said_to_be_drawn_on_the_first_page(kind):
    small = plausible(1, 1, layers=SMALL)
    drawn = replace(small, study={**small.study, "synthetic": ["explained pictures"]})
    first = _first_page(render(kind, drawn))
    assert "The explained pictures are synthetic: drawn by the embedded world Diorama" in first
    assert "Nothing may be concluded from them about photographs" in first
    assert "synthetic" not in _first_page(render(kind, small))
    probe = replace(small, study={**small.study, "synthetic": ["pictures of the probe set"]})
    assert "Nothing may be concluded from them about what units show of photographs" in _first_page(
        render(kind, probe)
    )


def test_cost_has_the_inverse_of_the_seconds_and_the_most_memory_of_any_map():
    rows = {row["key"]: row for row in cost(plausible(2, 0, layers=SMALL))}
    assert rows["gradcam"]["images_per_second"] == pytest.approx(1 / 0.012)
    assert rows["gradcam"]["peak_memory_mib"] == 812
    assert rows["lime"]["peak_memory_mib"] is None  # made before it was kept


def _first_page(report):
    return " ".join(pypdf.PdfReader(io.BytesIO(report.pdf)).pages[0].extract_text().split())
