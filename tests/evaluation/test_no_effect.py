"""Where there is nothing to find, families of questions are decided at most as often as stated."""

import numpy as np
import pytest

from benchmarks.truth import trials

FAMILIES = {
    family: draw
    for family, kind, draw in trials._families()
    if kind in ("faithfulness", "counterfactuals", "drift")
}


def decided(draw, n, studies, effect=0.0):
    generator = np.random.default_rng(n)
    found = [draw(generator, n, effect) for _ in range(studies)]
    return np.mean([any_ for any_, _ in found]), np.mean([first for _, first in found])


@pytest.mark.parametrize("family", FAMILIES)
def test_fewer_images_than_could_decide_never_do(family):
    assert decided(FAMILIES[family], 4, 5, effect=50.0) == (0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_is_found_in_nothing_and_the_demos_effect_is_found(family):
    wrong, _ = decided(FAMILIES[family], 12, 200)
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    kind = next(kind for name, kind, _ in trials._families() if name == family)
    assert decided(FAMILIES[family], 12, 30, effect=trials.EFFECTS[kind])[1] >= 0.3


def test_metrics_of_the_true_mask_are_not_said_to_order_maps_of_noise():
    draw = next(draw for _, kind, draw in trials._families() if kind == "truth")
    assert decided(draw, 12, 3) == (0, 0)
