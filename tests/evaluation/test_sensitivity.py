"""Max-sensitivity: closed forms for maps that are known functions of the picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.sensitivity import largest_change, max_sensitivity, noisy_views, redrawn

VIEW = np.random.default_rng(0).integers(20, 236, size=(12, 10, 3), dtype=np.uint8)


def red(view):
    return view[..., 0].astype(np.float32)


def measured(explain, **given):
    return max_sensitivity(explain, VIEW, explain(VIEW), **{"radius": 4, "samples": 5, "seed": 0} | given)


def test_of_a_map_that_is_the_picture_it_is_the_noise_over_the_picture():
    noise = [red(noisy) - red(VIEW) for noisy in noisy_views(VIEW, radius=4, samples=5, seed=0)]
    expected = max(np.linalg.norm(one) for one in noise) / np.linalg.norm(red(VIEW))
    assert measured(red) == pytest.approx(expected)
    # Uniform on -4..4: a mean square of 20/3 a pixel.
    theory = np.sqrt(20 / 3 * 120) / np.linalg.norm(red(VIEW))
    assert measured(red) == pytest.approx(theory, rel=0.2)


def test_of_a_map_that_looks_at_nothing_it_is_0_and_scale_does_not_matter():
    assert measured(lambda view: np.ones(view.shape[:2], np.float32)) == 0
    assert measured(lambda view: red(view) * 1000) == pytest.approx(measured(red))


def test_more_samples_and_a_larger_radius_only_raise_it():
    found = [measured(red, samples=samples) for samples in (1, 2, 5, 9)]
    assert found == sorted(found)
    assert measured(red, radius=2) < measured(red, radius=8)


@given(st.integers(0, 100), st.integers(1, 20))
def test_noise_stays_within_the_radius_and_in_a_pictures_range(seed, radius):
    view = np.random.default_rng(seed).integers(0, 256, size=(6, 5, 3), dtype=np.uint8)
    for noisy in noisy_views(view, radius=radius, samples=3, seed=seed):
        assert noisy.dtype == np.uint8
        assert abs(noisy.astype(int) - view).max() <= radius


def test_the_noise_floor_is_what_seeds_move():
    maps = [np.full((3, 3), float(value)) for value in (2, 3, 1, 2)]
    assert largest_change(maps[0], maps[1:]) == pytest.approx(0.5)
    assert largest_change(maps[0], maps[3:]) == 0
    assert largest_change(maps[0], []) == 0


def test_what_cannot_be_measured_is_none_and_what_is_not_asked_rightly_an_error():
    assert largest_change(np.zeros((3, 3)), [np.ones((3, 3))]) is None
    assert largest_change(np.ones((3, 3)), [np.full((3, 3), np.nan)]) is None
    with pytest.raises(EvaluationError, match="0 samples"):
        measured(red, samples=0)
    with pytest.raises(EvaluationError, match="shapes"):
        largest_change(np.ones((3, 3)), [np.ones((3, 4))])


@pytest.mark.parametrize("offset", [0.0, 5.0, 500.0])
def test_a_map_drawn_anew_has_share_one_whatever_its_offset(offset):
    """Maps that have nothing in common move by √2 of their spread; the offset is in both norms and in no share."""
    generator = np.random.default_rng(2)
    maps = [generator.normal(offset, 1, (60, 60)) for _ in range(6)]
    anew = redrawn(maps[0], maps[1:])
    spread = maps[0].std() / np.sqrt((maps[0] ** 2).mean())
    assert anew == pytest.approx(np.sqrt(2) * spread, rel=0.02)
    assert largest_change(maps[0], [generator.normal(offset, 1, (60, 60))]) / anew == pytest.approx(
        1, abs=0.05
    )
    assert largest_change(maps[0], [maps[0] + 0.01]) / anew < 0.02


def test_other_maps_are_brought_to_this_ones_mean_and_spread():
    own, other = np.random.default_rng(3).normal(size=(2, 9, 9))
    assert redrawn(own, [other]) == pytest.approx(redrawn(own, [300 * other + 7]))
    assert redrawn(own, [2 * own + 1]) == pytest.approx(0, abs=1e-12)
    for values, others in ((own, []), (own, [np.ones((9, 9))]), (np.ones((9, 9)), [own])):
        assert redrawn(values, others) is None
    with pytest.raises(EvaluationError, match="shapes"):
        redrawn(own, [other[:5]])
