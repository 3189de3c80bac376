"""The verdict says of each method and pair what its row says, with n, p and the family's size, and nothing else."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.reporting import names
from xai_assets.reporting.headline import headline
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.verdict import verdict
from xai_assets.resources.headline_view import COLUMNS

ANSWERS = st.sampled_from(["yes", "no", "cannot_tell"])
METHODS = ("gradcam", "ablationcam", "scorecam", "lime")
WORDS = {"yes": " above ", "no": " below one of ", "cannot_tell": "whether "}


def row(section, subject, answer, *, other=None, n=12, fewest=9, **more):
    """One row of the view."""
    metric = {"localization": "average_precision", "faithfulness": "srg", "agreement": "iou"}[section]
    made = dict.fromkeys(COLUMNS) | {
        "section": section, "metric": metric, "variant": "blur" if section == "faithfulness" else None,
        "subject": subject, "other": other, "is_control": False, "value": 0.5, "low": 0.4, "high": 0.6, "n": n,
        "chance": 0.1, "against": "other_images" if section == "agreement" else "centre, edges",
        "p_holm": {"yes": 0.004, "no": 0.02, "cannot_tell": 0.7}[answer], "family_size": 8, "fewest": fewest,
        "answer": answer,
    }  # fmt: skip
    return {key: value for key, value in (made | more).items() if key not in ("study", "place")}


def results(*rows):
    return StudyResults(study={"name": "s", "title": "S"}, headline=pd.DataFrame(list(rows)))


@given(
    st.fixed_dictionaries(dict.fromkeys(METHODS, ANSWERS)),
    st.sampled_from(["localization", "faithfulness"]),
)
def test_each_method_is_said_to_be_what_its_row_says(answers, section):
    said = verdict(results(*(row(section, method, answer) for method, answer in answers.items())))
    for method, answer in answers.items():
        together = "4 methods" if len(set(answers.values())) == 1 else names.method(method).title
        (sentence,) = [one for one in said if together in one]
        assert WORDS[answer] in sentence
        if answer == "cannot_tell":
            assert "cannot be told with 12 images" in sentence and "fail" not in sentence
        else:
            assert "12 images, p " in sentence and "for 8 comparisons" in sentence


@given(st.lists(ANSWERS, min_size=3, max_size=3))
def test_so_many_pairs_agree_beyond_chance_as_rows_say_yes(answers):
    pairs = [("gradcam", "ablationcam"), ("gradcam", "lime"), ("ablationcam", "lime")]
    rows = [row("agreement", a, answer, other=b) for (a, b), answer in zip(pairs, answers, strict=True)]
    (sentence,) = [one for one in verdict(results(*rows)) if "agree" in one and "IoU" in one]
    yes = answers.count("yes")
    assert ("Every pair agrees further" in sentence) == (yes == 3)
    assert (f"{yes} of 3 pairs agree" in sentence) == (0 < yes < 3)
    assert ("Below chance" in sentence) == ("no" in answers)
    shown = headline(results(*rows))
    assert [one["reading"] == "above chance" for one in shown] == [answer == "yes" for answer in answers]


def test_too_few_images_are_said_with_how_many_are_needed():
    said = verdict(results(row("localization", "gradcam", "cannot_tell", n=4, fewest=9)))
    assert "cannot be told with 4 images; at least 9 are needed" in said[0]
    assert "With 4 images, no comparison" in said[-1]
    (shown,) = headline(results(row("localization", "gradcam", "cannot_tell", n=4, fewest=9)))
    assert shown["reading"] == "cannot be told with 4 images (at least 9)"


@pytest.mark.parametrize("n", [6, 12])
def test_what_so_many_images_can_decide_is_said(n):
    said = verdict(results(row("faithfulness", "lime", "yes", n=n)))
    assert f"With {n} images, at most {1 if n == 6 else 102} comparison" in said[-1]


def test_words_and_sanity_are_passed_on_and_nothing_is_said_of_nothing():
    assert verdict(results(), words=["w."], robustness=["r."]) == ["r.", "w."]
    assert verdict(StudyResults(study={"name": "s", "title": "S"})) == [
        "The study has no results to draw a conclusion from."
    ]
