"""All images are asked in batches: as one by one, by name where one has no answer, and again at no cost."""

import pandas as pd
import pytest
from PIL import Image

from xai_assets.analysis import kept_answers, performance
from xai_assets.analysis.headline import headline
from xai_assets.analysis.images import explained_preprocessing, images
from xai_assets.analysis.loading import load_performance
from xai_assets.analysis.performance import beside_the_limit, explained_images, model_performance, sample_of
from xai_assets.analysis.precheck.found import Sizes
from xai_assets.analysis.precheck.images import look_at_images
from xai_assets.analysis.predictions import answer, explained_classifier, predictions, step_facts
from xai_assets.analysis.room import least_amounts
from xai_assets.analysis.workbench import Workbench
from xai_assets.checks import performance as checks
from xai_assets.checks.inputs import PREDICTED
from xai_assets.errors import XaiError
from xai_assets.resources.loads import LOADS
from xai_assets.resources.tables import TABLES
from xai_assets.settings import Settings
from xai_assets.study_file import read_study
from xai_assets.vision.classifiers import Classifier
from xai_assets.world.images import study_images

STUDY = """\
title: All images
attribution:
  model: diorama/object
  images: {images}
  methods: {{gradcam: {{}}}}
{more}
"""


@pytest.fixture
def opened(tmp_path):
    def open_(of="{diorama: {singles: 7, pairs: 1}}", more=""):
        (tmp_path / "all.yaml").write_text(STUDY.format(images=of, more=more), encoding="utf-8")
        settings = Settings.from_environment({"XAI_DATA": str(tmp_path / "data"), "XAI_DEVICE": "cpu"})
        return Workbench(settings, read_study(tmp_path / "all.yaml"))

    return open_


def test_batches_and_chunks_answer_as_one_by_one(opened, monkeypatch):
    monkeypatch.setattr(performance, "CHUNK", 5)
    monkeypatch.setattr(performance, "BATCH", 2)
    bench = opened()
    found = model_performance(bench, images(bench))
    assert list(found.columns) == list(TABLES["answers"].columns)
    classifier = explained_classifier(bench)
    for scene, row in zip(study_images("demo", 7, 1), found.itertuples(), strict=True):
        one = answer(classifier, scene.image, scene.id)
        assert (row.image_id, row.predicted_index) == (scene.id, one.best)
        assert row.probability == pytest.approx(one.scores[one.best], abs=1e-5)
        labels = {target.class_name for target in scene.targets}
        assert row.correct == (row.predicted_name in labels)
        if len(labels) == 1:
            assert {row.label_name} == labels
            assert row.label_probability == pytest.approx(one.scores[row.label_index], abs=1e-5)
        else:
            assert row.label_index is pd.NA


def test_what_was_answered_is_not_asked_again(opened, monkeypatch):
    monkeypatch.setattr(performance, "CHUNK", 5)
    first = opened()
    table = images(first)
    found = model_performance(first, table)

    def refuse(self, batch):
        raise AssertionError("the network is asked again")

    monkeypatch.setattr(Classifier, "logits", refuse)
    again = opened()
    assert model_performance(again, table).equals(found)
    assert (again.tally.computed, again.tally.reused) == (0, 8)


def test_of_changed_images_only_those_are_asked_and_others_by_the_same_names(opened):
    bench = opened()
    found = model_performance(bench, images(bench))
    more = opened("{diorama: {singles: 9, pairs: 0}}")
    after = model_performance(more, images(more))
    assert (more.tally.computed, more.tally.reused) == (2 + 2, 7 + 7)  # images and answers
    assert set(found["artifact"][:7]) < set(after["artifact"])


def test_what_was_said_of_an_image_is_what_it_is_explained_by(opened, monkeypatch):
    bench = opened()
    table = images(bench)
    answers = model_performance(bench, table)

    def refuse(self, batch):
        raise AssertionError("the network is asked again")

    monkeypatch.setattr(Classifier, "logits", refuse)
    monkeypatch.setattr(
        "xai_assets.analysis.predictions.explained_domain", lambda *given: ("not asked", None)
    )
    found = predictions(bench, table).drop_duplicates("image_id")
    assert found["predicted_probability"].tolist() == answers["probability"].tolist()
    assert found["predicted_index"].tolist() == answers["predicted_index"].tolist()


def test_an_image_without_an_answer_is_named_and_the_others_of_its_batch_have_theirs(opened, monkeypatch):
    bench = opened()
    table = images(bench)
    whole = model_performance(opened(), table)
    asked = Classifier.logits
    scenes = study_images("demo", 7, 1)
    bad = explained_classifier(bench).preprocessing.tensor(scenes[2].image)

    def logits(self, batch):
        found = asked(self, batch).clone()
        found[[bool((one == bad).all()) for one in batch]] = float("nan")
        return found

    monkeypatch.setattr(Classifier, "logits", logits)
    for module in (performance, kept_answers):
        monkeypatch.setattr(module, "KIND", "answers_of_this_test")
    found = model_performance(bench, table)
    assert found["image_id"].tolist() == [one.id for one in scenes if one is not scenes[2]]
    assert found["probability"].tolist() == whole["probability"].drop(2).tolist()
    (problem,) = bench.tally.problems
    assert scenes[2].id in problem and "not finite" in problem
    monkeypatch.setattr(Classifier, "logits", asked)
    again = opened()
    assert model_performance(again, table).equals(found)  # what is kept says it as well
    assert again.tally.problems == bench.tally.problems


