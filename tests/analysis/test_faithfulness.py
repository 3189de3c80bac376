"""Faithfulness and robustness of a study: the same bytes again, only what is new is computed, all in the warehouse."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from xai_assets.analysis import faithfulness as faithfulness_module
from xai_assets.analysis import map_reruns as map_reruns_module
from xai_assets.analysis.counterfactuals import counterfactuals
from xai_assets.analysis.evaluation import localization, mask_agreement
from xai_assets.analysis.evidence_place import evidence_place
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.faithfulness import faithfulness, faithfulness_curves
from xai_assets.analysis.images import images
from xai_assets.analysis.loading import OF_MASKS, OF_MEASURES, load_masks, load_measures
from xai_assets.analysis.map_reruns import on_views
from xai_assets.analysis.predictions import explained_classifier, predictions
from xai_assets.analysis.quick_scores import QuickScores
from xai_assets.analysis.robustness import randomisation_veto, robustness
from xai_assets.analysis.stored_rows import stored_rows
from xai_assets.analysis.verification import verification
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.explain import Explainer
from xai_assets.evaluation.localization import METRICS_OF
from xai_assets.evaluation.metrics import METRICS
from xai_assets.resources.loads import LOADS
from xai_assets.settings import Settings

STUDY = """
title: "Measures of the model"
attribution:
  model: diorama/object
  layer: layer4
  images: {diorama: {singles: 1, pairs: 1}}
  explain: labelled
  methods:
    gradcam: {}
    lime: {segmentation: {name: grid, rows: 4, columns: 4}, num_samples: 30}
  faithfulness: FAITHFULNESS
  robustness: ROBUSTNESS
