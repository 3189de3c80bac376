"""What a study does not ask for is not asked: neither passed nor failed. What it asks for and does not get has failed."""

import pandas as pd
import pytest

from xai_assets.assets.step import _asked
from xai_assets.checks import evaluation, performance
from xai_assets.checks.asked import left_out
from xai_assets.checks.check import NOT_ASKED, Check, Verdict, not_asked, state
from xai_assets.resources.tables import TABLES
from xai_assets.study import Study

EMPTY = pd.DataFrame(columns=list(TABLES["localization"].columns))


def study(**attribution):
    given = {"model": "diorama/object", "images": {"folder": "images"}, "methods": {"gradcam": {}}}
    return Study.model_validate({"name": "s", "title": "S", "attribution": given | attribution})


@pytest.mark.parametrize(
    ("asset", "given", "asked"),
    [
        ("gradcam_masks", {}, True),
        ("lime_masks", {}, False),
        ("further_cam_masks", {}, False),
        ("further_cam_masks", {"methods": {"eigencam": {}}}, True),
        ("external_masks", {}, False),
        ("external_masks", {"methods": {"external": {"maps": "x"}}}, True),
        ("robustness", {"methods": {"external": {"maps": "x"}}}, False),
        ("mask_agreement", {"methods": {"gradcam": {}, "external": {"maps": "x"}}}, True),
        ("mask_agreement", {}, False),
        ("mask_agreement", {"methods": {"gradcam": {}, "lime": {}}}, True),
        ("localization", {}, False),
        ("localization", {"truth": {"masks": "masks"}}, True),
        ("localization", {"images": {"diorama": {}}}, True),
        ("faithfulness", {}, True),
        ("faithfulness", {"faithfulness": None}, False),
        ("robustness", {"robustness": None}, False),
        ("verification", {}, False),
        ("verification", {"verify": {}}, True),
        ("counterfactuals", {}, False),
        ("counterfactuals", {"images": {"diorama": {}}}, True),
        ("images", {}, True),
        ("predictions", {}, True),
    ],
)
def test_what_a_study_asks_for(asset, given, asked):
    why = left_out(study(**given), asset)
    assert (why is None) is asked
    assert why is None or why.endswith(".")


def test_without_labels_the_model_is_not_said_to_be_right():
    answers = pd.DataFrame({"image_id": ["a", "b"], "correct": [None, None]})
    result = performance.RIGHT.result(answers, asked=True)
    assert state(result) == NOT_ASKED
    assert result.description.startswith("Not asked: No image has a label")
    assert state(performance.RIGHT.result(answers.assign(correct=[True, True]))) == "passed"


def test_no_ground_truth_is_not_asked_and_a_ground_truth_that_was_all_refused_has_failed():
    checks = (evaluation.LOCALIZATION_SOUND, evaluation.LOCALIZES)
    without = _asked(checks, [EMPTY, EMPTY], "The study has no ground truth.")
    assert [state(result) for result in without] == [NOT_ASKED, NOT_ASKED]
    assert {result.description for result in without} == {"Not asked: The study has no ground truth."}
    refused = _asked(checks, [EMPTY, EMPTY], None)
    assert [state(result) for result in refused] == [
        NOT_ASKED,
        "failed",
    ]  # what blocks does not stop the others
    assert "not one row was made" in refused[1].description


def test_a_check_that_blocks_and_is_not_asked_blocks_nothing():
    result = Check("c", "d", lambda *_: not_asked("There is nothing."), blocking=True).result(
        EMPTY, asked=True
    )
    assert state(result) == NOT_ASKED and result.passed and result.severity.value == "WARN"


@pytest.mark.parametrize("passed", [True, False])
def test_a_verdict_with_rows_is_what_it_is(passed):
    result = Check("c", "d", lambda *_: Verdict(passed, "It is.")).result(EMPTY, asked=True)
    assert state(result) == ("passed" if passed else "failed") and result.passed is passed
