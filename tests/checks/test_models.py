"""The checks of several models: a later model fails only where it is decided to be right less often."""

import pandas as pd
import pytest

from xai_assets.checks.models import ANSWERED, COVERED, NOT_WORSE, SOUND
from xai_assets.evaluation.models_tested import model_tests

NO_MAPS = pd.DataFrame(columns=["method"])
IMAGES = pd.DataFrame({"image_id": [f"{at}.png" for at in range(16)], "status": "ok"})


def answers(**right):
    table = pd.DataFrame(
        [(model, f"{at}.png", found, 0.5, 0.5) for model, of in right.items() for at, found in enumerate(of)],
        columns=["model", "image_id", "correct", "label_probability", "probability"],
    )
    return table.astype({"correct": "boolean"})


def not_worse(**right):
    table = answers(**right)
    return NOT_WORSE.look(table, IMAGES, model_tests(table, NO_MAPS, list(right), seed=0))


@pytest.mark.parametrize(
    ("later", "passed", "said"),
    [
        (
            [False] * 12 + [True] * 4,
            False,
            "Right less often than old: new (0.250 and 1.000 of 16 images, 0 right",
        ),
        ([True] * 16, None, "Cannot be told whether a model is right less often than old"),
        ([False] * 2 + [True] * 14, None, "Cannot be told"),
    ],
)
def test_a_later_model_fails_only_where_it_is_decided_to_be_worse(later, passed, said):
    found = not_worse(old=[True] * 16, new=later)
    assert found.passed is passed
    assert said in found.said


def test_a_better_model_passes_and_of_several_the_worst_decides():
    better = not_worse(old=[False] * 16, new=[True] * 16)
    assert better.passed
    assert "Right more often than old" in better.said
    both = not_worse(old=[True] * 16, new=[True] * 16, third=[False] * 16)
    assert both.passed is False
    assert "third" in both.said
    assert "new (" not in both.said


def test_without_labels_or_with_one_model_nothing_is_asked():
    assert not_worse(old=[None] * 16, new=[None] * 16).said == "No image has a label that the models have."
    assert NOT_WORSE.look(answers(), IMAGES, NO_MAPS).passed is None
    assert ANSWERED.look(answers(), IMAGES).passed is None
    assert SOUND.look(NO_MAPS, NO_MAPS).passed is None
    assert COVERED.look(NO_MAPS).passed is None


def test_an_image_that_a_model_does_not_answer_is_named():
    table = answers(old=[True] * 16, new=[True] * 15)
    found = ANSWERED.look(table, IMAGES)
    assert found.passed is False
    assert "15.png new" in found.said


def test_a_map_that_is_missing_out_of_range_or_not_the_studys_is_named():
    maps = pd.DataFrame(
        [
            (model, image, 0, "gradcam", True, f"{model}{image}")
            for model in ("old", "new")
            for image in ("1", "2")
        ],
        columns=["model", "image_id", "target_index", "method", "own_answer", "artifact"],
    ).assign(
        probability=0.5,
        predicted_probability=0.5,
        density=0.5,
        mask_area=0.5,
        centre_x=0.5,
        centre_y=0.5,
        on_object=0.5,
    )
    study = maps[maps["model"] == "old"]
    assert SOUND.look(maps, study).passed
    assert COVERED.look(maps).passed
    assert "new 2 gradcam" in COVERED.look(maps.iloc[:3]).said
    assert "on_object is 2" in SOUND.look(maps.assign(on_object=2.0), study).said
    assert "not those of the study" in SOUND.look(maps, study.assign(artifact="x")).said
