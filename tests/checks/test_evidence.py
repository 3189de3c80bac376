"""An alarm only where it is decided that the evidence does not lie on the object; a difference is no fault."""

import pandas as pd
import pytest

from xai_assets.checks import evidence as checks

PLACES = pd.DataFrame(
    {
        "image_id": ["a", "b", "c"],
        "target_index": 1,
        "method": "gradcam",
        "correct": pd.array([True, False, None], "boolean"),
        "object": [0.5, 0.2, 0.1],
        "context": [0.3, 0.3, 0.9],
        "elsewhere": [0.2, 0.5, None],
        "object_chance": 0.2,
        "context_chance": 0.3,
        "elsewhere_chance": 0.5,
    }
)
DECIDED = {"p_holm": 0.01, "family_size": 2, "fewest": 5, "n": 30, "value": 0.3, "reference": 0.2}


def evidence_tests(*rows):
    names = ("question", "region", "method", "answer")
    return pd.DataFrame([dict(zip(names, row, strict=True)) | DECIDED for row in rows])


@pytest.mark.parametrize(
    ("answers", "passed"),
    [
        (("yes", "yes"), True),
        (("yes", "no"), False),
        (("yes", "cannot_tell"), None),
        (("cannot_tell",) * 2, None),
    ],
)
def test_the_place_of_the_evidence(answers, passed):
    rows = [
        ("on_object", "object", method, answer)
        for method, answer in zip(("gradcam", "lime"), answers, strict=True)
    ]
    found = checks.ON_OBJECT.look(
        PLACES, PLACES, evidence_tests(*rows, ("chance", "object", "gradcam", "no"))
    )
    assert found.passed is passed
    assert passed is not False or "Those of lime do not" in found.said


def test_a_difference_between_right_and_wrong_answers_is_information():
    found = checks.RIGHT_AND_WRONG.look(
        PLACES, PLACES, evidence_tests(("answers", "object", "gradcam", "yes"))
    )
    assert found.passed and "gradcam, object: +0.300 where right, +0.200 where wrong" in found.said
    open_ = checks.RIGHT_AND_WRONG.look(
        PLACES, PLACES, evidence_tests(("answers", "object", "gradcam", "cannot_tell"))
    )
    assert open_.passed is None and open_.numbers["wrong"] == 1
    unknown = PLACES.assign(correct=None)
    assert (
        checks.RIGHT_AND_WRONG.look(
            unknown, PLACES, evidence_tests(("chance", "object", "gradcam", "yes"))
        ).passed
        is None
    )


def test_shares_add_up():
    assert checks.SOUND.look(PLACES, PLACES).passed
    assert not checks.SOUND.look(PLACES.assign(object=0.9), PLACES).passed
    assert not checks.SOUND.look(pd.concat([PLACES, PLACES]), PLACES).passed
    assert checks.ON_OBJECT.look(PLACES.iloc[:0], PLACES, PLACES.iloc[:0]).passed is None
