"""What the study was made of stands before its results, and drawn pictures are said to be drawn."""

import io
from dataclasses import replace

import pypdf
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.reporting.content import KINDS, build
from xai_assets.reporting.cost import cost
from xai_assets.reporting.inputs import inputs
from xai_assets.reporting.narrative import EXPLAINED, PROBED
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.render import render
from xai_assets.reporting.results import StudyResults


def test_pictures_models_and_probe_set_are_those_of_the_tables():
    small = plausible(2, 1, layers=SMALL)
    said = [(row["what"], row["said"]) for row in inputs(small)]
    assert said == [
        (
            "explained images",
            "3 images read of 4; sides of 128 to 192 pixels; 3 labelled; "
            "a true mask is known of 4 of 4 target classes",
        ),
        ("explained model", "diorama/object; target layer of the class activation maps: layer4"),
        ("dissected model", "diorama/object: layer3 (12 units) and layer4 (24 units)"),
        ("dissected model", "diorama/scene: layer3 (12 units) and layer4 (24 units)"),
        ("probe set", "1,000 of 1,000 could be read images"),
    ]
    assert inputs(StudyResults({"name": "x", "title": "X"})) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_says_of_the_drawn_images_that_it_is_of_that_they_are_drawn(kind):
    small = plausible(1, 1, layers=SMALL)

    def limits(*drawn):
        return " ".join(
            build(kind, replace(small, study={**small.study, "synthetic": drawn}), Pictures())["limits"]
        )

    explained, probed, both = limits(EXPLAINED), limits(PROBED), limits(EXPLAINED, PROBED)
    assert ("The explained images are synthetic: drawn by the embedded world" in explained) == (
        kind != "dissection"
    )
    assert ("concluded from them about photographs" in explained) == (kind != "dissection")
    of_units = kind in ("study", "comparison", "dissection")
    assert ("concluded from them about what units show of photographs" in probed) == of_units
    assert ("The images of the probe set are synthetic" in probed) == of_units
    assert both == {"dissection": probed, "study": both, "comparison": both}.get(kind, explained)
    assert "synthetic" not in limits()


def test_that_images_are_drawn_is_said_on_the_first_page():
    small = plausible(1, 1, layers=SMALL)
    drawn = replace(small, study={**small.study, "synthetic": [EXPLAINED, PROBED]})
    said = (
        "The explained images and images of the probe set are synthetic: drawn by the embedded world Diorama"
    )
    assert said in _first_page(render("study", drawn))


def test_cost_has_the_inverse_of_the_seconds_and_the_most_memory_of_any_map():
    rows = {row["key"]: row for row in cost(plausible(2, 0, layers=SMALL))}
    assert rows["gradcam"]["images_per_second"] == pytest.approx(1 / 0.012)
    assert rows["gradcam"]["peak_memory_mib"] == 812
    assert rows["lime"]["peak_memory_mib"] is None  # made before it was kept


def _first_page(report):
    return " ".join(pypdf.PdfReader(io.BytesIO(report.pdf)).pages[0].extract_text().split())
