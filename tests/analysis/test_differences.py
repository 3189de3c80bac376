"""Failures of a study: explained by the predicted class, the expected class and their difference, and nothing else is."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from xai_assets.analysis.differences import by_image, differences, of_classes, of_differences
from xai_assets.analysis.evaluation import localization, mask_agreement
from xai_assets.analysis.evidence_place import evidence_place
from xai_assets.analysis.explanations import further_cam_maps, maps, read_map
from xai_assets.analysis.faithfulness import difference_faithfulness, faithfulness, faithfulness_tests
from xai_assets.analysis.images import images
from xai_assets.analysis.loading import load_masks, load_measures
from xai_assets.analysis.map_facts import map_facts
from xai_assets.analysis.precheck.attribution import explained
from xai_assets.analysis.precheck.found import Sizes
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.reports import make_report
from xai_assets.analysis.thumbnails import map_strip
from xai_assets.analysis.verification import verification
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution import lime_forward, score
from xai_assets.attribution.explain import explain
from xai_assets.checks import attribution as of_maps
from xai_assets.checks import evaluation as checks
from xai_assets.checks.check import state
from xai_assets.reporting import page
from xai_assets.resources.tables import TABLES
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier
from xai_assets.world.images import study_images

METHODS = ("gradcam", "ablationcam", "scorecam", "lime")
STUDY = """
title: "Wrong answers"
attribution:
  model: diorama/object
  layer: layer4
  images: {folder: ../scenes, labels: ../labels.csv}
  explain: EXPLAIN
  methods:
    gradcam: {}
    ablationcam: {}
    scorecam: {}
    eigencam: {}
    lime: {segmentation: {name: grid, rows: 4, columns: 4}, num_samples: 40}
  faithfulness: {steps: 3, road: [0.3, 0.7]}
  robustness: null
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Three scenes: one labelled as the model answers, one otherwise, one by two classes that it does not answer."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("failures")
    (folder / "scenes").mkdir()
    (folder / "studies").mkdir()
    settings = Settings.from_environment({"XAI_DATA": str(folder / "data"), "XAI_DEVICE": "cpu"})
    model = load_classifier("diorama/object", settings)
    rows = ["image,label"]
    for number, scene in enumerate(study_images("test", 3, 0)):
        Image.fromarray(scene.image).save(folder / "scenes" / f"{number}.png")
        best = int(model.logits(model.preprocessing.tensor(scene.image)[None]).argmax())
        others = ((0,), (1,), (1, 2))[number]
        rows += [f"{number}.png,{model.class_names[(best + other) % 12]}" for other in others]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def step(place, explain="both"):
    (place / "studies" / f"{explain}.yaml").write_text(STUDY.replace("EXPLAIN", explain), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(place / "data"), "XAI_DEVICE": "cpu"})
    bench = Workbench.open(str(place / "studies" / f"{explain}.yaml"), settings)
    pictures = images(bench)
    return bench, pictures, predictions(bench, pictures)


@pytest.fixture(scope="module")
def made(place):
    """The bench, its images and predictions, and the maps of all methods as the steps hand them on."""
    bench, pictures, cases = step(place)
    tables = [maps(bench, cases, pictures, method, with_differences=True) for method in METHODS]
    return (
        bench,
        pictures,
        cases,
        pd.concat([*tables, further_cam_maps(bench, cases, pictures, with_differences=True)]),
    )


def test_a_failure_is_explained_by_both_classes_and_their_difference_and_a_right_answer_once(made):
    _, _, cases, table = made
    asked = {
        image: [(row["target_rank"], row["contrast_index"] is not None) for row in rows]
        for image, rows in by_image(cases)
    }
    assert asked == {
        "0.png": [(1, False)],
        "1.png": [(1, False), (2, False), (2, True)],
        "2.png": [(1, False), (2, False), (3, False), (3, True), (3, True)],
    }
    for row in differences(cases):
        assert row["target_index"] == row["predicted_index"] != row["contrast_index"]
    only = maps(made[0], cases, made[1], "gradcam")  # as who knows of no differences asks
    assert list(only.columns) == list(TABLES["maps"].columns) and len(only) == 6
    counted = table.groupby("method")["contrast_index"].agg(["size", "count"])
    assert counted.loc[list(METHODS)].to_numpy().tolist() == [[9, 3]] * 4
    assert counted.loc["eigencam"].tolist() == [6, 0]  # it looks at no class
    assert list(of_classes(table).columns) == list(TABLES["maps"].columns)
    assert len(of_classes(table)) + len(of_differences(table)) == len(table)


@pytest.mark.parametrize("explain", ["predicted", "labelled"])
def test_one_class_alone_has_no_difference(place, explain):
    bench, pictures, cases = step(place, explain)
    assert differences(cases) == []
    table = maps(bench, cases, pictures, "gradcam", with_differences=True)
    assert len(table) == len(cases) and not len(of_differences(table))
    assert not len(difference_faithfulness(bench, table, cases))


