"""What the checks of pictures and predictions let pass, and what they do not."""

import pandas as pd
import pytest

from xai_assets.checks import inputs as checks

IMAGES = pd.DataFrame({"image_id": ["a", "b", "c"], "status": "ok", "reason": None})
PREDICTIONS = pd.DataFrame(
    {
        "image_id": ["a", "b", "b", "c"],
        "target_index": [0, 0, 1, 2],
        "probability": [0.9, 0.4, 0.6, 0.5],
        "predicted_probability": [0.9, 0.6, 0.6, 0.5],
        "input_check": "ok",
        "correct": [True, True, True, False],
    }
)


def test_a_picture_that_was_set_aside_is_named_with_its_reason():
    assert checks.READABLE.look(IMAGES).passed
    bad = IMAGES.assign(
        status=["ok", "quarantined", "ok"], reason=[None, "b is not a picture. Mend it.", None]
    )
    found = checks.READABLE.look(bad)
    assert not found.passed and found.numbers == {"images": 3, "quarantined": 1}
    assert found.said == "1 of 3 pictures are set aside. b: b is not a picture. Mend it."


def test_each_picture_has_its_classes_once():
    found = checks.PREDICTED.look(PREDICTIONS, IMAGES)
    assert found.passed and found.said == "4 target classes of 3 pictures, each once."


@pytest.mark.parametrize(
    ("broken", "images", "said"),
    [
        (PREDICTIONS.iloc[:3], IMAGES, "no row for c"),
        (PREDICTIONS, IMAGES.iloc[:2], "rows for c, which cannot be used"),
        (pd.concat([PREDICTIONS, PREDICTIONS.iloc[:1]]), IMAGES, "stand there already: 1, such as a, 0"),
        (
            PREDICTIONS.assign(predicted_probability=[1.5, 0.6, 0.6, 0.5]),
            IMAGES,
            "predicted_probability is 1.5",
        ),
        (PREDICTIONS.assign(predicted_probability=0.5), IMAGES, "than the most probable one: 2"),
    ],
)
def test_predictions_that_are_not_sound_stop_what_comes_after(broken, images, said):
    assert checks.PREDICTED.blocking
    found = checks.PREDICTED.look(broken, images)
    assert not found.passed and said in found.said and found.numbers["problems"] == 1


def test_pictures_of_another_domain_are_no_good_ground_and_what_is_not_known_is_not_asked():
    for known, passed in ((True, True), (False, False)):
        found = checks.OF_DOMAIN.look(PREDICTIONS.assign(domain="3 of 3 images are far", in_domain=known))
        assert found.passed is passed and found.said == "3 of 3 images are far."
    table = PREDICTIONS.assign(domain="not known: no norms", in_domain=pd.array([pd.NA] * 4, "boolean"))
    found = checks.OF_DOMAIN.look(table)
    assert found.said == "Whether the images are of the model's domain is not known: no norms."
    assert checks.OF_DOMAIN.look(PREDICTIONS.iloc[:0]).passed is None


def test_an_unusual_input_is_named():
    assert checks.USUAL.look(PREDICTIONS).passed
    found = checks.USUAL.look(
        PREDICTIONS.assign(input_check=["ok", "nearly constant", "nearly constant", "ok"])
    )
    assert not found.passed and found.numbers == {"images": 3, "unusual": 1}
    assert "1 of 3 inputs are unusual. b: nearly constant." in found.said


FACTS = pd.DataFrame(
    [("asked", "", ""), *(("ground truth", f"{name} (x)", "the mask has colours") for name in "abcd")],
    columns=["what", "name", "reason"],
)


@pytest.mark.parametrize(("refused", "passed"), [(0, True), (3, True), (4, False)])
def test_ground_truth_of_which_nothing_is_left_does_not_pass(refused, passed):
    found = checks.GROUND_TRUTH.look(PREDICTIONS, IMAGES, FACTS.iloc[: refused + 1])
    assert found.passed == passed and found.numbers == {"image_classes": 4, "without": refused}
    assert f"{4 - refused} of 4 image classes" in found.said and ("has colours" in found.said) == bool(
        refused
    )


def test_ground_truth_that_nobody_asked_for_is_nothing_to_look_at():
    assert checks.GROUND_TRUTH.look(PREDICTIONS, IMAGES, FACTS.iloc[:0]).passed is None
