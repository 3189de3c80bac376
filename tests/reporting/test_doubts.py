"""What puts a model's words in doubt is said beside them."""

import pandas as pd

from xai_assets.reporting import overview
from xai_assets.reporting.doubts import doubts, doubts_of_answers, doubts_of_units
from xai_assets.reporting.headline import WITH_CARE, headline
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.verdict import verdict

ROWS = [
    ("near-duplicates", "160 of 160 images are of 20 photographs", "warn"),
    ("training domain of encoder", "24 images lie 0.43 from it", "warn"),
    ("training domain of net", "24 images lie 0.80 from it", "warn"),
    ("training domain of other", "24 images lie 0.90 from it", "warn"),
    ("zero-shot accuracy, class", "10.0% of 20 images", "warn"),
    ("modes", "L (3)", "warn"),
    ("most frequent nearest word", "dog, of 12% of the images", "ok"),
]


def test_a_model_s_own_doubts_and_those_of_all_are_said():
    results = StudyResults(study={}, probe_health=pd.DataFrame(ROWS, columns=["key", "value", "level"]))
    said = doubts(results, "net")
    assert [line.split(": ")[1] for line in said] == [ROWS[at][0] for at in (0, 1, 2, 4)]
    assert said[2] == "With care: training domain of net: 24 images lie 0.80 from it."
    assert doubts(StudyResults(study={}), "net") == []


def test_the_verdict_and_the_headline_bid_care_where_the_table_warns():
    word = {
        "section": "words",
        "metric": "truth_presence",
        "subject": "net",
        "other": "layer4",
        "is_control": False,
    }
    word |= {
        "value": 0.7,
        "low": 0.6,
        "high": 0.8,
        "n": 20,
        "chance": 0.2,
        "answer": "yes",
        "against": "chance",
    }
    table = pd.DataFrame(ROWS, columns=["key", "value", "level"])
    for health, said in ((table, True), (table.assign(level="ok"), False)):
        results = StudyResults(study={}, probe_health=health, headline=pd.DataFrame([word]))
        (row,) = headline(results)
        assert row["reading"] == "above chance" + (WITH_CARE if said else "")
        model = {"name": "net", "layers": [], "doubts": doubts(results, "net")}
        units = {"models": [model, model]}
        assert (
            overview.words(units) == doubts_of_units(health, ["net"]) and bool(overview.words(units)) is said
        )


def test_answers_on_images_of_another_domain_are_said_with_care():
    for known, said in (
        (False, ["With care: training domain of net: 9 of 9 are far."]),
        (True, []),
        (None, []),
    ):
        summary = pd.DataFrame(
            [{"model": "net", "labelled": 0, "domain": "9 of 9 are far", "in_domain": known}]
        )
        assert doubts_of_answers(summary) == said
        assert set(said) <= set(verdict(StudyResults(study={}, prediction_summary=summary)))
