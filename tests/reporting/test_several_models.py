"""The chapter of several models: what it says follows from rows, and its gallery begins with what changed."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.several_models import agreed, right_answers, several_models
from xai_assets.reporting.templating import environment
from xai_assets.resources.tables import TABLES
from xai_assets.vision.geometry import whole_frame

FRAME = whole_frame(40, 60, (20, 20), "squash")
TEST = {
    "family": "answers", "metric": "correct", "question": None, "method": None, "model_a": "old", "model_b": "new",
    "value_a": 0.75, "value_b": 0.5, "only_a": 1, "only_b": 0, "difference": -0.25, "low": -0.6, "high": 0.1,
    "interval": "t", "n": 4, "excluded": 0, "p": 1.0, "p_holm": 1.0, "family_size": 3, "fewest": 8,
    "answer": "cannot_tell",
}  # fmt: skip


def artifact(kind, key):
    if kind == "pictures":
        return {"pixels": np.full((40, 60, 3), 90, np.uint8)}, {}
    if kind == "views":
        return {"view": np.full((20, 20, 3), 90, np.uint8)}, {"frame": FRAME.to_dict()}
    values = np.linspace(0, 1, 400, dtype=np.float32).reshape(20, 20)
    return {"values": values, "mask": (values > 0.5).astype(np.uint8)}, {}


def table(name, rows):
    return pd.DataFrame(rows).reindex(columns=list(TABLES[name].columns))


@pytest.fixture
def results():
    """Two models on three images, of which the second changed from right to wrong."""
    images = ["a.png", "b.png", "c.png"]
    maps = [
        {
            "model": model, "image_id": image, "target_index": 0, "target_name": "cat", "class_name": "cat",
            "same_class": True, "own_answer": True, "probability": 0.8, "view": "v", "method": "gradcam",
            "predicted_name": "dog" if (model, image) == ("new", "b.png") else "cat", "predicted_probability": 0.8,
            "correct": (model, image) != ("new", "b.png"), "on_object": 0.5, "constant": False, "artifact": "m",
        }
        for model in ("old", "new") for image in images
    ]  # fmt: skip
    agreement = [
        {
            "question": question,
            "image_id": image,
            "method": "gradcam",
            "model_a": "old",
            "model_b": "new",
            "iou": iou,
        }
        for question in ("same_class", "own_answer")
        for image, iou in zip(images, (0.9, 0.5, 0.2), strict=True)
    ]
    changed = {
        "image_id": "b.png", "model_a": "old", "model_b": "new", "change": "right_to_wrong", "label": "cat",
        "class_a": "cat", "class_b": "dog", "probability_a": 0.8, "probability_b": 0.6, "correct_a": True,
        "correct_b": False,
    }  # fmt: skip
    summary = {
        "method": "gradcam", "model_a": "old", "model_b": "new", "metric": "iou", "mean": 0.53, "low": 0.4, "high": 0.7,
        "n": 3, "chance": 0.3, "p_holm": 0.02, "family_size": 1, "fewest": 4, "answer": "yes",
    }  # fmt: skip
    evidence = {"family": "evidence", "metric": "on_object", "question": "same_class", "method": "gradcam"}
    overall = {"metric": "accuracy", "value": 0.75, "low": 0.2, "high": 0.99, "n": 4}
    return StudyResults(
        study={"name": "two", "title": "Two"},
        artifact=artifact,
        images=pd.DataFrame({"image_id": images, "picture": "p"}),
        performance_by_model=table("performance_by_model", [{"model": m, **overall} for m in ("old", "new")]),
        maps_by_model=table("maps_by_model", maps),
        model_agreement=table("model_agreement", agreement),
        model_agreement_summary=table("model_agreement_summary", [summary]),
        model_tests=table(
            "model_tests", [TEST, TEST | {"metric": "probability"}, TEST | evidence | {"n": 3}]
        ),
        changed_answers=table("changed_answers", [changed]),
    )


def test_images_that_changed_come_first_then_those_that_overlap_least(results):
    chapter = several_models(results, Pictures(), limit=3)
    assert [item["image_id"] for item in chapter["gallery"]["images"]] == ["b.png", "c.png", "a.png"]
    assert [found["answer"] for found in chapter["gallery"]["images"][0]["models"]] == ["cat", "dog"]
    assert "of 3 images" in chapter["gallery"]["rule"]
    assert len(several_models(results, Pictures(), limit=1)["gallery"]["images"]) == 1


def test_sentences_say_what_was_decided_and_what_cannot_be_told(results):
    (pair,) = several_models(results, Pictures(), limit=1)["pairs"]
    right, changes, overlap, moved = pair["sentences"]
    assert right == (
        "new is right on 2 and old on 3 of 4 labelled images; 0 are right by new alone, 1 by old alone. Which is right "
        "more often cannot be told with 4 images; at least 8 are needed for 3 tests."
    )
    assert changes == "new answers another class than old on 1 of 4 images."
    assert "IoU of 0.53, where masks of different images have 0.30: further than by chance" in overlap
    assert moved.startswith("Whether the evidence of new lies elsewhere than that of old cannot be told")
    assert pair["changes"] == [{"change": "right_to_wrong", "title": "right, then wrong", "images": 1}]


def test_a_decided_difference_is_said_with_what_it_rests_on():
    said = right_answers([TEST | {"answer": "no", "p_holm": 0.004, "n": 40}], "old", "new")
    assert said[0].endswith("new is right less often (40 images, p = 0.004, Holm over 3 tests).")
    assert "No image has a label" in right_answers([TEST | {"n": 0}], "old", "new")[0]
    assert agreed([{"mean": None, "method": "gradcam"}]) == []


def test_the_page_shows_every_model_of_every_image_and_no_model_that_is_not_there(results):
    pictures = Pictures()
    chapter = several_models(results, pictures, limit=3)
    chapter["gallery"]["images"][0]["models"][1] = None
    text = (
        environment()
        .from_string(
            '{% from "chapters/several_models.html" import several_models with context %}{{ several_models(found) }}'
        )
        .render(found=chapter, address=lambda file: file, report={})
    )
    assert text.count("<img") == 3 + 5 + 3
    assert text.count("no map could be made") == 1
    assert "right, then wrong" in text
    assert "new answers another class" in text


def test_a_study_of_one_model_has_no_chapter():
    found = several_models(StudyResults(study={"name": "one", "title": "One"}), Pictures(), limit=3)
    assert found["models"] == found["pairs"] == []