"""
FAITHFULNESS = "{steps: 3, road: [0.3, 0.7]}"
ROBUSTNESS = "{cases: 2, samples: 2, seeds: 3, features: 4, stages: 3}"
CONTROLS = ["centre", "edges", "random", "ones", "oracle"]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("measures")


def step(place, *, faith=FAITHFULNESS, robust=ROBUSTNESS, results="data", study=STUDY):
    """The bench, its tally at 0, and the tables that the measures are made from."""
    torch.set_num_threads(1)
    (place / "studies").mkdir(exist_ok=True)
    text = study.replace("FAITHFULNESS", faith).replace("ROBUSTNESS", robust)
    (place / "studies" / "measured.yaml").write_text(text, encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(place / results), "XAI_DEVICE": "cpu"})
    bench = Workbench.open(str(place / "studies" / "measured.yaml"), settings)
    pictures = images(bench)
    cases = predictions(bench, pictures)
    table = pd.concat([maps(bench, cases, pictures, name) for name in bench.attribution.methods.made()])
    bench.tally.computed = bench.tally.reused = 0
    return bench, table, cases, pictures


def test_faithfulness_of_every_method_and_control_is_computed_once(place):
    bench, table, cases, _ = step(place)
    found = faithfulness(bench, table, cases)
    assert (bench.tally.computed, bench.tally.reused) == (3 * 7, 0)
    assert found["method"].unique().tolist() == ["gradcam", "lime", *CONTROLS]
    assert found.groupby("method")["is_control"].first().to_dict() == {
        method: method in CONTROLS for method in found["method"].unique()
    }
    assert len(found) == 3 * 7 * 9
    assert set(found["metric"]) <= METRICS.keys()
    for metric, group in found.groupby("metric"):
        assert group["value"].between(METRICS[metric].low, METRICS[metric].high).all()
    ones = found[found["method"] == "ones"].set_index("metric")["value"]
    assert (ones["increase_in_confidence"] == 0).all()  # whatever batches its pictures were in
    again_bench, *given = step(place)
    again = faithfulness(again_bench, *given[:2])
    assert (again_bench.tally.computed, again_bench.tally.reused) == (0, 3 * 7)
    assert again.equals(found)
    elsewhere, *given = step(place, results="elsewhere")
    assert faithfulness(elsewhere, *given[:2]).equals(found)
    other, *given = step(place, faith="{steps: 4, road: []}")
    assert "road" not in set(faithfulness(other, *given[:2])["metric"])
    assert other.tally.computed == 3 * 7


def test_a_map_is_measured_the_same_whatever_is_measured_with_it(place):
    bench, table, cases, _ = step(place)
    together = faithfulness(bench, table, cases)
    alone_bench, *given = step(place, results="alone")
    alone = faithfulness(alone_bench, given[0][given[0]["method"] == "lime"], given[1].iloc[1:2])
    image, target = alone[["image_id", "target_index"]].iloc[0]
    same = together[
        (together["image_id"] == image)
        & (together["target_index"] == target)
        & (together["method"] != "gradcam")
    ]
    assert same.reset_index(drop=True).equals(alone)


def test_curves_begin_at_the_models_probability_and_their_areas_are_the_measures(place):
    bench, table, cases, _ = step(place)
    found = faithfulness(bench, table, cases)
    curves = faithfulness_curves(bench, found)
    assert len(curves) == 3 * 7 * (4 * 4 + 2 * 2)
    starts = curves[curves["fraction"] == 0].merge(cases, on=["image_id", "target_index"])
    np.testing.assert_allclose(starts["score"], starts["probability"], atol=1e-5)
    case = ["image_id", "target_index", "method"]
    wide = curves[curves["baseline"] == "blur"].set_index([*case, "pixel_order", "fraction"])["score"]
    areas = wide.groupby([*case, "pixel_order"]).apply(lambda score: np.trapezoid(score, dx=1 / 3)).unstack()
    values = found[found["variant"] == "blur"].pivot(index=case, columns="metric", values="value")
    np.testing.assert_allclose(areas["morf"].loc[values.index], values["deletion_auc"])
    np.testing.assert_allclose(areas["lerf"].loc[values.index], values["insertion_auc"])


def test_a_map_that_shows_nothing_has_rows_without_values_and_one_bad_image_stops_nothing(place, monkeypatch):
    bench, table, cases, _ = step(place)
    kept = faithfulness_module.read_map

    def read(bench, row):
        explained, mask = kept(bench, row)
        if row["method"] == "lime":
            explained = explained.__class__(**{**vars(explained), "flags": ("constant",)})
        if row["image_id"] == cases["image_id"].iloc[0] and row["method"] == "gradcam":
            raise faithfulness_module.XaiError("the map", "is damaged", "Make it again.")
        return explained, mask

    monkeypatch.setattr(faithfulness_module, "read_map", read)
    found = faithfulness(bench, table, cases)
    lime = found[found["method"] == "lime"]
    assert len(lime) and lime["value"].isna().all() and lime["artifact"].isna().all()
    assert found[found["method"] != "lime"]["value"].notna().all()
    assert len(bench.tally.problems) == 1 and "is damaged" in bench.tally.problems[0]
    assert found["image_id"].nunique() == 1


class Untraceable(torch.nn.Module):
    """Looks at its values, asks for the usual layout and writes into its input: no copy of it can be made."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        shape = x.shape
        x = x.view(-1).view(shape)
        scores = self.network(x if x.sum() < 1e9 else -x)
        x.zero_()
        return scores


@pytest.mark.parametrize("wrap", [lambda network: network, Untraceable])
def test_quick_scores_are_the_classifiers(place, wrap):
    bench, _, cases, _ = step(place)
    kept = explained_classifier(bench)
    classifier = dataclasses.replace(kept, network=wrap(kept.network).eval())
    view = bench.store.get("views", cases["view"].iloc[0])[0]["view"]
    batch = classifier.preprocessing.from_view(np.stack([view, view[::-1], view[:, ::-1]] * 4))
    pictures = np.ascontiguousarray(batch.permute(0, 2, 3, 1).numpy())
    before = pictures.copy()
    found = QuickScores(classifier).of(2)(pictures)
    np.testing.assert_allclose(found, kept.probabilities(batch)[:, 2].double().numpy(), atol=1e-5)
    np.testing.assert_array_equal(pictures, before)


