"""A layer against networks with shuffled weights: the network is the observation, exactly."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from xai_assets.dissection.shuffled_null import FEWEST_NETWORKS, against_shuffled, rank_among


def networks(generator, count=FEWEST_NETWORKS + 1, units=48, spread=1.0):
    return [generator.exponential(spread) + generator.standard_normal(units) for _ in range(count)]


def test_p_and_q_are_those_of_the_pooled_units_and_the_layer_is_ranked_by_its_count():
    own, *others = networks(np.random.default_rng(0), spread=0.2)
    own[:10] += 8
    living = np.ones(len(own), bool)
    found = against_shuffled(own, living, others)
    pooled = np.concatenate(others)
    p = np.array([(1 + (pooled >= score).sum()) / (1 + len(pooled)) for score in own])
    assert found.p == pytest.approx(p) and found.q == pytest.approx(false_discovery_control(p))
    assert found.found == (found.q < 0.05).sum() >= 10
    for at, count in enumerate(found.found_shuffled):  # every network alike, against all the others
        rest = [own, *(one for number, one in enumerate(others) if number != at)]
        assert count == against_shuffled(others[at], living, rest).found
    assert found.p_network == (1 + (found.found_shuffled >= found.found).sum()) / 21 == 1 / 21
    assert (found.beyond == (found.q < 0.05)).all()


def test_few_networks_decide_nothing_and_enough_do():
    generator = np.random.default_rng(1)
    own, living = np.full(32, 50.0), np.ones(32, bool)
    for count in (1, 4, FEWEST_NETWORKS - 1):
        found = against_shuffled(own, living, networks(generator, count))
        assert found.p_network == pytest.approx(1 / (count + 1)) and not found.beyond.any()
    assert against_shuffled(own, living, networks(generator, FEWEST_NETWORKS)).beyond.all()


def test_dead_units_are_not_looked_at():
    own, *others = networks(np.random.default_rng(2))
    living = np.arange(len(own)) % 2 == 0
    found = against_shuffled(np.where(living, own + 50, np.nan), living, others)
    assert (
        (found.beyond == living).all() and np.isnan(found.q[~living]).all() and (found.p[~living] == 1).all()
    )


def test_a_network_that_was_never_trained_has_units_beyond_chance_in_one_of_twenty_at_most():
    """Whatever the networks differ by: here units of one network are nearly one observation."""
    living, decided, trials = np.ones(48, bool), 0, 400
    for trial in range(trials):
        own, *others = networks(np.random.default_rng([3, trial]), spread=2.0)
        decided += against_shuffled(own, living, others).beyond.any()
    assert decided / trials < 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)


def test_a_rank_counts_ties_against_it():
    assert rank_among(3, [1, 2]) == pytest.approx(1 / 3) and rank_among(2, [1, 2, 5]) == pytest.approx(3 / 4)
