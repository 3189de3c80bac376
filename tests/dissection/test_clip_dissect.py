"""Rankings with ties, and whether a null tells units that mean something from those that do not."""

import numpy as np
import pytest
from scipy.stats import kstest

from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import (
    WPMI,
    CosSimilarity,
    CosSimilarityCubed,
    RankReorder,
    SoftWPMI,
)
from xai_assets.dissection.ranking import BestTwo, top_images
from xai_assets.dissection.significance import false_discovery_q, permutation_p, significance

FUNCTIONS = [
    SoftWPMI(top_k=30, permutations=999),
    WPMI(permutations=999),
    RankReorder(top_fraction=0.1, permutations=999),
    CosSimilarity(permutations=999),
    CosSimilarityCubed(permutations=999),
]


def test_the_strongest_images_come_first_and_equal_ones_together():
    column = np.array([[1.0], [2.0], [2.0], [0.0], [2.0]])
    found = top_images(np.tile(column, (1, 70)), 4)
    assert found.shape == (4, 70)
    assert (np.sort(found[:3], axis=0).T == [1, 2, 4]).all() and (found[3] == 0).all()
    assert top_images(column, 9).shape == (5, 1)


def test_equal_scores_name_the_earlier_concept():
    scores = np.array([[0.0, 5.0, 5.0, 5.0], [1.0, 1.0, 1.0, 2.0], [3.0, 2.0, 1.0, 0.0]], np.float32)
    for width in (1, 2, 3, 4):
        best = BestTwo(3)
        for start in range(0, 4, width):
            best.add(start, scores[:, start : start + width].copy())
        assert best.concepts.tolist() == [[1, 2], [3, 0], [0, 1]]
        assert best.scores.tolist() == [[5, 5], [2, 1], [3, 2]]


def space_and_units(units, images=400, concepts=60, seed=0):
    """Cosines like CLIP's, and units that know nothing of the images and fire on one half to one tenth of them."""
    rng = np.random.default_rng(seed)
    topics = rng.standard_normal((images, 8)) @ rng.standard_normal((8, concepts))
    cosines = 0.25 + 0.02 * topics / topics.std() + 0.02 * rng.standard_normal((images, concepts))
    activations = np.maximum(rng.standard_normal((images, units)) - np.linspace(0, 1.3, units), 0)
    return ConceptSpace.from_similarity(cosines), cosines, activations.astype(np.float32)


@pytest.mark.parametrize("parameters", FUNCTIONS, ids=lambda found: found.similarity)
def test_units_that_know_nothing_have_uniform_p_values(parameters):
    space, _, activations = space_and_units(300)
    found = dissect(space, {"l": activations}, parameters, seed=1)["l"]
    assert found.ranked.all()
    trust = significance(found.scores[:, 0], found.null, found.ranked)
    assert kstest(trust.p, "uniform").pvalue > 0.01
    rare, often = trust.p[200:], trust.p[:100]  # a unit that seldom fires is no more significant than another
    assert kstest(rare, "uniform").pvalue > 0.005 and kstest(often, "uniform").pvalue > 0.005
    assert (trust.q < 0.05).mean() <= 0.05


@pytest.mark.parametrize("parameters", FUNCTIONS, ids=lambda found: found.similarity)
def test_a_planted_unit_stands_out(parameters):
    space, cosines, activations = space_and_units(30)
    planted = np.maximum(cosines[:, 7] - np.quantile(cosines[:, 7], 0.6), 0) * 20
    activations[:, 11] = planted
    found = dissect(space, {"l": activations}, parameters, seed=1)["l"]
    trust = significance(found.scores[:, 0], found.null, found.ranked)
    assert found.concepts[11, 0] == 7 and trust.q[11] < 0.05 and trust.z[11] > 3
    assert (np.delete(trust.q, 11) < 0.05).sum() <= 1


def test_the_null_follows_from_the_seed():
    space, _, activations = space_and_units(10)
    for parameters in FUNCTIONS:
        one, same, other = (
            dissect(space, {"l": activations}, parameters, seed=seed)["l"].null for seed in (1, 1, 2)
        )
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()


@pytest.mark.parametrize("parameters", [CosSimilarity(permutations=99), CosSimilarityCubed(permutations=99)])
def test_a_layer_of_one_unit_has_the_null_of_its_own_permutations(parameters):
    space, _, activations = space_and_units(1)
    found = dissect(space, {"l": activations}, parameters, seed=4)["l"]
    rng = np.random.default_rng(4)
    column = activations[:, 0].astype(np.float64)
    direction = (column - column.mean()) ** 3 if isinstance(parameters, CosSimilarityCubed) else column
    far = np.argsort(-np.abs(direction - direction.mean()), kind="stable")[:16]
    values = activations[np.concatenate([far, np.delete(np.arange(400), far)]), 0]
    shuffled = np.empty((400, 99), np.float32)
    for draw in range(99):
        shuffled[rng.permutation(400), draw] = values
    scores = dissect(space, {"l": shuffled}, parameters)["l"].scores[:, 0]
    np.testing.assert_allclose(found.null[:, 0], scores, atol=2e-6)


def test_a_null_list_is_scored_as_one_more_unit_of_the_layer():
    space, _, activations = space_and_units(6)
    parameters = SoftWPMI(top_k=30, permutations=99, lam=0.7)
    null = dissect(space, {"l": activations}, parameters, seed=4)["l"].null
    rng = np.random.default_rng(4)
    for drawn in range(3):
        images = rng.choice(400, 30, replace=False)
        stranger = np.zeros((400, 1), np.float32)
        stranger[images, 0] = np.arange(30, 0, -1)
        joined = dissect(space, {"l": np.hstack([activations, stranger])}, parameters)["l"]
        assert joined.scores[6, 0] == pytest.approx(null[drawn], abs=1e-5)


def test_equal_activations_are_in_no_order_of_the_files_and_in_one_of_the_units_own():
    """A list that is filled up with images that do not drive the unit has no more of one folder than of another."""
    values = np.zeros((400, 60), np.float32)
    values[7] = 1
    names = [f"class{image // 100}/{image}.png" for image in range(400)]
    found = top_images(values, 101, ids=names)
    assert (found[0] == 7).all()
    share = np.mean(found[1:] < 100)  # of the first folder
    assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 6000))
    assert len({tuple(column) for column in found.T}) == 60
    order = np.random.default_rng(0).permutation(400)
    again = order[top_images(values[order], 101, ids=[names[image] for image in order])]
    assert np.array_equal(found, again)
    assert np.array_equal(found[:, 3:5], top_images(values[:, 3:5], 101, ids=names, numbers=[3, 4]))


def test_units_that_fire_on_three_images_get_no_certain_word_in_a_probe_sorted_by_class():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(8, 16))
    label = np.repeat(np.arange(8), 50)
    images = centres[label] + 0.3 * rng.normal(size=(400, 16))
    values = np.zeros((400, 64), np.float32)
    for unit in range(64):
        values[rng.choice(400, 3, replace=False), unit] = rng.random(3) + 1
    parameters = SoftWPMI(top_k=100, a=10, permutations=999)
    found = dissect(ConceptSpace(images, centres), {"l": values}, parameters)["l"]
    p = permutation_p(found.scores[:, 0], found.null)
    assert (p < 0.05).mean() < 0.15 and false_discovery_q(p, found.ranked).min() > 0.05
