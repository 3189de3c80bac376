"""Two checkpoints of one network whose difference is known: exactly the damaged class's images change."""

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from tests.conftest import CHECKOUT
from tests.rederived import of_models
from tests.rederived.compared import Found
from xai_assets.analysis.between_models import answer_tests, comparison_tables
from xai_assets.analysis.compared_maps import maps_by_model
from xai_assets.analysis.compared_models import SharedClasses, answers_by_model, compared_models
from xai_assets.analysis.explanations import maps
from xai_assets.analysis.images import images
from xai_assets.analysis.performance import model_performance
from xai_assets.analysis.precheck import precheck
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.workbench import Workbench
from xai_assets.checks import models as checks
from xai_assets.resources.tables import TABLES
from xai_assets.settings import Settings
from xai_assets.study_file import read_study
from xai_assets.vision.class_matching import ClassMatcher
from xai_assets.vision.spec import ModelSpec

STUDY = """
title: "Two checkpoints"
attribution:
  models:
    - diorama/object
    - {name: diorama/object, checkpoint: later.safetensors}
  images: {diorama: {singles: 16, pairs: 0}}
  methods: {gradcam: {}}
"""
WEIGHTS = CHECKOUT / "data" / "world" / "object.safetensors"
LATER = "diorama/object (later.safetensors)"


def steps(place, change=lambda head, bias: None, study=STUDY):
    """The study's workbench and tables, where the later checkpoint's head was changed."""
    weights = load_file(WEIGHTS)
    head = next(name for name in weights if name.endswith("fc.weight"))
    change(weights[head], weights[head.replace("weight", "bias")])
    (place / "studies").mkdir(exist_ok=True)
    with safe_open(WEIGHTS, "numpy") as published:
        save_file(weights, place / "studies" / "later.safetensors", published.metadata())
    (place / "studies" / "several.yaml").write_text(study, encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(place / "data"), "XAI_DEVICE": "cpu"})
    bench = Workbench.open(str(place / "studies" / "several.yaml"), settings)
    pictures = images(bench)
    of_first = model_performance(bench, pictures)
    cases = predictions(bench, pictures)
    masks = maps(bench, cases, pictures, "gradcam")
    answers = answers_by_model(bench, pictures, of_first)
    explained = maps_by_model(bench, pictures, cases, answers)
    tables = comparison_tables(bench, answers, explained)
    return bench, pictures, answers, explained, masks, tables


@pytest.fixture(scope="module")
def same(tmp_path_factory):
    return steps(tmp_path_factory.mktemp("same"))


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """The most frequent answer of the sound model, and the steps with a later checkpoint that never gives it."""
    place = tmp_path_factory.mktemp("damaged")
    _, _, answers, *_ = steps(place)
    most = answers["predicted_index"].mode().iloc[0]

    def change(head, bias):
        head[most], bias[most] = 0, -1e4

    return most, steps(place, change)


def test_the_same_weights_agree_wholly_and_decide_nothing(same):
    tables = same[-1]
    assert len(tables["changed_answers"]) == 0
    agreement = tables["model_agreement"]
    assert len(agreement) == 32
    assert (agreement["iou"] == 1).all()
    assert np.allclose(agreement["rank_correlation"].astype(float), 1)
    assert (agreement["moved_share"] == 0).all()
    assert (tables["model_tests"]["answer"] == "cannot_tell").all()
    assert (tables["model_tests"]["difference"] == 0).all()
    summary = tables["model_agreement_summary"].set_index("metric")
    assert summary.loc["iou", "mean"] == 1
    assert summary.loc["iou", "answer"] == "yes"
    assert summary.loc["iou", "chance"] < 0.9


def test_exactly_the_images_of_the_damaged_class_change(damaged):
    most, (_, _, answers, _, _, tables) = damaged
    sound = answers[answers["model"] == "diorama/object"]
    expected = sound.loc[sound["predicted_index"] == most, "image_id"]
    changed = tables["changed_answers"]
    assert len(expected) > 1
    assert set(changed["image_id"]) == set(expected)
    right = sound.set_index("image_id")["correct"]
    assert (changed["change"].str.startswith("right")).tolist() == [
        right[name] for name in changed["image_id"]
    ]
    correct = tables["model_tests"].set_index("metric").loc["correct"]
    assert correct["only_a"] == (changed["change"] == "right_to_wrong").sum()
    assert correct["only_b"] == (changed["change"] == "wrong_to_right").sum()
    accuracy = tables["performance_by_model"].query("metric == 'accuracy'").set_index("model")["value"]
    assert accuracy[LATER] - accuracy["diorama/object"] == pytest.approx(correct["difference"])


def test_evidence_for_a_class_with_an_untouched_head_stays_where_it_was(damaged):
    most, (_, _, _, explained, _, tables) = damaged
    of = explained[explained["same_class"]].set_index(["model", "image_id"])
    agreement = tables["model_agreement"].query("question == 'same_class'").set_index("image_id")
    for image, row in agreement.iterrows():
        if of.loc[("diorama/object", image), "target_index"] != most:
            assert row["iou"] == 1
            assert row["moved_share"] == 0
    own = tables["model_agreement"].query("question == 'own_answer'").set_index("image_id")
    for image in tables["changed_answers"]["image_id"]:
        assert own.loc[image, "class_a"] != own.loc[image, "class_b"]


