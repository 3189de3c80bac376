"""What the checks said stands in every report, and a failed one that blocks makes it a draft."""

import io
from dataclasses import replace

import pypdf
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.reporting.content import KINDS
from xai_assets.reporting.render import render

PASSED = {
    "asset": "unit_activations",
    "name": "few_dead_units",
    "passed": True,
    "blocking": False,
    "said": "2 of 9.",
}
WARNED = {
    "asset": "concept_embeddings",
    "name": "probe_is_healthy",
    "passed": False,
    "blocking": False,
    "said": "<b>x",
}
FAILED = {
    "asset": "clip_dissect_concepts", "name": "every_unit_has_a_row", "passed": False, "blocking": True,
    "said": "m layer3: 3 of 4 units",
}  # fmt: skip


def made(kind, *checks):
    small = plausible(1, 1, layers=SMALL)
    return render(kind, replace(small, study={**small.study, "checks": checks}))


def pages(report):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(report.pdf)).pages]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_check_that_blocks_makes_every_page_a_draft(kind):
    report = made(kind, PASSED, FAILED, WARNED)
    assert all("DRAFT" in text for text in pages(report))
    assert "1 blocking check failed (every unit has a row)" in " ".join(pages(report)[0].split())
    assert report.complaints == ()
    assert [row["name"] for row in report.data["checks"]["rows"]] == [
        "every unit has a row",
        "probe is healthy",
        "few dead units",
    ]


def test_a_warning_is_listed_and_makes_no_draft():
    report = made("study", PASSED, WARNED)
    text = " ".join("".join(pages(report)).split())
    assert "DRAFT" not in text
    assert "look at it" in text
    assert (
        "2 checks of what this report is made from: 1 passed, 0 failed, 1 to look at, 0 open, 0 not asked."
        in text
    )
    assert "unit_activations few dead units" in text  # passed: folded, its sentence in report.json
    assert [row["said"] for row in report.data["checks"]["rows"]] == ["<b>x", "2 of 9."]
    assert "<b>x" in text  # as it is written


def test_without_checks_there_is_no_such_chapter():
    report = made("cam")
    assert 'id="checks"' not in report.html and report.data["checks"] == {
        "rows": [],
        "draft": [],
        "counts": [],
        "open": [],
        "passed": [],
        "not_asked": [],
    }


def test_what_passed_is_folded_and_tables_of_which_the_same_was_asked_stand_together():
    asked = [
        PASSED | {"asset": asset, "name": name}
        for asset in ("lime_masks", "gradcam_masks")
        for name in ("maps_are_sound", "few_are_blank")
    ]
    report = made("lime", *asked, PASSED, WARNED)
    assert report.data["checks"]["passed"] == [
        {"assets": ["gradcam_masks", "lime_masks"], "names": ["few are blank", "maps are sound"]},
        {"assets": ["unit_activations"], "names": ["few dead units"]},
    ]
    assert len(report.data["checks"]["rows"]) == 6


def test_what_was_not_asked_is_counted_apart_and_has_its_reason():
    why = "Not asked: The study has no ground truth."
    left_out = [
        PASSED | {"asset": "localization", "name": name, "passed": None, "said": why}
        for name in ("values_are_in_range", "methods_beat_a_random_map")
    ]
    report = made("study", PASSED, *left_out)
    text = " ".join("".join(pages(report)).split())
    assert (
        "3 checks of what this report is made from: 1 passed, 0 failed, 0 to look at, 0 open, 2 not asked."
        in text
    )
    assert "Not asked, since there was nothing to look at: The study has no ground truth." in text
    assert report.data["checks"]["not_asked"] == [
        {
            "said": "The study has no ground truth.",
            "of": [
                {"assets": ["localization"], "names": ["methods beat a random map", "values are in range"]}
            ],
        }
    ]
    assert [row["reading"] for row in report.data["checks"]["rows"]] == ["passed", "not asked", "not asked"]
    assert report.data["checks"]["passed"] == [{"assets": ["unit_activations"], "names": ["few dead units"]}]
    assert report.complaints == ()
