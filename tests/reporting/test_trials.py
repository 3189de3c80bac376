"""The chapter on the metrics themselves: what the trials say, in numbers and words, and where there are none."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.evaluation.test_metric_trials import noisy, pictures, values
from tests.evaluation.test_placement_trials import scene
from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from tests.reporting.test_render import text_of
from xai_assets.evaluation.metric_trials import metric_trials
from xai_assets.evaluation.placement_trials import placement_trials
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
    assert row["removed"]["answer"] == "yes" and row["changed"]["mean"] == row["removed"]["mean"]
    assert chapter["summary"] == [] and (chapter["images"], chapter["grounded"]) == (12, 12)
    assert chapter["sentences"][0].startswith("Every metric puts the true mask above")
    assert "12 images, p < 0.001 at most" not in chapter["sentences"][0]
    assert "(12 images, p < 0.001, Holm over 1 test)" in chapter["sentences"][0]
    assert "1 of 1 metrics put maps and controls in the order" in chapter["sentences"][1]


def test_a_metric_that_fails_is_named_in_the_summary_with_what_it_ranks_higher():
    backwards = values(lambda knows, g: 1 - noisy(knows, g), metric="road", variant="linear")
    blind = values(lambda *_: 0.4, metric="increase_in_confidence", variant=None)
    chapter = trials(results(values(noisy), rewards_nothing(), backwards, blind))
    held = "12 images, p = 0.002, Holm over 4 tests"
    assert chapter["summary"] == [
        "Average drop (zero) fails its own test: it puts a map that says nothing (all ones) above the true mask "
        f"({held}), so that it is not to be read alone.",
        f"ROAD (linear) fails its own test: it puts a random map above the true mask ({held}), so that it is not to be "
        "read alone.",
        "Whether Increase in confidence puts the true mask above maps that know nothing cannot be told with 12 images.",
    ]
    assert [row["reading"]["answer"] for row in chapter["rows"]] == ["yes", "no", "no", "cannot_tell"]
    assert chapter["rows"][3]["removed"] is None
    assert "1 of 4 metrics puts the true mask above" in chapter["sentences"][0]
    assert any(
        said.startswith("The opposite order is given by ROAD (linear)") for said in chapter["sentences"]
    )


def test_what_cannot_be_told_is_said_once_with_the_images_it_would_take():
    few = [values(noisy, metric=metric, images=2) for metric in ("srg", "road", "insertion_auc")]
    chapter = trials(results(*few))
    assert chapter["summary"] == [
        "Whether any metric puts the true mask above maps that know nothing cannot be told with 2 images; at least 7 are "
        "needed for 3 tests."
    ]
    assert not any("fails" in said for said in chapter["sentences"])
    assert [row["reading"]["words"] for row in chapter["rows"]] == ["cannot be told"] * 3


def test_a_metric_of_the_true_mask_is_not_asked():
    chapter = trials(results(values(noisy), values(noisy, metric="energy", variant=None)))
    asked, other = chapter["rows"]
    assert asked["asked"] and not other["asked"] and other["random"] is None
    assert other["reading"] == {"answer": None, "words": "not asked"} and other["above_random"] == 3
    assert any("Of Energy in the mask this is not asked" in said for said in chapter["sentences"])


def test_a_metric_of_the_true_mask_is_held_against_maps_of_other_images():
    table = metric_trials(
        pd.concat([values(noisy), values(noisy, metric="energy", variant=None)]), pictures()
    )
    generator = np.random.default_rng(1)
    for knows, images, said in (
        (1.5, 12, "Energy in the mask puts in order"),
        (0.0, 2, "at least 4 are needed"),
    ):
        scenes = [scene(generator, knows=knows) for _ in range(images)]
        placed = placement_trials(scenes, {"energy": None})
        chapter = trials(
            StudyResults(study=STUDY, metric_trials=pd.concat([table, placed], ignore_index=True))
        )
        asked, energy = chapter["rows"]
        assert asked["placed"] is None and energy["placed"]["n"] == images
        assert said in chapter["sentences"][-1]


def test_methods_above_the_oracle_are_no_failure():
    knows_better = values(lambda knows, g: noisy(knows if knows < 1 else 0.45, g))
    chapter = trials(results(knows_better))
    assert chapter["rows"][0]["above_oracle"] == 2 and not chapter["summary"]
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
        assert (
            "the metrics themselves were not put to the test" in missing
            and "Trial of a metric" not in missing
        )
    summary = render("study", replace(small, metric_trials=tried)).data["verdict"]
    assert summary[-1]["about"] == "The metrics"
    assert summary[-1]["sentences"][-1].startswith("Average drop (zero) fails its own test")
