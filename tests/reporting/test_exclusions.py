"""What the numbers leave out stands in the study report with how much and why; where nothing is, that is said."""

import io
from dataclasses import replace

import pypdf
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from tests.reporting.test_faithfulness import values
from xai_assets.evaluation.comparison import metric_summary
from xai_assets.reporting.exclusions import NOTHING_SHOWN, REASONS, exclusions
from xai_assets.reporting.render import render


@pytest.fixture(scope="module")
def small():
    made = plausible(2, 1, layers=SMALL)
    return replace(made, layer_summary=made.layer_summary.assign(dead=0))


def test_pictures_are_listed_with_their_reason(small):
    (row,) = exclusions(small)["quarantined"]["groups"]
    assert row["listed"] == 'holiday "snap".jpg' and row["reason"].startswith("the file ends")


def test_maps_that_are_missing_are_counted_by_method(small):
    assert exclusions(small)["maps"] == []
    left = small.maps.drop(small.maps.index[small.maps["method"] == "lime"][:3])
    cases = len(small.predictions)
    assert exclusions(replace(small, maps=left))["maps"] == [{"key": "lime", "made": cases - 3, "missing": 3}]


def test_methods_that_lack_as_much_of_a_metric_stand_together_with_n_and_why(small):
    table = values()
    lost = table["image_id"].isin(["0.png", "1.png"])
    of_lime = lost & table["method"].isin(["lime", "random"]) & (table["metric"] == "srg")
    moved = lost & (table["method"] == "gradcam") & (table["metric"] == "max_sensitivity")
    summary = metric_summary(table.assign(value=table["value"].mask(of_lime | moved)))
    assert exclusions(replace(small, metric_summary=summary))["metrics"] == [
        {
            "what": "Symmetric relevance gain, blur", "whom": ["LIME", "Random map"], "measured": 10, "left_out": 2,
            "unit": "images", "why": NOTHING_SHOWN,
        },
        {
            "what": "Max-sensitivity", "whom": ["Grad-CAM"], "measured": 10, "left_out": 2, "unit": "images",
            "why": REASONS["max_sensitivity"],
        },
    ]  # fmt: skip


def test_classes_without_a_true_mask_empty_masks_and_dead_units_are_counted(small):
    image = small.predictions["image_id"].iloc[0]
    known = small.localization[small.localization["image_id"] != image]
    scored = known.assign(iou=known["iou"].mask(known["method"] == "lime"))
    pairs = small.mask_agreement.assign(iou=small.mask_agreement["iou"].mask(small.mask_agreement.index < 2))
    dead = small.layer_summary.assign(dead=[1, 2, 0, 0])
    found = exclusions(replace(small, localization=scored, mask_agreement=pairs, layer_summary=dead))[
        "metrics"
    ]
    cases, units = len(small.predictions), sum(SMALL.values())
    said = [(row["what"], row["whom"], row["measured"], row["left_out"], row["unit"]) for row in found]
    assert said == [
        ("Against the truth", [], cases - 1, 1, "target classes"),
        ("IoU", ["LIME"], 0, cases - 1, "target classes"),
        ("Agreement of masks, IoU", [], len(pairs) - 2, 2, "pairs of masks"),
        ("Concepts of units", ["diorama/object"], units - 3, 3, "units"),
    ]
    assert all(row["why"] for row in found)


def test_the_chapter_stands_in_the_pdf_and_says_where_nothing_was_left_out(small):
    problem = {"asset": "lime_masks", "said": "a.png (dog): has no map. Look at <b>it."}
    report = render("study", replace(small, study={**small.study, "problems": [problem]}))
    text = _text(report)
    assert report.complaints == () and "Exclusions and failures" in text
    assert "lime_masks a.png (dog): has no map. Look at <b>it." in text
    whole = replace(small, images=small.images[small.images["status"] == "ok"])
    assert "Nothing was left out: every image could be read" in _text(render("study", whole))


def _text(report):
    pages = pypdf.PdfReader(io.BytesIO(report.pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())