def test_robustness_is_computed_once_and_vetoes_what_does_not_look_at_the_model(place):
    bench, table, cases, _ = step(place)
    found = robustness(bench, table, cases)
    # Two cases, two methods: sensitivity and three stages; and LIME's stability.
    assert (bench.tally.computed, bench.tally.reused) == (2 * 2 * 4 + 2, 0)
    again_bench, *given = step(place)
    again = robustness(again_bench, *given[:2])
    assert (again_bench.tally.computed, again_bench.tally.reused) == (0, 2 * 2 * 4 + 2)
    assert again.equals(found)
    assert not bench.tally.problems
    for metric, group in found.groupby("metric"):
        assert group["value"].dropna().between(METRICS[metric].low, METRICS[metric].high).all()
    lime = found[found["method"] == "lime"].set_index("metric")["value"]
    assert {"lime_vsi", "lime_csi", "lime_seed_iou", "noise_floor", "max_sensitivity"} <= set(lime.index)
    assert (lime.loc["noise_floor"] > 0).all()
    grad = found[found["method"] == "gradcam"].set_index("metric")["value"]
    assert (grad.loc["noise_floor"] == 0).all() and (grad.loc["max_sensitivity"] > 0).all()
    stages = found[(found["method"] == "gradcam") & (found["metric"] == "randomisation_similarity")]
    assert stages["variant"].tolist()[::3] == ["fc", "fc"] and stages["depth"].tolist()[2::3] == [1, 1]
    verdict = randomisation_veto(bench, found).set_index("method")
    for blind in ("centre", "edges", "random", "oracle"):
        assert verdict.loc[blind, "vetoed"] == True  # noqa: E712 -- None is neither
    assert pd.isna(verdict.loc["ones", "vetoed"]) and verdict.loc["ones", "constant"] == 2
    counted = verdict["alive"] + verdict["vanished"] + verdict["constant"]
    assert (counted == 2).all() and (verdict.loc[["gradcam", "lime"], "constant"] == 0).all()
    assert verdict.loc["gradcam", "alive"] == 2


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_scorecam_is_made_again_in_fast_mode_and_compared_with_a_map_of_that_mode(place, monkeypatch, mode):
    study = STUDY.replace("gradcam: {}", f"scorecam: {{mode: {mode}}}")
    study = "\n".join(line for line in study.splitlines() if "lime" not in line)
    bench, table, cases, _ = step(place, study=study, robust="{cases: 1, seeds: 0}", results=mode)
    assert table["claimed_iou"].notna().all() == (mode == "fast")
    assert table["passes"].between(64, 257).all()
    compared = []
    monkeypatch.setattr(
        map_reruns_module,
        "max_sensitivity",
        lambda explain, view, values, **how: compared.append((explain(view), values)) or 0.1,
    )
    found = robustness(bench, table, cases)
    [(again, reference)] = compared  # of the same view, so that there is nothing between them
    np.testing.assert_array_equal(again, reference)
    own = bench.store.get("maps", table["artifact"].iloc[0])[0]["values"]
    assert np.array_equal(reference, own) == (mode == "fast")
    rows = found[found["method"] == "scorecam"].set_index("metric")
    assert set(rows["mode"]) == {"fast"} and found.loc[found["is_control"], "mode"].isna().all()
    assert 0 < rows.loc["noise_floor", "value"] < 0.2
    assert any("fast mode" in fact for fact in bench.tally.facts)
    exact, *given = step(
        place, study=study, robust="{cases: 1, seeds: 0, stages: 0, scorecam: study}", results=mode
    )
    rows = robustness(exact, *given[:2])
    rows = rows[rows["method"] == "scorecam"].set_index("metric")
    assert rows["mode"].isna().all() == (mode == "exact")
    assert (rows.loc["noise_floor", "value"] == 0) == (mode == "exact")


