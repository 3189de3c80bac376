"""What the checks of the model's performance let pass, what they do not, and what they leave open."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.checks import performance as checks
from xai_assets.evaluation.decision import Answer
from xai_assets.evaluation.label_errors import LabelErrors
from xai_assets.evaluation.performance import model_performance
from xai_assets.evaluation.suspected_labels import label_quality


def answers(labels, predicted, probability=0.8):
    return pd.DataFrame(
        {
            "image_id": [str(at) for at in range(len(labels))],
            "label_index": labels,
            "label_name": [f"class {label}" for label in labels],
            "label_probability": None,
            "predicted_index": predicted,
            "predicted_name": [f"class {one}" for one in predicted],
            "probability": probability,
            "correct": [a == b for a, b in zip(labels, predicted, strict=True)],
            "label_wrong": 0.0,
            "label_suspected": False,
        }
    )


def look(check, given, limit=None):
    return check.look(given, given[["image_id"]], model_performance(given).assign(limit=limit))


HALF = answers([0] * 40, [0] * 20 + [1] * 20)


@pytest.mark.parametrize(
    ("limit", "passed", "said"),
    [
        (0.9, False, "The accuracy is 0.500 of 40 images, 95 % interval 0.338 to 0.662: below the limit of 0.9. "),
        (0.3, True, "The accuracy is 0.500 of 40 images, 95 % interval 0.338 to 0.662: not below the limit of 0.3."),
        (0.5, None, "Cannot be told whether it is below 0.5: the accuracy is 0.500 of 40 images, 95 % interval 0.338"),
        (None, None, "The study gives no limit"),
    ],
)  # fmt: skip
def test_the_accuracy_and_the_study_s_limit(limit, passed, said):
    found = look(checks.ACCURATE, HALF, limit)
    assert (found.passed, found.said[: len(said)]) == (passed, said)


def test_one_image_tells_nothing():
    assert look(checks.ACCURATE, answers([0], [1]), 0.9).passed is None


def test_a_class_that_is_never_predicted_is_named():
    found = look(checks.EVERY_CLASS, answers([0] * 20 + [3] * 20, [0] * 40))
    assert found.passed is False
    assert found.said.startswith("1 of 2 classes that are labels are never predicted: class 3 (20 images).")
    assert look(checks.EVERY_CLASS, answers([0, 3], [3, 0])).passed
    few = look(checks.EVERY_CLASS, answers([0] * 20 + [3] * 2, [0] * 22))
    assert few.passed is None and "class 3" in few.said and "at most 2, and 7 are needed" in few.said


def test_calibration_is_told_apart_from_that_of_few_images():
    assert look(checks.CALIBRATED, answers([0] * 40, [0] * 32 + [1] * 8)).passed is None
    over = look(checks.CALIBRATED, HALF)
    assert over.passed is False and "on average 0.300 higher" in over.said


def test_answers_are_of_the_study_and_each_once():
    images = HALF[["image_id"]]
    assert checks.SOUND.look(HALF, images).passed
    assert "not of the study" in checks.SOUND.look(HALF, images.iloc[1:]).said
    assert not checks.SOUND.look(pd.concat([HALF, HALF.iloc[:1]]), images).passed
    assert "outside 0 to 1" in checks.SOUND.look(HALF.assign(probability=1.5), images).said


def test_half_of_the_answers_may_be_wrong_and_no_more():
    assert checks.RIGHT.look(HALF).passed
    assert checks.RIGHT.look(HALF.assign(correct=None)).passed is None
    found = checks.RIGHT.look(answers([0, 0, 0], [0, 1, 1]))
    assert not found.passed and "names 1 of 3 labelled images rightly" in found.said


def test_a_label_that_the_model_does_not_have_is_named():
    labelled = answers([0, 1, 2], [0, 1, 2]).assign(label=["dog", "cat", None])
    assert checks.KNOWN_LABELS.look(labelled).passed
    found = checks.KNOWN_LABELS.look(
        labelled.assign(label=["sea\\;lion;seal", "cat", None], correct=[None, True, True])
    )
    assert not found.passed and found.numbers == {"labelled": 2, "unknown": 1}
    assert (
        "1 of 2 labelled images have a label that the model has. Not known to it: 0: sea;lion, seal."
        in found.said
    )
    assert checks.KNOWN_LABELS.look(labelled.assign(label=None)).passed is None


def quality(given, share, p, answer):
    suspected = int(given["label_suspected"].sum())
    wrong = LabelErrors(
        given["label_wrong"].to_numpy(float),
        1.0,
        share,
        0.0,
        0.1,
        p,
        answer,
        suspected,
        0.9 if suspected else None,
        None,
    )
    return label_quality(given, wrong).assign(metric="labels")


def test_suspected_labels_are_named_with_what_speaks_against_them():
    given = answers([0] * 40, [0] * 38 + [1] * 2).assign(label_probability=0.01)
    doubted = given.assign(label_wrong=[0.0] * 38 + [0.8, 0.97]).assign(
        label_suspected=[False] * 38 + [True] * 2
    )
    found = checks.PLAUSIBLE.look(doubted, given, quality(doubted, 0.05, 0.005, Answer.YES))
    assert found.passed is False
    assert found.said.startswith(
        "2 of 40 labels are suspected (p 0.005), of which 90% are expected to be wrong: 39: "
    )
    assert (
        "class 0, rather class 1" in found.said and "probability that the label is wrong 0.970" in found.said
    )
    open_ = checks.PLAUSIBLE.look(given, given, quality(given, 0.0, 1.0, Answer.CANNOT_TELL))
    assert open_.passed is None and open_.said.startswith("Cannot be told that any of 40 labels is wrong")


def test_of_few_labels_and_of_none_nothing_is_said():
    few = answers([0] * 5, [0] * 5)
    found = checks.PLAUSIBLE.look(few, few, quality(few, None, None, Answer.CANNOT_TELL))
    assert found.passed is None and "at least 20 are needed" in found.said
    none = few.assign(label_index=None)
    wrong = LabelErrors(np.zeros(0), None, None, None, None, None, Answer.CANNOT_TELL, 0, None, None)
    found = checks.PLAUSIBLE.look(none, none, label_quality(none, wrong).assign(metric="labels"))
    assert found.passed is None and found.said.startswith("No image has a label")
