"""Chance from other images: the test is that of all pairings, and the level the mean of the others."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats import permutation_test

from xai_assets.evaluation.decision import Answer, decide
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.other_images import (
    MOST_TOGETHER,
    PSEUDOVALUES,
    against_others,
    blocks_of,
    fold,
    repairing_p,
    used_blocks,
)


def by_hand(blocks):
    """Every pairing within every block, one after the other."""
    sums = [0.0]
    for block in blocks:
        own = [
            sum(block[i, j] for i, j in enumerate(order)) - block.sum() / len(block)
            for order in permutations(range(len(block)))
        ]
        sums = [one + other for one in sums for other in own]
    observed = sum(np.trace(block) - block.sum() / len(block) for block in blocks)
    return np.mean([abs(one) >= abs(observed) - 1e-9 for one in sums])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(2, 4), min_size=1, max_size=2), st.integers(0, 10_000))
def test_it_is_the_share_of_pairings_that_are_as_far_from_their_mean(sizes, seed):
    generator = np.random.default_rng(seed)
    blocks = [np.round(generator.random((n, n)), 1) for n in sizes]
    assert repairing_p(blocks) == pytest.approx(by_hand(blocks))


def test_it_is_scipys():
    generator = np.random.default_rng(4)
    block = generator.random((6, 6)) + 0.2 * np.eye(6)

    def statistic(order):
        return abs(block[np.arange(6), np.asarray(order, int)].sum() - block.sum() / 6)

    # scipy permutes the second side of the pairs; every order once.
    found = permutation_test(
        (np.arange(6),),
        lambda order: statistic(order),
        permutation_type="pairings",
        alternative="greater",
        n_resamples=np.inf,
    )
    assert repairing_p([block]) == pytest.approx(found.pvalue)


def test_drawn_pairings_are_near_to_all_of_them_and_repeat():
    block = np.random.default_rng(3).random((8, 8)) + 0.25 * np.eye(8)
    exact = by_hand([block])
    drawn = [repairing_p([block], seed=seed) for seed in (1, 2)]
    assert drawn == pytest.approx([exact] * 2, abs=4 * np.sqrt(exact * (1 - exact) / 10_000))
    assert repairing_p([block], seed=1) == drawn[0] != drawn[1]


@pytest.mark.parametrize("n", [2, 3, 4, 6, 9, 70])
def test_the_same_map_on_every_image_is_told_from_others_where_n_suffices(n):
    blocks = [np.eye(len(part)) for part in blocks_of([0] * n)]
    found = against_others(blocks, bounds=(-1, 1))
    [decision] = decide([found.difference.mean], [found.p], repaired=True)
    assert (found.mean, found.chance, found.difference.mean) == (1, 0, 1)
    assert decision.answer == (Answer.YES if n >= 4 else Answer.CANNOT_TELL)
    assert decision.fewest == 4 and found.difference.n == n


def test_a_map_that_is_the_same_for_all_images_is_at_chance():
    generator = np.random.default_rng(2)
    found = against_others([np.tile(generator.random(9), (9, 1))])  # one map, nine truths
    assert found.difference.mean == pytest.approx(0)
    assert found.p == 1


def test_two_sides_that_avoid_each_other_are_below_chance():
    found = against_others([1.0 - np.eye(6)])
    [decision] = decide([found.difference.mean], [found.p], repaired=True)
    assert decision.answer is Answer.NO


def test_the_level_of_chance_is_the_mean_of_all_shifts_and_the_interval_that_of_the_jackknife():
    block = np.random.default_rng(7).random((7, 7))
    found = against_others([block])
    shifts = [block[np.arange(7), (np.arange(7) + by) % 7].mean() for by in range(1, 7)]
    assert found.chance == pytest.approx(np.mean(shifts))
    assert found.difference.mean == pytest.approx(found.mean - found.chance)
    assert found.difference.method == PSEUDOVALUES

    def excess(kept):
        part = block[np.ix_(kept, kept)]
        own, m = np.trace(part), len(part)
        return own / m - (part.sum() - own) / (m * (m - 1))

    whole = excess(np.arange(7))
    left = np.array([excess(np.delete(np.arange(7), i)) for i in range(7)])
    error = np.sqrt(6 / 7 * ((left - left.mean()) ** 2).sum())  # Tukey's, of an image left out at a time
    assert found.difference.high - whole == pytest.approx(stats.t.ppf(0.975, 6) * error)
    assert whole - found.difference.low == pytest.approx(stats.t.ppf(0.975, 6) * error)


def test_few_images_have_a_level_and_no_decision():
    one, none = against_others([np.array([[0.4]])]), against_others([])
    assert (one.mean, one.chance, one.p, none.mean) == (0.4, None, None, None)
    two = against_others([np.array([[0.9, 0.1], [0.2, 0.8]])])
    assert two.chance == pytest.approx(0.15) and two.p == 1 and two.difference.low is None


def test_an_image_without_others_is_counted():
    found = against_others([np.eye(5), np.array([[0.3]])])
    assert (found.mean, found.difference.n, found.difference.excluded) == (1, 5, 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("ab"), max_size=300), st.integers(0, 9))
def test_blocks_hold_each_image_once_with_its_like_and_are_of_a_size(groups, seed):
    blocks = blocks_of(groups, seed=seed)
    assert sorted(np.concatenate([*blocks, []]).tolist()) == list(range(len(groups)))
    for block in blocks:
        [group] = {groups[place] for place in block}
        assert len(block) <= MOST_TOGETHER
        assert len(block) >= min(groups.count(group), MOST_TOGETHER // 2)
    assert [b.tolist() for b in blocks] == [b.tolist() for b in blocks_of(groups, seed=seed)]


def test_classes_of_an_image_are_one_row():
    values = np.arange(16.0).reshape(4, 4)
    folded = fold(values, [1, 2, 1])
    assert np.diag(folded).tolist() == [0, np.mean([5, 10]), 15]
    assert folded[0].tolist() == [0, np.mean([1, 2]), 3]  # the one class goes with both
    assert folded[1, 2] == np.mean([7, 11])
    assert fold(np.zeros((0, 0)), []).shape == (0, 0)
    with pytest.raises(EvaluationError, match="Align"):
        fold(values, [1, 2])


def test_cases_without_a_value_are_left_out_before_images_are_made():
    values = np.arange(16.0).reshape(4, 4)
    values[1] = np.nan
    [block] = used_blocks([values], [[3, 5, 5, 9]], [np.array([True, False, True, True])])
    assert block.shape == (3, 3) and np.diag(block).tolist() == [0, 10, 15]


def test_other_shapes_and_holes_are_refused():
    for bad in (np.zeros((2, 3)), np.full((2, 2), np.nan)):
        with pytest.raises(EvaluationError, match="matrix"):
            repairing_p([bad])
