"""What the checks of the model's performance let pass, what they do not, and what they leave open."""

import pandas as pd
import pytest

from xai_assets.checks import performance as checks
from xai_assets.evaluation.performance import model_performance


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
