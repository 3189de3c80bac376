"""Scenes with one thing changed: the fall is the model's, the energy the maps', and a rerun renders nothing."""

import numpy as np
import pytest
import torch

from tests.analysis import test_explanations
from tests.analysis.test_faithfulness import step
from xai_assets.analysis import counterfactuals as module
from xai_assets.analysis.counterfactuals import counterfactuals
from xai_assets.analysis.evaluation import localization
from xai_assets.analysis.images import SPLIT
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.evaluation.controls import CONTROLS
from xai_assets.evaluation.ranking import energy_in_mask
from xai_assets.world.counterfactual import CHANGES, variants
from xai_assets.world.images import study_scenes
from xai_assets.world.render import render


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("counterfactuals")


@pytest.fixture(scope="module")
def made(place):
    bench, maps, cases, _ = step(place, faith="null", robust="null")
    return bench, maps, cases, counterfactuals(bench, cases, maps)


def test_every_scene_change_and_method_has_a_row_of_its_first_target(made):
    _, _, cases, table = made
    scenes = study_scenes(SPLIT, 1, 1)
    shown = {"gradcam": False, "lime": False} | dict.fromkeys((*CONTROLS, "ones", "oracle"), True)
    assert len(table) == len(scenes) * len(CHANGES) * len(shown)
    assert set(table["change"]) == set(CHANGES)
    assert table.groupby("method")["is_control"].first().to_dict() == shown
    assert (table["is_control"] == table["method"].map(shown)).all()
    named = table[["image_id", "target_name"]].drop_duplicates().set_index("image_id")["target_name"]
    assert named.to_dict() == {scene.id: scene.targets[0].class_name for scene in scenes}
    assert len(cases) == 3  # the second target of the pair is explained, and not changed


def test_the_fall_is_the_models_own(made):
    bench, _, _, table = made
    classifier, scene = explained_classifier(bench), study_scenes(SPLIT, 1, 1)[0]
    pictures = np.stack([render(scene).image, render(variants(scene)["part_removed"]).image])
    views = np.stack([classifier.preprocessing.view(picture) for picture in pictures])
    logits = classifier.logits(classifier.preprocessing.from_view(views))
    target = classifier.class_index(scene.targets[0].class_name)
    before, after = torch.softmax(logits.double(), dim=1)[:, target].tolist()
    rows = table[(table["image_id"] == scene.id) & (table["change"] == "part_removed")]
    assert rows["fall"].tolist() == pytest.approx([before - after] * len(rows), abs=1e-6)
    altered = (views[0] != views[1]).any(-1)
    assert rows["area"].tolist() == pytest.approx([altered.mean()] * len(rows))


def test_the_energy_is_of_the_map_on_what_is_altered(made):
    bench, maps, _, table = made
    row = table[(table["method"] == "gradcam") & (table["change"] == "moved")].iloc[0]
    of = maps[(maps["image_id"] == row["image_id"]) & (maps["method"] == "gradcam")]
    artifact = of.loc[of["target_index"] == row["target_index"], "artifact"].iloc[0]
    scene = next(found for found in study_scenes(SPLIT, 1, 1) if found.id == row["image_id"])
    classifier = explained_classifier(bench)
    views = [classifier.preprocessing.view(render(s).image) for s in (scene, variants(scene)["moved"])]
    expected = energy_in_mask(bench.store.get("maps", artifact)[0]["values"], (views[0] != views[1]).any(-1))
    assert row["energy"] == expected


def test_an_even_map_has_what_it_covers_and_the_oracle_the_object(made):
    table = made[3].set_index("method")
    np.testing.assert_allclose(table.loc["ones", "energy"], table.loc["ones", "area"])
    recoloured = table[table["change"] == "recoloured"]
    assert (recoloured.loc["oracle", "energy"] > 0.5).all()
    replaced = table[table["change"] == "background_replaced"]
    assert (replaced.loc["oracle", "energy"] < replaced.loc["oracle", "area"]).all()


def test_a_rerun_renders_nothing(made, monkeypatch):
    bench, maps, cases, table = made
    monkeypatch.setattr(module, "render", None)
    bench.tally.computed = bench.tally.reused = 0
    assert counterfactuals(bench, cases, maps).equals(table)
    assert (bench.tally.computed, bench.tally.reused) == (0, 2)


def test_photographs_have_no_counterfactuals(tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "studies").mkdir()
    test_explanations.draw(tmp_path / "photographs", 0, 0)
    bench, (maps,), (cases, _) = test_explanations.step(tmp_path, "gradcam")
    assert counterfactuals(bench, cases, maps).empty


def test_the_truths_of_a_case_lie_in_one_another(made):
    bench, maps, cases, _ = made
    table = localization(bench, maps, cases)
    assert table["truth"].unique().tolist() == ["part", "object", "all_objects"]
    shares = table.pivot_table(index=["image_id", "target_index"], columns="truth", values="chance_ap")
    pair = shares.index.get_level_values("image_id").str.endswith("-pair")
    assert (shares["part"] < shares["object"]).all()
    assert (shares.loc[pair, "object"] < shares.loc[pair, "all_objects"]).all() and pair.sum() == 2
    assert (shares.loc[~pair, "object"] == shares.loc[~pair, "all_objects"]).all()
    arrays = bench.store.get("views", cases["view"].iloc[0])[0]
    scene = render(study_scenes(SPLIT, 1, 1)[0])
    np.testing.assert_array_equal(arrays["truth_part"].astype(bool), scene.targets[0].deciding_part)
    oracle = table[table["method"] == "oracle"]
    assert len(oracle) == 9 and (oracle["average_precision"] == 1).all()