def test_on_views_a_method_gives_the_map_that_it_gave_of_the_picture(place):
    bench, table, cases, _ = step(place)
    row = table.iloc[0]
    explainer = Explainer("gradcam", on_views(explained_classifier(bench)), layer="layer4")
    view = bench.store.get("views", cases["view"].iloc[0])[0]["view"]
    kept = bench.store.get("maps", row["artifact"])[0]["values"]
    np.testing.assert_array_equal(explainer(view, int(row["target_index"])).values, kept)


def test_either_may_be_left_out(place):
    bench, table, cases, _ = step(place, faith="null", robust="null")
    assert faithfulness(bench, table, cases).empty and robustness(bench, table, cases).empty
    assert randomisation_veto(bench, robustness(bench, table, cases)).empty
    bench, table, cases, _ = step(place, robust="{samples: 0, seeds: 0, stages: 0}")
    assert robustness(bench, table, cases).empty


@pytest.mark.parametrize("left_out", [False, True])
def test_all_of_it_is_loaded(place, left_out):
    given = {"faith": "null", "robust": "null"} if left_out else {}
    bench, table, cases, pictures = step(place, **given)
    where = localization(bench, table, cases)
    first = load_masks(
        bench, pictures, cases, table, mask_agreement(bench, table), where,
        evidence_place=evidence_place(bench, table, cases),
    )  # fmt: skip
    assert set(first["table"]) == set(LOADS["mask_tables"])
    if not left_out:  # behind it there are the rows of the run before
        assert set(bench.warehouse.read("measured")["metric_summary"]["metric"]) == set(METRICS_OF)
    second = load_measures(
        bench, cases, table, where,
        faithfulness=faithfulness(bench, table, cases), robustness=robustness(bench, table, cases),
        counterfactuals=counterfactuals(bench, cases, table),
        verification=verification(bench, table, cases, pictures),
    )  # fmt: skip
    assert set(second["table"]) == set(LOADS["measure_tables"])
    tables = bench.warehouse.read("measured")
    rows = pd.concat([first, second]).groupby("table")["rows"].sum()
    assert rows.to_dict() == {name: len(tables[name]) for name in rows.index}
    for loaded, part in ((first, OF_MASKS), (second, OF_MEASURES)):
        stored = stored_rows(bench, loaded, within=part)
        assert stored["rows"].tolist() == loaded["rows"].tolist()
    assert tables["left_out"].empty
    assert ("srg" in set(tables["metric_summary"]["metric"])) == (not left_out)
    assert "iou_matched" in set(tables["metric_tests"]["metric"])
    assert "randomisation_similarity" not in set(tables["metric_tests"]["metric"])
    against = tables["metric_tests"][tables["metric_tests"]["family"] == "chance"]
    assert {"object", "part", "all_objects"} == set(against["truth"])
    assert set(against["answer"]) == set(tables["agreement_summary"]["answer"]) == {"cannot_tell"}
    assert (
        tables["agreement_summary"]["p"] == 1
    ).all()  # two images have two pairings, one as far as the other
    assert tables["agreement_summary"]["chance"].notna().all()
    of_object = tables["metric_summary"][tables["metric_summary"]["truth"] == "object"]
    assert of_object.loc[~of_object["is_control"], "chance"].notna().all()
    assert (
        len(list(bench.settings.artifacts.glob("other_images/*/*.safetensors"))) == 2
    )  # kept, and read again
    assert (tables["metric_tests"]["p_holm"].dropna() >= tables["metric_tests"]["p"].dropna()).all()
    trials = tables["metric_trials"]
    tried = {"iou", "iou_matched", "average_precision", "pointing", "energy"}
    if not left_out:
        tried |= {"insertion_auc", "deletion_auc", "srg", "road", "average_drop", "increase_in_confidence"}
    assert set(trials["metric"]) == tried
    assert set(trials["answer"]) == {"cannot_tell"}  # of two images
    assert set(trials.loc[trials["metric"] == "average_precision", "above"]) == {"gradcam", "lime"}
    if not left_out:
        summary = tables["metric_summary"]
        srg = summary[(summary["metric"] == "srg") & (summary["variant"] == "blur")]
        assert srg["n"].tolist() == [2] * 7  # two images, one of them with two classes
