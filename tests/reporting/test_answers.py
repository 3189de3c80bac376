"""The verdict speaks of the model first: right, wrong and unsure, by name; the cover shows the telling images."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import WIDE, plausible
from xai_assets.evaluation.accuracy import prediction_summary
from xai_assets.reporting.answers import model
from xai_assets.reporting.content import KINDS, build
from xai_assets.reporting.cover import telling
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.provenance import provenance
from xai_assets.reporting.results import StudyResults


def answered(*rows):
    """Predictions of (name, predicted, probability, label or None)."""
    table = pd.DataFrame(
        [
            {
                "image_id": name, "target_index": 0, "model": "net", "predicted_name": predicted,
                "predicted_probability": p, "sure": p > 0.5, "label": label,
                "correct": None if label is None else predicted == label, "domain": "", "in_domain": None,
            }
            for name, predicted, p, label in rows
        ]
    )  # fmt: skip
    return StudyResults(study={}, predictions=table, prediction_summary=prediction_summary(table))


def test_wrong_answers_are_named_and_unsure_ones_counted():
    said = model(
        answered(
            ("a", "cat", 0.9, "cat"),
            ("b", "dog", 0.7, "fox"),
            ("c", "eel", 0.2, None),
            ("d", "cow", 0.5, "cow"),
        )
    )
    assert said[0].startswith("The model answers 2 of 3 labelled images right (67%")
    assert said[0].endswith("and 1 wrong.")
    assert said[1] == "Wrong, the surest first: b (dog, 70%, labelled fox)."
    assert said[2] == (
        "2 of 4 answers are unsure (a probability of at most 50%); the least sure is eel (20%, c)."
    )


def test_of_many_wrong_answers_a_few_are_named():
    said = model(answered(*((f"i{n}", "dog", 0.9, "fox") for n in range(9))))
    assert said[1].count("labelled fox") == 4 and said[1].endswith("and 5 more.")
    assert said[2].startswith("None of 9 answers is unsure")


def test_without_labels_it_is_not_said_that_anything_is_right():
    said = model(answered(("a", "cat", 0.9, None), ("b", "dog", 0.4, None)))
    assert said[0] == "Whether its answers are right is not known: 2 images without a label."
    assert not any("right (" in sentence for sentence in said)


@pytest.mark.parametrize("kind", ["study", "cam", "lime"])
def test_the_model_comes_before_the_maps(kind):
    groups = build(kind, plausible(2, 1, layers=SMALL), Pictures())["verdict"]
    assert [group["about"] for group in groups][:2] == ["The model", "The maps"]
    assert all(group["sentences"] for group in groups)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("comparison", "failures")])
def test_a_first_page_has_pictures_which_the_report_shows(kind):
    pictures = Pictures()
    content = build(kind, plausible(2, 1, layers=SMALL), pictures)
    shown = content["cover"]["shown"]
    assert 0 < len(shown) <= 6 and content["cover"]["caption"]
    assert all(len(item["pictures"]) == 2 for item in shown)
    assert {picture["file"] for item in shown for picture in item["pictures"]} <= set(pictures.by_name)


def test_wrong_then_unsure_then_the_others():
    rows = [
        {"n": n, "correct": correct, "sure": sure}
        for n, (correct, sure) in enumerate([(True, True), (None, False), (False, True), (False, False)])
    ]
    assert [row["n"] for row in telling(rows)] == [3, 2, 1, 0]


def test_the_original_stands_beside_the_crop_with_the_share_that_is_seen():
    content = build("cam", plausible(2, 0, layers=SMALL), Pictures())
    (cropped, whole) = (image["targets"][0] for image in content["gallery"]["images"])
    assert cropped["seen"] == pytest.approx(WIDE.seen()) == pytest.approx(2 / 3)
    assert "sees 67% of it" in cropped["original"]["alt"] and whole["original"] is None


def test_a_report_names_the_input_the_masks_and_the_parameters_and_only_what_it_uses():
    results = plausible(1, 1, layers=SMALL)
    lineage = {"Weights": {"diorama/object": "1", "diorama/scene": "2", "clip": "3"}}
    lineage |= {"Pictures and words": {"explained images": "1", "probe set": "2", "concept list": "3"}}
    results = replace(results, study={**results.study, "lineage": lineage})

    def facts(kind, methods):
        groups = provenance(kind, results, methods)
        return {group["group"]: {fact["name"]: fact["value"] for fact in group["facts"]} for group in groups}

    cam, units = facts("cam", ["gradcam"]), facts("dissection", [])
    assert set(cam["Weights"]) == {"diorama/object"} and set(cam["Pictures and words"]) == {
        "explained images"
    }
    assert cam["Explained by"]["masks"] == "fixed at 0.5" and cam["Explained by"]["target layer"] == "layer4"
    assert "standard deviation" in cam["Explained by"]["diorama/object"]
    assert cam["Report"]["made"] == "2026-01-31T12:00:00Z"
    assert "Explained by" not in units and set(units["Weights"]) == {
        "diorama/object",
        "diorama/scene",
        "clip",
    }
    assert set(units["Pictures and words"]) == {"probe set", "concept list"}
    assert "num_samples 1000" in facts("lime", ["lime"])["Explained by"]["lime"]
    assert "target layer" not in facts("lime", ["lime"])["Explained by"]


def test_masks_over_one_another_have_the_iou_of_the_table():
    results = plausible(6, 1, layers=SMALL)
    found = build("comparison", results, Pictures())["agreement"]
    assert len(found["overlaps"]["cases"]) == 6 and "agree least" in found["overlaps"]["rule"]
    assert len(found["image_by_image"]) == 8
    table = results.mask_agreement.set_index(["image_id", "target_name", "method_a", "method_b"])["iou"]
    for case in found["overlaps"]["cases"]:
        assert [mask["method"] for mask in case["masks"]] == ["gradcam", "ablationcam", "scorecam", "lime"]
        for pair in case["pairs"]:
            key = (case["image_id"], case["name"], pair["method_a"], pair["method_b"])
            assert pair["iou"] == table[key]
    lowest = results.mask_agreement.groupby(["image_id", "target_name"])["iou"].min()
    shown = {(case["image_id"], case["name"]) for case in found["overlaps"]["cases"]}
    assert {lowest.idxmin(), lowest.idxmax()} <= shown
    assert np.isclose(found["image_by_image"][0]["ious"][0], results.mask_agreement["iou"].iloc[0])