def test_each_stored_map_is_that_of_the_question_alone(made, place):
    bench, pictures, _, table = made
    model = load_classifier("diorama/object", bench.settings)
    picture = dict(zip(pictures["image_id"], pictures["picture"], strict=True))
    stored = {}
    for row in of_differences(table).to_dict("records"):
        found, _ = read_map(bench, row)
        stored[row["artifact"]] = found
        pixels = bench.store.get("pictures", picture[row["image_id"]])[0]["pixels"]
        alone = explain(
            row["method"], model, pixels, row["target_name"], contrast=row["contrast_name"],
            layer="layer4", parameters=found.parameters,
        )  # fmt: skip
        assert alone.values.tobytes() == found.values.tobytes()
        assert found.named == alone.named == f"{row['target_name']} rather than {row['contrast_name']}"
    assert len(stored) == 12
    assert not set(stored) & set(of_classes(table)["artifact"])
    again, pictures, cases = step(place)
    again.tally.computed = again.tally.reused = 0
    maps(again, cases, pictures, "lime", with_differences=True)
    assert (again.tally.computed, again.tally.reused) == (0, 9)


def test_of_a_failure_scorecam_and_lime_ask_the_model_as_often_as_of_one_class(place, monkeypatch, tmp_path):
    seen = {"scorecam": 0, "lime": 0}

    def counted(method, function):
        def count(*given, **named):
            seen[method] += 1
            return function(*given, **named)

        return count

    monkeypatch.setattr(score, "masked_scores", counted("scorecam", score.masked_scores))
    forward = lime_forward.PerturbedForward.on
    monkeypatch.setattr(lime_forward.PerturbedForward, "on", counted("lime", forward))
    found = []
    for name in ("whole", "first"):
        (tmp_path / name / "studies").mkdir(parents=True)
        (tmp_path / name / "scenes").symlink_to(place / "scenes")
        (tmp_path / name / "labels.csv").write_bytes((place / "labels.csv").read_bytes())
        bench, pictures, cases = step(tmp_path / name)
        asked = cases if name == "whole" else cases.drop_duplicates("image_id")
        made = [maps(bench, asked, pictures, method, with_differences=True) for method in seen]
        found.append((sum(map(len, made)), dict(seen)))
        seen.update(scorecam=0, lime=0)
    assert [count for count, _ in found] == [18, 6]
    assert found[0][1] == found[1][1]
    assert found[0][1]["lime"] == 3


def test_a_look_before_the_run_counts_what_wrong_answers_add(place):
    bench, _, _ = step(place)
    sizes = Sizes()
    found = {one.what: one for one in explained(bench, sizes)}
    assert found["wrong answers"].said.startswith("2 of the images; each is explained by the predicted class")
    assert found["wrong answers"].said.endswith("about 5 maps of each method more")
    assert sizes.cases == 9  # the maps of each method: see above
    assert {one.state for one in found.values()} <= {"ok", "look"}
    other, _, _ = step(place, "labelled")
    sizes = Sizes()
    assert "wrong answers" not in {one.what for one in explained(other, sizes)}
    assert sizes.cases == 4


def test_checks_count_the_differences_and_name_one_that_is_missing(made):
    bench, _, cases, table = made
    one = table[table["method"] == "gradcam"].reset_index(drop=True)
    facts = map_facts(bench, one, cases)
    for check in of_maps.CHECKS:
        assert state(check.result(one, cases, facts, asked=True)) == "passed"
    covered = of_maps.COVERED.result(one, cases, facts)
    assert "3 differences of a wrong answer and an expected class" in covered.description
    lost = one[one["contrast_index"].isna() | (one["image_id"] != "1.png")]
    missing = of_maps.COVERED.result(lost, cases, facts)
    assert state(missing) == "failed"
    assert "rather than" in missing.description and "1 of 9 maps" in missing.description
    assert state(of_maps.COVERED.result(table[table["method"] == "eigencam"], cases, facts)) == "passed"
    twice = of_maps.SOUND.result(pd.concat([one, one.tail(1)]), cases, facts)
    assert state(twice) == "failed"
    assert map_strip(bench, cases, one) is not None


