"""Groups of images move as wholes: crops of one photograph make no unit mean something."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.exchangeable import enough, image_permutations, nontrivial, orders
from xai_assets.dissection.parameters import WPMI, CosSimilarity, CosSimilarityCubed, RankReorder, SoftWPMI
from xai_assets.dissection.significance import significance
from xai_assets.errors import XaiError

FUNCTIONS = [
    SoftWPMI(top_k=20, permutations=999),
    WPMI(top_k=20, permutations=199),
    RankReorder(top_fraction=0.15, permutations=199),
    CosSimilarity(permutations=199),
    CosSimilarityCubed(permutations=199),
]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(0, 9))
def test_groups_take_the_places_of_groups_of_their_size_in_order(groups, seed):
    groups = np.array(groups)
    (order,) = image_permutations(len(groups), 1, seed=seed, groups=groups)
    assert sorted(order) == list(range(len(groups)))
    for group in np.unique(groups):
        taken = order[groups == group]
        assert (groups[taken] == groups[taken[0]]).all()
        assert (np.diff(taken) > 0).all() and len(taken) == (groups == groups[taken[0]]).sum()


def test_images_that_are_all_different_are_permuted_as_without_groups():
    assert nontrivial(np.arange(9)) is None and nontrivial(None) is None
    alone = image_permutations(9, 4, seed=3)
    assert (image_permutations(9, 4, seed=3, groups=np.arange(9)) == alone).all()
    with pytest.raises(XaiError, match="groups"):
        image_permutations(9, 4, seed=3, groups=np.arange(8))


def test_every_order_of_three_pairs_comes_equally_often():
    groups = np.array([0, 1, 2, 0, 1, 2])
    found, counts = np.unique(image_permutations(6, 3000, seed=0, groups=groups), axis=0, return_counts=True)
    assert len(found) == 6
    assert ((counts - 500) ** 2 / 500).sum() < 20.5  # chi squared with 5 degrees of freedom, p = 0.001


def test_how_many_orders_there_are():
    groups = np.repeat(np.arange(5), [1, 1, 1, 2, 2])
    assert orders(groups) == pytest.approx(math.log(12))
    assert not enough(groups) and not enough(np.zeros(50, int))
    assert enough(None) and enough(np.arange(8)) and enough(np.repeat(np.arange(8), 20))
    assert not enough(np.repeat(np.arange(7), 20))


def photographs(units, per=8, count=20, concepts=40, seed=0):
    """Crops of a few photographs, and units that know one random number a photograph, half of them with noise."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(count), per)
    of_photograph = rng.standard_normal((count, concepts))[groups]
    cosines = 0.25 + 0.02 * of_photograph + 0.006 * rng.standard_normal((count * per, concepts))
    units_of = rng.standard_normal((count, units))[groups] + 0.01 * rng.standard_normal((count * per, units))
    units_of[:, ::2] += rng.standard_normal((count * per, (units + 1) // 2))
    return ConceptSpace.from_similarity(cosines.clip(-1, 1)), cosines, units_of.astype(np.float32), groups


@pytest.mark.parametrize("parameters", FUNCTIONS, ids=lambda found: found.similarity)
def test_units_that_know_the_photograph_alone_are_beyond_chance_only_without_groups(parameters):
    units = 24 if isinstance(parameters, RankReorder) else 64
    space, _, activations, groups = photographs(units)

    def p(groups):
        found = dissect(space, {"l": activations}, parameters, seed=1, groups=groups)["l"]
        return significance(found.scores[:, 0], found.null, found.ranked).p

    alone, together = p(None), p(groups)
    assert (alone[1::2] < 0.05).mean() > 0.15
    assert (together < 0.05).mean() < 0.12 and 0.35 < together.mean() < 0.65


@pytest.mark.parametrize("parameters", [FUNCTIONS[0], FUNCTIONS[3]], ids=lambda found: found.similarity)
def test_a_unit_that_knows_a_concept_is_found_among_crops(parameters):
    space, cosines, activations, groups = photographs(16, count=40)
    activations[:, :12] = cosines[:, :12]
    found = dissect(space, {"l": activations}, parameters, seed=1, groups=groups)["l"]
    trust = significance(found.scores[:, 0], found.null, found.ranked)
    assert (found.concepts[:12, 0] == np.arange(12)).sum() >= 11
    assert (trust.q[:12] < 0.05).sum() >= 11


def test_layers_have_the_same_null_together_and_alone():
    space, _, activations, groups = photographs(12)
    layers = {"a": activations[:, :4], "b": activations}
    both = dissect(space, layers, FUNCTIONS[0], groups=groups)
    assert (dissect(space, {"a": layers["a"]}, FUNCTIONS[0], groups=groups)["a"].null == both["a"].null).all()
    assert both["a"].null.shape == (999, 4)
