"""Robustness asks the network nothing that the maps have asked it: the same numbers from fewer forward passes."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from xai_assets.analysis import last_inputs, lime_reruns, map_reruns
from xai_assets.analysis.explained_cases import ExplainedCases
from xai_assets.analysis.explanations import maps, read_map
from xai_assets.analysis.images import images
from xai_assets.analysis.kept_numbers import KeptNumbers
from xai_assets.analysis.predictions import explained_classifier, predictions
from xai_assets.analysis.robustness import robustness
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution import lime_forward, score
from xai_assets.settings import Settings

STUDY = """
title: "Robustness of two methods"
attribution:
  model: diorama/object
  layer: layer4
  images: {folder: ../photographs}
  methods:
    gradcam: {}
    scorecam: {batch_size: 48}
    lime: {num_samples: SAMPLES, segmentation: {name: grid, rows: 4, columns: 4}, batch_size: 16}
  robustness: {cases: 2, scorecam: study}
"""
METHODS = ("gradcam", "scorecam", "lime")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "studies").mkdir()
    for number in range(3):
        coarse = np.random.default_rng(number).integers(0, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(coarse).resize((128, 128)).save(tmp_path / "photographs" / f"{number}.png")
    return tmp_path


_KEPT: dict[str, Path] = {}
"""By the samples of LIME, the results of an earlier test that asked for the same maps."""


def made(place, samples="70", results="data", *, anew=False):
    """The bench with the maps of all methods, which are made once unless they are to be made anew."""
    if samples in _KEPT and not anew:
        shutil.copytree(_KEPT[samples], place / results)
    (place / "studies" / "cams.yaml").write_text(STUDY.replace("SAMPLES", samples), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(place / results), "XAI_DEVICE": "cpu"})
    bench = Workbench.open(str(place / "studies" / "cams.yaml"), settings)
    pictures = images(bench)
    cases = predictions(bench, pictures)
    found = pd.concat([maps(bench, cases, pictures, method) for method in METHODS], ignore_index=True)
    if samples not in _KEPT:
        _KEPT[samples] = place.parent / f"kept-{place.name}-{len(_KEPT)}"
        shutil.copytree(place / results, _KEPT[samples])
    bench.tally.computed = bench.tally.reused = 0
    return bench, found, cases


@pytest.fixture
def passes(monkeypatch):
    """How many altered images were shown to a network, by method."""
    seen = {"scorecam": 0, "lime": 0}
    scores, answers = score.masked_scores, lime_forward._probabilities

    def counted_scores(network, image, masks, **named):
        found = scores(network, image, masks, **named)
        seen["scorecam"] += len(found)
        return found

    def counted_answers(network, pictures, patches, shown, batch_size):
        seen["lime"] += len(shown)
        return answers(network, pictures, patches, shown, batch_size)

    monkeypatch.setattr(score, "masked_scores", counted_scores)
    monkeypatch.setattr(lime_forward, "_probabilities", counted_answers)
    return seen


def values(table):
    return table[["image_id", "method", "metric", "variant", "value", "chance"]].reset_index(drop=True)


def test_the_same_numbers_from_fewer_passes(place, passes, monkeypatch):
    bench, found, cases = made(place)
    passes.update(scorecam=0, lime=0)
    reused = robustness(bench, found, cases)
    with_reuse = dict(passes)
    other, found, cases = made(place, results="again")
    monkeypatch.setattr(last_inputs, "read", lambda bench, row: None)
    monkeypatch.setattr(map_reruns.MapReruns, "_by_last_layer", lambda *_: None)
    passes.update(scorecam=0, lime=0)
    alone = robustness(other, found, cases)
    assert values(reused).equals(values(alone))
    assert with_reuse["scorecam"] < passes["scorecam"] * 0.8  # two of three, but for channels of one value
    assert with_reuse["lime"] <= passes["lime"] * 0.65  # three of five


def test_a_map_from_what_is_kept_is_the_network_s_own_to_the_byte(place):
    bench, found, cases = made(place)
    explained = ExplainedCases(bench, found, cases)
    classifier = map_reruns.on_views(explained_classifier(bench))
    asked, numbers = bench.attribution.robustness, KeptNumbers(bench)
    limes = lime_reruns.LimeReruns(bench, classifier, asked, numbers)
    reruns = map_reruns.MapReruns(bench, classifier, asked, limes, numbers, explained.views(3))
    case = explained[0]
    for row in case.rows:
        own, _ = read_map(bench, row)
        quick = reruns._by_last_layer(case, row, own)
        if row["method"] == "gradcam":
            assert quick is None
            continue
        slow = reruns._explainer(1, row)(case.view, case.target).values
        assert quick.tobytes() == slow.tobytes()
        assert quick.tobytes() != own.values.tobytes()
        assert np.ptp(quick) > 0


def test_they_are_kept_of_the_cases_that_are_measured_and_of_no_other(place):
    bench, found, _ = made(place)
    kept = [
        (row["image_id"], row["method"])
        for row in found.to_dict("records")
        if last_inputs.read(bench, row) is not None
    ]
    assert sorted(kept) == [(f"{number}.png", method) for number in (0, 1) for method in ("lime", "scorecam")]
    shapes = {
        last_inputs.read(bench, row)[0].shape[1]
        for row in found.to_dict("records")
        if last_inputs.read(bench, row)
    }
    assert len(shapes) == 1


def test_lime_that_stops_by_itself_is_compared_with_as_many_samples(place, passes):
    bench, found, cases = made(place, "{at_most: 130}")
    taken = found[found["method"] == "lime"]
    assert taken["samples"].between(32, 130).all()
    assert taken["stable"].between(0, 1).all()
    assert any("samples of LIME:" in fact for fact in bench.tally.facts)
    assert found[found["method"] != "lime"]["samples"].isna().all()
    before = robustness(bench, found, cases)
    lime = before[before["method"] == "lime"]
    assert set(lime["metric"]) >= {"max_sensitivity", "noise_floor", "lime_vsi", "randomisation_similarity"}
    assert lime["value"].notna().any()