def test_the_faithfulness_of_a_difference_is_of_the_one_class_among_the_two(made):
    bench, _, cases, table = made
    found = difference_faithfulness(bench, table, cases)
    assert len(found) == 3 * (4 + 4) * 9  # differences; methods and controls; metrics and baselines
    assert "oracle" not in set(found["method"])
    assert set(found["method"]) == {*METHODS, "centre", "edges", "random", "ones"}
    # All ones fade nothing: deleting every pixel in their order begins at the probability among the two.
    chances = {(row["image_id"], row["target_index"]): row["probability"] for row in cases.to_dict("records")}
    for row in found[found["artifact"].notna() & (found["method"] == "gradcam")].to_dict("records"):
        a = chances[row["image_id"], row["target_index"]]
        b = chances[row["image_id"], row["contrast_index"]]
        curve = bench.store.get("faithfulness", row["artifact"])[0]["blur.morf"]
        assert curve[1, 0] == pytest.approx(a / (a + b), abs=1e-5)
        assert 0.5 <= curve[1, 0] <= 1
    facts = faithfulness_tests(bench, found)
    given = of_differences(table)
    results = [check.result(found, given, facts) for check in (
        checks.DIFFERENCES_MEASURED, checks.DIFFERENCES_SOUND, checks.DIFFERENCES_FAITHFUL,
    )]  # fmt: skip
    assert [state(result) for result in results] == ["passed", "passed", "not asked"]
    assert "lead of the predicted class" in results[2].description  # two images decide nothing
    fewer = checks.DIFFERENCES_MEASURED.result(found[found["image_id"] != "1.png"], given, facts)
    assert state(fewer) == "failed"
    bench.tally.computed = bench.tally.reused = 0
    pd.testing.assert_frame_equal(difference_faithfulness(bench, table, cases), found)
    assert bench.tally.computed == 0


def test_the_warehouse_and_the_reports_have_them_apart_from_the_maps_of_one_class(made, monkeypatch):
    monkeypatch.setattr(page, "to_pdf", lambda *_, **__: (b"%PDF", ()))  # the page is what is looked at
    bench, pictures, cases, table = made
    alone = of_classes(table)
    given = {
        "robustness": pd.DataFrame(columns=list(TABLES["robustness"].columns)),
        "counterfactuals": pd.DataFrame(columns=list(TABLES["counterfactuals"].columns)),
        "verification": verification(bench, alone, cases, pictures),
    }
    faithful = faithfulness(bench, alone, cases)
    lead = difference_faithfulness(bench, table, cases)
    agreement, localised = mask_agreement(bench, alone), localization(bench, alone, cases)
    place = evidence_place(bench, alone, cases)
    load_masks(bench, pictures, cases, table, agreement, localised, evidence_place=place)
    load_measures(
        bench, cases, table, localised,
        faithfulness=faithful, difference_faithfulness=lead, **given,
    )  # fmt: skip
    stored = bench.warehouse.read("both")
    assert len(stored["maps"]) == len(alone) == 30 and "contrast_index" not in stored["maps"]
    assert len(stored["difference_maps"]) == 12
    assert stored["difference_maps"]["contrast_name"].notna().all()
    means = stored["difference_summary"].set_index(["metric", "variant", "method"])["mean"]
    values = lead[(lead["metric"] == "srg") & (lead["variant"] == "blur") & (lead["method"] == "gradcam")]
    by_hand = values.groupby("image_id")["value"].mean().mean()  # an image's differences are averaged first
    assert math.isclose(means["srg", "blur", "gradcam"], by_hand)
    assert set(stored["difference_tests"]["answer"]) == {"cannot_tell"}
    assert stored["metric_summary"]["n"].max() == 3  # of images, the right one among them
    cam = make_report(bench, "cam").numbers
    names = [[target["name"] for target in image["targets"]] for image in cam["gallery"]["images"]]
    assert [len(of) for of in names] == [1, 3, 5]
    assert names[1][2] == f"{names[1][1]} rather than {names[1][0]}"
    shown = cam["gallery"]["images"][1]["targets"][2]
    assert shown["contrast"]["name"] == names[1][0] and not shown["truth"]
    assert [found["method"] if found else None for found in shown["maps"]] == [
        "gradcam", "ablationcam", "scorecam", None,
    ]  # fmt: skip
    assert "One class rather than another" in {one["term"] for one in cam["definitions"]}
    lime = make_report(bench, "lime").numbers["surrogates"]
    assert [case["name"] for case in lime["cases"]] == [name for of in names for name in of]
    assert all(np.isfinite(row["r2"]) for row in lime["fit"])
    study = make_report(bench, "study").numbers
    rows = {row["key"]: row for row in study["difference_faithfulness"]["rows"]}
    assert rows["gradcam"]["value"]["mean"] == means["srg", "blur", "gradcam"]
    assert rows["gradcam"]["test"]["answer"] == "cannot_tell" and rows["random"]["test"] is None
    for kind, said in (("cam", "No outline is its ground truth"), ("lime", "of their log-odds"),
                       ("study", "Wrong answers: does the lead follow the maps?")):  # fmt: skip
        assert said in make_report(bench, kind).html.read_text(encoding="utf-8")
