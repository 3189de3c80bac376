"""The chapters on what the model does: values, tests and curves of the tables, and what they say in words."""

from dataclasses import replace

import pandas as pd
import pytest

from tests.reporting.conftest import SMALL
from tests.reporting.plausible import plausible
from xai_assets.evaluation.comparison import LONG, curve_means, metric_summary, metric_tests
from xai_assets.evaluation.counterfactual_summary import counterfactual_summary
from xai_assets.evaluation.stability import stability_summary
from xai_assets.reporting.counterfactuals import counterfactuals
from xai_assets.reporting.curves import curves
from xai_assets.reporting.faithfulness import faithfulness
from xai_assets.reporting.measures import localization
from xai_assets.reporting.render import render
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.robustness import robustness

LEVELS = {"gradcam": 0.8, "lime": 0.3, "edges": 0.4, "random": 0.0, "oracle": 0.6}
CONTROLS = ("edges", "random", "oracle")


def values(images=12):
    """Every metric of every method on 12 images: a level of the method's, and what the image adds to all."""
    rows = [
        (f"{i}.png", method, method in CONTROLS, metric, variant, level + 0.01 * (i % 4) + 0.002 * (i % 3))
        for i in range(images)
        for method, level in LEVELS.items()
        for metric, variant in (("srg", "blur"), ("road", "linear"), ("max_sensitivity", None))
    ]
    return pd.DataFrame(rows, columns=list(LONG))


def curve_rows():
    return pd.DataFrame(
        [
            (image, 0, "c", method, method in CONTROLS, "blur", order, fraction, score)
            for image, add in (("a", 0.0), ("b", 0.2))
            for method in ("gradcam", "edges", "ones")
            for order, scores in (("morf", (0.8, 0.1, 0.0)), ("lerf", (0.8, 0.7, 0.0)))
            for fraction, score in zip((0.0, 0.5, 1.0), (s + add for s in scores), strict=True)
        ],
        columns=[
            "image_id", "target_index", "target_name", "method", "is_control", "baseline", "pixel_order", "fraction",
            "score",
        ],
    ).assign(is_control=lambda table: table["method"] != "gradcam")  # fmt: skip


def measured() -> StudyResults:
    small = plausible(1, 1, layers=SMALL)
    veto = pd.DataFrame(
        {
            "method": ["gradcam", "lime", "edges"],
            "is_control": [False, False, True],
            "similarity": [0.1, 0.9, 1.0],
            "low": None,
            "high": None,
            "interval": "none: fewer than 5 values",
            "n": [1, 2, 2],
            "excluded": [1, 0, 0],
            "above": 0.5,
            "vetoed": [False, True, True],
            "alive": [1, 2, 2],
            "vanished": [1, 0, 0],
            "constant": 0,
        }
    )
    return replace(
        small,
        metric_summary=metric_summary(values()),
        metric_tests=metric_tests(values()),
        faithfulness_curve_means=curve_means(curve_rows()),
        randomisation_veto=veto,
    )


def test_the_table_holds_the_summarys_values_methods_before_controls():
    chapter = faithfulness(measured())
    assert [row["key"] for row in chapter["rows"]] == ["gradcam", "lime", "edges", "random", "oracle"]
    summary = metric_summary(values())
    of = summary[(summary["metric"] == "srg") & (summary["method"] == "lime")].iloc[0]
    cell = chapter["rows"][1]["cells"][0]
    assert (cell["mean"], cell["low"], cell["high"], cell["n"]) == (of["mean"], of["low"], of["high"], 12)
    assert chapter["rows"][1]["cells"][3] is None  # no deletion was measured
    assert chapter["images"] == 12


