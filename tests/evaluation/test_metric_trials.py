"""Trials of metrics: good ones pass, blind ones are not told apart from nothing, and those turned round fail."""

import numpy as np
import pandas as pd
import pytest

from xai_assets.evaluation import metric_trials as trials
from xai_assets.evaluation.metric_trials import ALL_MAPS, CHANGED, METHODS, NO, OPEN, ORDER, REMOVED, YES
from xai_assets.evaluation.metrics import AGAINST_TRUTH
from xai_assets.resources.tables import TABLES

KNOWS = {
    "oracle": 1.0,
    "gradcam": 0.8,
    "scorecam": 0.6,
    "lime": 0.5,
    "edges": 0.3,
    "random": 0.1,
    "ones": 0.0,
}
"""How much of the truth each map has."""

CONTROLS = ("oracle", "edges", "random", "ones")


def values(score, *, metric="srg", variant="blur", images=12):
    """A metric that gives a map that has so much of the truth, of that image, what `score` says."""
    generator = np.random.default_rng(1)
    return pd.DataFrame(
        [
            (f"{image}.png", 0, method, method in CONTROLS, metric, variant, score(knows, generator))
            for image in range(images)
            for method, knows in KNOWS.items()
        ],
        columns=["image_id", "target_index", "method", "is_control", "metric", "variant", "value"],
    )


def pictures(images=12, fall=0.5, uses=lambda knows: knows):
    """A part that is removed, and how much of each map lay on it: of what a map knows, what the model uses."""
    return pd.DataFrame(
        [
            (f"{image}.png", 0, method, method in CONTROLS, "part_removed", fall, 0.0, uses(knows))
            for image in range(images)
            for method, knows in KNOWS.items()
        ],
        columns=["image_id", "target_index", "method", "is_control", "change", "fall", "area", "energy"],
    )


def noisy(knows, generator):
    return knows + generator.normal(0, 0.05)


def blind(_knows, _generator):
    return 0.4


def of(table, trial, over=None, above=None, below=None):
    found = table[table["trial"] == trial]
    for column, value in (("over", over), ("above", above), ("below", below)):
        found = found if value is None else found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_a_good_metric_passes_every_trial():
    table = trials.metric_trials(values(noisy), pictures())
    assert list(table.columns) == list(trials.COLUMNS) == list(TABLES["metric_trials"].columns)
    assert (table["answer"] == YES).all() and (table["n"] == 12).all() and (table["excluded"] == 0).all()
    assert len(table) == 2 + 3 + 3 + 4
    assert not table.duplicated(list(TABLES["metric_trials"].key)).any()
    gap = of(table, ORDER, above="oracle", below="random")
    assert gap["low"] < 0.9 < gap["high"] and gap["value"] == pytest.approx(0.9, abs=0.05)
    assert of(table, REMOVED, ALL_MAPS)["value"] > 0.9
    exact = trials.metric_trials(values(lambda knows, _: knows), pictures())
    assert of(exact, REMOVED, METHODS)["value"] == pytest.approx(1)


def test_a_metric_that_does_not_look_at_the_map_decides_nothing():
    table = trials.metric_trials(values(blind), pictures())
    assert (table["answer"] == OPEN).all()
    assert (table.loc[table["trial"] == ORDER, "value"] == 0).all()
    use = table[table["trial"] != ORDER]
    assert (use["n"] == 0).all() and use["value"].isna().all() and (use["excluded"] == 12).all()


def test_a_metric_of_mere_chance_is_rarely_said_to_tell():
    drawn = np.random.default_rng(8)
    said = [
        of(trials.metric_trials(values(lambda *_: drawn.normal()), pictures()), REMOVED, ALL_MAPS)["answer"]
        for _ in range(80)
    ]
    assert 70 <= said.count(OPEN) < 80  # nominally at least 76


def test_a_metric_that_is_the_wrong_way_round_fails():
    table = trials.metric_trials(values(lambda knows, g: 1 - noisy(knows, g)), pictures())
    assert (table["answer"] == NO).all()


