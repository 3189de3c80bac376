"""The chapter on the metrics themselves: what the trials say, in numbers and words, and where there are none."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.evaluation.test_metric_trials import noisy, pictures, values
from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from tests.reporting.test_render import text_of
from xai_assets.evaluation.metric_trials import metric_trials
from xai_assets.reporting.render import render
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.trials import trials

STUDY = {"name": "x", "title": "x"}


def rewards_nothing():
    """Average drop as it is: all ones lose nothing."""
    table = values(lambda knows, g: 1 - noisy(knows, g), metric="average_drop", variant="zero")
    return table.assign(value=table["value"].where(table["method"] != "ones", -0.2))


def results(*tables: pd.DataFrame, cases: pd.DataFrame | None = None) -> StudyResults:
    tried = metric_trials(pd.concat(tables), pictures() if cases is None else cases)
    return StudyResults(study=STUDY, metric_trials=tried)


def test_a_metric_that_passes_says_so_and_goes_into_no_summary():
    chapter = trials(results(values(noisy)))
    [row] = chapter["rows"]
    assert (row["key"], row["variant"], row["reading"]["words"]) == ("srg", "blur", "passes")
    assert (row["methods"], row["above_random"], row["below_oracle"], row["above_oracle"]) == (3, 3, 3, 0)
    assert row["random"]["mean"] == pytest.approx(0.9, abs=0.05) and row["random"]["n"] == 12
    assert row["removed"]["verdict"] == "yes" and row["changed"]["mean"] == row["removed"]["mean"]
    assert chapter["failed"] == [] and (chapter["images"], chapter["grounded"]) == (12, 12)
    assert chapter["sentences"][0].startswith("Every metric puts the true mask above")
    assert "1 of 1 metrics put maps and controls in the order" in chapter["sentences"][1]


def test_a_metric_that_fails_is_named_in_the_summary_with_what_it_ranks_higher():
    backwards = values(lambda knows, g: 1 - noisy(knows, g), metric="road", variant="linear")
    blind = values(lambda *_: 0.4, metric="pointing", variant=None)
    chapter = trials(results(values(noisy), rewards_nothing(), backwards, blind))
    assert chapter["failed"] == [
        "Average drop (zero) fails its own test: it puts a map that says nothing (all ones) above the true mask, so that "
        "it is not to be read alone.",
        "ROAD (linear) fails its own test: it puts a random map above the true mask, so that it is not to be read alone.",
        "Pointing game fails its own test: whether it puts the true mask above a random map cannot be told with "
        "12 images.",
    ]
    assert [row["reading"]["verdict"] for row in chapter["rows"]] == ["yes", "no", "no", "cannot_tell"]
    assert chapter["rows"][3]["removed"] is None
    assert "1 of 4 metrics put the true mask above" in chapter["sentences"][0]
    assert "The opposite order is given by ROAD (linear)." in chapter["sentences"]


def test_methods_above_the_oracle_are_no_failure():
    knows_better = values(lambda knows, g: noisy(knows if knows < 1 else 0.45, g))
    chapter = trials(results(knows_better))
    assert chapter["rows"][0]["above_oracle"] == 2 and not chapter["failed"]
    assert "By 1 metric, some methods lie above the true mask" in chapter["sentences"][1]


def test_where_nothing_hangs_on_the_part_nothing_is_said_of_use():
    chapter = trials(results(values(noisy), cases=pictures(fall=0.0)))
    assert chapter["grounded"] == 0 and "nothing is known of the metrics’ use" in chapter["sentences"][-1]


def test_the_study_and_the_comparison_report_have_the_page_or_say_why_not():
    small = plausible(1, 0, layers=SMALL)
    tried = metric_trials(pd.concat([values(noisy), rewards_nothing()]), pictures())
    for kind in ("study", "comparison"):
        report = render(kind, replace(small, metric_trials=tried))
        text = text_of(report)
        assert report.complaints == ()
        assert "Oracle, methods, random map" in text and "rewards saying nothing" in text
        assert "Trial of a metric" in text
        missing = text_of(render(kind, small))
        assert "No metric was put to the test" in missing and "Trial of a metric" not in missing
    summary = render("study", replace(small, metric_trials=tried)).data["verdict"]
    assert summary[-1].startswith("Average drop (zero) fails its own test")