def test_a_test_is_decided_by_its_row():
    answers = {(row["method"], row["control"]): row["answer"] for row in faithfulness(measured())["tests"]}
    assert answers["gradcam", "edges"] == answers["lime", "random"] == "yes"
    assert answers["lime", "edges"] == "no"
    assert {control for _, control in answers} == {"edges", "random"}  # the oracle is none
    few = replace(measured(), metric_tests=metric_tests(values(3)))  # three pairs decide nothing
    chapter = faithfulness(few)
    assert {row["answer"] for row in chapter["tests"]} == {"cannot_tell"}
    assert chapter["sentences"] == [
        "Whether any method follows the model more closely than the controls cannot be told with 3 images; at least 8 "
        "are needed for 4 tests."
    ]


def test_a_method_that_loses_to_the_edge_map_is_named_with_what_it_rests_on():
    assert faithfulness(measured())["sentences"] == [
        "Grad-CAM follows the model more closely than every control (Edge map and Random map) does (12 images, p = 0.002 "
        "at most, Holm over 4 tests).",
        "LIME follows the model less closely than Edge map (12 images, p = 0.002, Holm over 4 tests).",
        "Grad-CAM is more faithful than LIME (12 images, p < 0.001, Holm over 1 test).",
    ]


def test_curves_are_means_over_images_and_not_every_control_is_drawn():
    blur, mean = faithfulness(measured())["curves"]
    assert [(line["key"], line["order"]) for line in blur["lines"]] == [
        ("gradcam", "morf"), ("gradcam", "lerf"), ("edges", "morf"), ("edges", "lerf"),
    ]  # fmt: skip
    assert blur["lines"][0]["points"] == [
        [0.0, pytest.approx(0.9)],
        [0.5, pytest.approx(0.2)],
        [1.0, pytest.approx(0.1)],
    ]
    assert blur["images"] == 2 and mean["lines"] == []
    drawn = curves([blur, mean], title="a <title>")
    assert drawn.count("Grad-CAM") == 1 and "a &lt;title&gt;" in drawn


def test_a_map_that_outlives_the_model_is_vetoed_in_words():
    chapter = robustness(measured())
    said = " ".join(chapter["sentences"])
    assert "LIME: the maps outlive the model" in said and "(2 images, 2 of 2 maps alive)" in said
    assert (
        "Grad-CAM: the maps go with the model when its weights are shuffled (1 image, 1 of 2 maps alive)"
        in said
    )
    assert (chapter["rows"][0]["alive"], chapter["rows"][0]["maps"], chapter["images"]) == (1, 2, 12)


def test_a_method_is_called_stable_where_its_maps_are_shown_to_move_less_than_maps_drawn_anew():
    def moved(images):
        rows = [
            (f"{image}.png", method, method in CONTROLS, metric, value * (1 + 0.01 * image))
            for image in range(images)
            for method, own in (("gradcam", 0.02), ("lime", 1.0 - 0.2 * (image % 2)), ("random", 0.0))
            for metric, value in (("max_sensitivity", own), ("redrawn", 0.9))
        ]
        columns = ["image_id", "method", "is_control", "metric", "value"]
        return stability_summary(pd.DataFrame(rows, columns=columns))

    chapter = robustness(replace(measured(), stability_summary=moved(12)))
    assert (
        "Maps of Grad-CAM (0.02 of it) move less under noise than a map drawn anew would (12 images, p < 0.001, Holm "
        "over 2 tests)."
    ) in chapter["sentences"]
    assert (
        "Whether maps of LIME move less under noise than a map drawn anew would cannot be told with 12 images."
        in (chapter["sentences"])
    )
    assert [row["anew"]["answer"] for row in chapter["rows"][:2]] == ["yes", "cannot_tell"]
    assert (
        "Share of a map drawn anew" in render("study", replace(measured(), stability_summary=moved(12))).html
    )
    few = robustness(replace(measured(), stability_summary=moved(4)))
    assert any(
        "cannot be told with 4 images; at least 7 are needed for 2 tests" in said for said in few["sentences"]
    )
    assert robustness(measured())["rows"][0]["anew"] is None