def test_the_tables_are_as_declared_and_their_checks_hold(damaged):
    _, (bench, pictures, answers, explained, masks, tables) = damaged
    for name, table in {"answers_by_model": answers, "maps_by_model": explained, **tables}.items():
        assert list(table.columns) == list(TABLES[name].columns), name
    bench.warehouse.replace(
        bench.study.name, {"answers_by_model": answers, "maps_by_model": explained, **tables}
    )
    assert len(bench.warehouse.read(bench.study.name)["model_tests"]) == len(tables["model_tests"])
    assert checks.SOUND.look(explained, masks).passed
    assert checks.COVERED.look(explained).passed
    assert checks.ANSWERED.look(answers, pictures).passed
    found = checks.NOT_WORSE.look(answers, pictures, answer_tests(bench, answers))
    assert found.passed is (False if "Right less often" in found.said else None)
    other = masks.assign(artifact="another")
    assert not checks.SOUND.look(explained, other).passed


def test_every_number_is_what_its_raw_data_give(damaged):
    _, (bench, _, answers, explained, _, made) = damaged
    tables = {"answers_by_model": answers, "maps_by_model": explained, **made}
    of_models.disagreements(tables, bench.store.get, found := Found())
    assert found.wrong == []
    assert found.held > 500
    for name, column in [
        ("performance_by_model", "low"), ("model_tests", "p_holm"), ("model_tests", "difference"),
        ("changed_answers", "probability_b"), ("model_agreement", "moved_share"), ("model_agreement_summary", "chance"),
        ("model_agreement_summary", "difference_high"),
    ]:  # fmt: skip
        wrong = tables[name].copy()
        wrong[column] = wrong[column].astype(float)
        wrong.loc[wrong[column].first_valid_index(), column] += 1e-6
        of_models.disagreements(tables | {name: wrong}, bench.store.get, found := Found())
        assert any(f"{column} is" in one for one in found.wrong), (name, column)


def test_where_the_object_is_known_the_share_of_the_evidence_on_it_is_measured(same):
    *_, explained, _, tables = same
    assert explained["on_object"].between(0, 1).all()
    assert explained["on_object"].astype(float).mean() > 0.3
    assert set(tables["model_tests"]["question"].dropna()) == {"same_class", "own_answer"}


def test_a_study_of_one_model_has_no_rows(tmp_path):
    one = STUDY.replace("    - {name: diorama/object, checkpoint: later.safetensors}\n", "").replace(
        "16", "2"
    )
    _, _, answers, explained, _, tables = steps(tmp_path, study=one)
    assert {len(table) for table in (answers, explained, *tables.values())} == {0}


@pytest.mark.parametrize(
    ("specs", "names"),
    [
        (["a", "b"], ["a", "b"]),
        ([("a", "x/old.pt"), ("a", "x/new.pt")], ["a (old.pt)", "a (new.pt)"]),
        (["a", ("a", "x/new.pt")], ["a", "a (new.pt)"]),
        ([("a", "x/best.pt"), ("a", "y/best.pt")], ["a (best.pt) #1", "a (best.pt) #2"]),
    ],
)
def test_models_of_one_name_are_told_apart_by_their_checkpoints(specs, names):
    given = [
        ModelSpec(name=one) if isinstance(one, str) else ModelSpec(name=one[0], checkpoint=one[1])
        for one in specs
    ]

    class Attribution:
        models = tuple(given)

    assert list(compared_models(Attribution())) == names


def test_classes_of_models_with_other_lists_are_found_by_name_and_those_of_one_list_by_number():
    first = ClassMatcher(["cat", "crane", "crane"], "first")
    shared = SharedClasses(first, ClassMatcher(["crane bird", "Cat"], "other"))
    assert [shared.name(at) for at in range(2)] == ["crane bird", "cat"]
    assert [shared.index(at) for at in range(3)] == [1, None, None]
    alike = SharedClasses(first, ClassMatcher(["cat", "crane", "crane"], "again"))
    assert [alike.name(at) for at in range(3)] == ["cat", "crane (1)", "crane (2)"]
    assert [alike.index(at) for at in range(3)] == [0, 1, 2]


def test_a_check_says_what_each_model_costs_and_what_a_run_would_refuse(tmp_path):
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "several.yaml"
    several = STUDY.replace("{name: diorama/object, checkpoint: later.safetensors}", "diorama/scene")
    settings = Settings.from_environment({"XAI_DATA": str(tmp_path / "data"), "XAI_DEVICE": "cpu"})
    path.write_text(several.replace("  methods", "  layer: layer4\n  methods"), encoding="utf-8")
    found = {(one.what, one.state): one.said for one in precheck(read_study(path), settings)}
    first, later = found["model diorama/object", "ok"], found["model diorama/scene", "ok"]
    assert first.startswith("16 maps by gradcam at layer4")
    assert "forward passes" in later
    assert "it has 0 of the" in found["model diorama/scene", "look"]
    path.write_text(several.replace("  methods", "  layer: nowhere\n  methods"), encoding="utf-8")
    refused = {one.what for one in precheck(read_study(path), settings) if one.state == "unfit"}
    assert {"model diorama/object", "model diorama/scene"} <= refused
