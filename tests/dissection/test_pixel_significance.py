"""The null of pixel labels: how it is drawn, and that it finds what is there and nothing else."""

import numpy as np
import pytest

from xai_assets.dissection.pixel_significance import _standardised, image_permutations, pixel_significance
from xai_assets.errors import XaiError


def test_permutations_follow_from_seed_and_number():
    five, three = image_permutations(9, 5, seed=1), image_permutations(9, 3, seed=1)
    np.testing.assert_array_equal(five[:3], three)
    assert not (image_permutations(9, 3, seed=2) == three).all()
    np.testing.assert_array_equal(np.sort(five, axis=1), np.tile(np.arange(9), (5, 1)))


def test_each_null_value_is_held_against_the_others():
    null = np.random.default_rng(0).gamma(2.0, size=(7, 3))
    found = _standardised(null)
    for row in range(7):
        others = np.delete(null, row, axis=0)
        np.testing.assert_allclose(found[row], (null[row] - others.mean(0)) / others.std(0, ddof=1))


def test_chance_alone_is_found_significant_no_more_often_than_stated():
    rng = np.random.default_rng(1)
    scale = rng.uniform(0.5, 5, 400)
    found, ps = [], []
    for _ in range(20):
        draws = rng.gamma(4.0, scale, (21, 400))  # observed, and 20 like it
        trust = pixel_significance(draws[0], draws[1:], np.ones(400, bool))
        found.append((trust.q < 0.05).any())
        ps.append(trust.p)
    assert np.mean(found) <= 0.15  # 0.05, give or take
    assert abs(np.mean(np.array(ps) < 0.05) - 0.05) < 0.01
    assert np.mean(np.array(ps) < 0.005) < 0.007


def test_planted_units_are_found_and_dead_ones_left_out():
    rng = np.random.default_rng(2)
    draws = rng.normal(0.01, 0.001, (21, 100))
    draws[0, :10] = 0.1
    draws[:, 11] = 0.0  # never overlaps anything
    living = np.arange(100) != 10
    trust = pixel_significance(draws[0], draws[1:], living)
    assert (trust.q[:10] < 0.05).all() and (trust.q[12:] < 0.05).sum() <= 1
    assert np.isnan(trust.q[10]) and np.isnan(trust.z[11]) and trust.p[11] == 1
    with pytest.raises(XaiError, match="at least 3"):
        pixel_significance(draws[0], draws[1:3], living)