def test_methods_that_were_made_again_in_fast_mode_are_named():
    assert robustness(measured())["fast"] == []
    table = pd.DataFrame({"method": ["gradcam", "scorecam", "scorecam"], "mode": [None, "fast", "fast"]})
    assert robustness(replace(measured(), robustness=table))["fast"] == ["scorecam"]


def test_dead_networks_pass_no_method():
    found = measured()
    dead = found.randomisation_veto.assign(similarity=None, vetoed=None, alive=0, vanished=2)
    said = " ".join(robustness(replace(found, randomisation_veto=dead))["sentences"])
    assert "Whether the maps of Grad-CAM and LIME outlive the model cannot be told: 0 of 2 maps alive" in said
    assert "go with the model" not in said


def test_what_the_model_uses_is_told_by_falls_that_are_decided():
    rows = [
        (f"{i}.png", 0, change, method, fall + 0.01 * (i % 3), 0.1, energy)
        for i in range(8)
        for change, fall, energy in (("part_removed", 0.4, 0.3), ("moved", -0.01, None))
        for method in ("gradcam", "lime")
    ]
    names = ["image_id", "target_index", "change", "method", "fall", "area", "energy"]
    table = pd.DataFrame(rows, columns=names).assign(is_control=False)
    known = table.assign(method="oracle", is_control=True)  # for the trials of metrics
    summary = counterfactual_summary(pd.concat([table, known]))
    section = counterfactuals(StudyResults(study={"name": "x", "title": "x"}, counterfactual_summary=summary))
    assert section["methods"] == ["gradcam", "lime"]
    first, second = section["rows"]
    assert first["fall"]["n"] == 8  # one a picture, not one a method
    assert [cell["mean"] for cell in first["energy"]] == pytest.approx([0.3, 0.3])
    assert [cell["reference"] for cell in first["energy"]] == pytest.approx([0.1, 0.1])
    assert [cell["mean"] for cell in second["energy"]] == [None, None]
    assert section["sentences"] == [
        "The class becomes less probable with the part that decides the class removed (−0.41) (8 images, p = 0.016, Holm "
        "over 2 tests).",
        "Whether the probability changes with moved (0.00) cannot be told with 8 images.",
    ]
    assert counterfactuals(plausible(1, 0, layers=SMALL))["rows"] == []


def test_the_chapters_stand_in_the_study_report_and_say_where_they_are_missing():
    report = render("study", measured())
    assert report.complaints == ()
    assert report.data["faithfulness"]["rows"] and report.data["robustness"]["rows"]
    assert 'id="faithfulness"' in report.html and "Symmetric relevance gain" in report.html
    without = render("study", plausible(1, 1, layers=SMALL))
    assert "faithfulness was not measured; robustness was not measured" in without.html
    assert 'id="faithfulness"' not in without.html and 'id="robustness"' not in without.html


def test_nested_truths_have_their_means_and_chance_each():
    small = plausible(2, 1, layers=SMALL)
    found = localization(small)["nested"]
    assert [truth["key"] for truth in found["truths"]] == ["part", "object", "all_objects"]
    table = small.localization[small.localization["truth"] == "all_objects"]
    assert found["truths"][2]["scattered"] == pytest.approx(
        table.groupby("image_id")["chance_ap"].mean().mean()
    )
    assert (found["truths"][1]["images"], found["truths"][1]["cases"]) == (3, 4)
    rows = {row["key"]: row for row in found["rows"]}
    mine = table[table["method"] == "gradcam"].groupby("image_id")["average_precision"].mean()
    assert (
        rows["gradcam"]["cells"][2]["value"]["mean"] == pytest.approx(mine.mean())
        and not rows["gradcam"]["is_control"]
    )
    alone = replace(small, localization=small.localization[small.localization["truth"] == "object"])
    assert localization(alone)["nested"] == {"truths": [], "rows": []}
    assert localization(alone)["rows"] == localization(small)["rows"]