def test_a_metric_that_is_better_when_lower_is_turned_round():
    table = trials.metric_trials(
        values(lambda knows, g: 1 - noisy(knows, g), metric="deletion_auc"), pictures()
    )
    assert (table["answer"] == YES).all()


def test_a_metric_that_rewards_saying_nothing_is_found_out():
    table = values(noisy).assign(value=lambda t: t["value"].where(t["method"] != "ones", 1.5))
    found = trials.metric_trials(table, pictures())
    assert of(found, ORDER, above="oracle", below="ones")["answer"] == NO
    assert of(found, ORDER, above="oracle", below="random")["answer"] == YES


def test_a_measure_that_follows_the_mask_where_the_model_looks_elsewhere_is_found_out():
    elsewhere = pictures(uses=lambda knows: 1 - knows)
    found = trials.metric_trials(values(noisy), elsewhere)
    assert of(found, ORDER, above="oracle", below="random")["answer"] == YES
    assert of(found, REMOVED, ALL_MAPS)["answer"] == NO == of(found, REMOVED, METHODS)["answer"]


def test_images_where_nothing_counts_are_excluded_and_too_few_decide_nothing():
    some = pd.concat(
        [pictures(5), pictures().query("image_id >= '5.png' or image_id > '10'").assign(fall=0.0)]
    )
    found = of(
        trials.metric_trials(values(noisy), some.drop_duplicates(["image_id", "method"])), REMOVED, ALL_MAPS
    )
    assert (found["n"], found["excluded"], found["answer"]) == (5, 7, OPEN)
    assert found["value"] > 0.8 and found["fewest"] == 6
    assert of(trials.metric_trials(values(noisy), pictures(6)), REMOVED, ALL_MAPS)["answer"] == YES
    nothing = trials.metric_trials(values(noisy), pictures(fall=0.0))
    assert set(nothing["trial"]) == {ORDER}


def test_changes_that_put_something_in_place_are_told_apart_from_what_is_removed():
    replaced = pictures(uses=lambda knows: 1 - knows).assign(change="background_replaced", fall=0.9)
    found = trials.metric_trials(values(noisy), pd.concat([pictures(), replaced]))
    assert of(found, REMOVED, ALL_MAPS)["answer"] == YES
    assert of(found, CHANGED, ALL_MAPS)["answer"] == NO


def test_two_classes_of_an_image_are_one_image_and_a_class_that_was_not_changed_counts_for_none():
    one = values(noisy)
    two = pd.concat([one, one.assign(target_index=1, value=-one["value"])])
    found = trials.metric_trials(two, pictures())
    assert (found["n"] == 12).all()
    assert of(found, REMOVED, ALL_MAPS)["answer"] == YES


def test_without_an_oracle_or_counterfactuals_there_are_fewer_trials():
    table = values(noisy).query("method not in ['oracle', 'ones']")
    found = trials.metric_trials(table, pictures().iloc[:0])
    assert found["above"].tolist() == ["gradcam", "scorecam", "lime"] and set(found["below"]) == {"random"}
    assert trials.metric_trials(table.iloc[:0], pictures()).empty


@pytest.mark.parametrize("metric", sorted(AGAINST_TRUTH))
def test_a_metric_of_the_truth_is_not_graded_by_that_truth(metric):
    found = trials.metric_trials(values(noisy, metric=metric), pictures())
    assert set(found["trial"]) == {ORDER} and set(found["below"]) == {"random"}
    assert "oracle" not in set(found["above"])


def test_variants_are_tried_apart_and_the_same_seed_gives_the_same():
    both = pd.concat([values(noisy), values(blind, metric="road", variant=None)])
    found = trials.metric_trials(both, pictures(), seed=4)
    assert found.groupby("metric")["answer"].agg(lambda said: set(said)).to_dict() == {
        "road": {OPEN},
        "srg": {YES},
    }
    assert found[found["metric"] == "road"]["variant"].isna().all()
    assert found.equals(trials.metric_trials(both, pictures(), seed=4))