def test_a_model_that_answers_nothing_is_an_error(opened, monkeypatch):
    bench = opened()
    monkeypatch.setattr(
        Classifier, "logits", lambda self, batch: batch.new_full((len(batch), 12), float("nan"))
    )
    with pytest.raises(XaiError, match="not finite"):
        model_performance(bench, images(bench))


def test_its_tables_are_loaded(opened):
    bench = opened(more="  performance: {min_accuracy: 0.9}")
    answers = model_performance(bench, images(bench))
    loaded = load_performance(bench, answers)
    stored = bench.warehouse.read("all")
    assert {row.table: row.rows for row in loaded.itertuples()} == {
        name: len(stored[name]) for name in LOADS["performance_tables"]
    }
    (row,) = stored["model_performance"].query("metric == 'accuracy'").to_dict("records")
    assert (row["value"], row["n"]) == (answers["correct"].mean(), 8)
    (numbers,) = headline(bench)
    assert numbers.rows[0][0].startswith(f"{row['value']:.3f} [") and numbers.rows[0][1] == "8"
    said = checks.ACCURATE.look(answers, images(bench), beside_the_limit(bench, answers))
    assert said.passed is None and said.numbers["limit"] == 0.9  # of eight images none could tell


def test_without_labels_nothing_is_asked(opened, tmp_path):
    (tmp_path / "pictures").mkdir()
    for at in range(3):
        Image.new("RGB", (40, 30 + at), (40 * at, 90, 20)).save(tmp_path / "pictures" / f"{at}.png")
    bench = opened("{folder: pictures}", "  performance: {min_accuracy: 0.9}")
    table = images(bench)
    answers = model_performance(bench, table)
    assert len(answers) == 3 and answers["correct"].isna().all() and answers["error_rank"].isna().all()
    load_performance(bench, answers)
    assert headline(bench) == []
    found = beside_the_limit(bench, answers)
    for check in (checks.ACCURATE, checks.EVERY_CLASS, checks.CALIBRATED):
        assert check.look(answers, table, found).passed is None


def test_explained_is_what_the_study_s_sample_has_and_all_where_it_has_none(opened, monkeypatch):
    monkeypatch.setattr(
        "xai_assets.analysis.predictions.explained_domain", lambda *given: ("not asked", None)
    )
    bench = opened()
    table = images(bench)
    answers = model_performance(bench, table)
    assert explained_images(bench, table, answers) is table and sample_of(bench, answers).empty
    some = opened(more="  sample: {failures: 1, random: 2}")
    chosen = sample_of(some, answers)
    assert (chosen["reason"] == "random").sum() == 2
    wrong = answers.loc[~answers["correct"], "image_id"]
    assert set(chosen.loc[chosen["reason"] == "failure", "image_id"]) <= set(wrong)
    found = predictions(some, explained_images(some, table, answers), table)
    assert set(found["image_id"]) == set(chosen["image_id"])
    unexplained = sorted(set(table["image_id"]) - set(found["image_id"]))
    assert not PREDICTED.look(found, table, step_facts(some, found)).passed
    assert PREDICTED.look(found, table, step_facts(some, found, unexplained)).passed


def test_a_sample_of_nothing_is_said(opened):
    bench = opened(more="  sample: {failures: 0, random: 0}")
    table = images(bench)
    with pytest.raises(XaiError, match="it has no image"):
        explained_images(bench, table, model_performance(bench, table))


@pytest.mark.parametrize(
    ("sample", "cases", "said"),
    [
        (
            "{failures: 2, random: 3}",
            8,
            "of 8 images, which are all classified, 3 are drawn and explained, up to 2 wrong",
        ),
        ("{failures: 0, random: 3}", 3, "of 8 images, which are all classified, 3 are drawn and explained"),
        ("{failures: 1, random: 99, successes: none}", 8, "8 are drawn and explained, up to 1 wrong answers"),
    ],
)
def test_a_sample_is_said_and_counted_before_a_run(opened, sample, cases, said):
    bench, sizes = opened("{diorama: {singles: 8, pairs: 0}}", f"  sample: {sample}"), Sizes()
    _, found = look_at_images(bench, explained_preprocessing(bench), sizes)
    (line,) = [one for one in found if one.what == "sample"]
    assert said in line.said and line.state == "ok"
    assert sizes.cases == cases
    assert least_amounts(bench.file).cases == min(8, bench.attribution.sample.random)
    whole = Sizes()
    look_at_images(opened("{diorama: {singles: 8, pairs: 0}}"), explained_preprocessing(bench), whole)
    assert whole.cases == 8
