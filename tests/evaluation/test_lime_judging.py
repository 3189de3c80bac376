"""Judging LIME's parameters: known masks, known fits, and what cannot be judged."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

from tests.attribution.conftest import TinyNet, make_classifier
from xai_assets.attribution.binarisation import BinarisationPolicy
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.lime_image import lime
from xai_assets.attribution.parameters import Grid, LimeParameters
from xai_assets.evaluation.lime_judging import MIN_SUPERPIXELS, Subject, adjusted_r2, beyond_chance, judge

VIEW = np.zeros((8, 8, 3), dtype=np.uint8)
LEFT = np.repeat([[True] * 4 + [False] * 4], 8, axis=0)
POLICY = BinarisationPolicy()
PARAMETERS = LimeParameters(num_samples=100)


@dataclass
class Run:
    values: np.ndarray
    weights: np.ndarray
    r2: float = 0.8


def says(masks, superpixels=20, r2=0.8):
    """LIME that gives the mask of that seed, whatever the class."""
    return lambda view, target, parameters, seed: Run(
        masks[seed].astype(np.float32), np.ones(superpixels), r2
    )


def judged(explain, *references, seeds=(0, 1)):
    subject = Subject("a", VIEW, tuple(range(len(references))), references)
    return judge(explain, subject, PARAMETERS, seeds=seeds, policy=POLICY)


def test_with_a_reference_the_score_is_the_mean_iou_over_seeds():
    found = judged(says([LEFT, LEFT.T]), LEFT)
    assert found.score == found.iou == pytest.approx((1 + 1 / 3) / 2)
    assert found.chance_iou == pytest.approx(1 / 3)
    assert found.stability == pytest.approx(0)
    assert found.superpixels == 20
    assert found.problem is None


def test_a_class_without_a_reference_has_no_part_in_the_iou():
    assert judged(says([LEFT, LEFT]), LEFT.T, None).iou == pytest.approx(1 / 3)


def test_without_a_reference_it_is_fit_and_stability():
    found = judged(says([LEFT, LEFT]), None)
    assert found.iou is None and found.chance_iou is None
    assert found.stability == 1
    assert found.adjusted_r2 == pytest.approx(1 - 0.2 * 99 / 79)
    assert found.score == pytest.approx((1 + found.adjusted_r2) / 2)
    assert judged(says([LEFT, LEFT.T]), None).score < found.score
    assert judged(says([LEFT, LEFT], r2=0.5), None).score < found.score


@pytest.mark.parametrize(
    ("superpixels", "why"), [(MIN_SUPERPIXELS - 1, "fewer than 12"), (99, "fewer samples")]
)
def test_what_fit_cannot_judge_has_no_score_but_a_reference_can(superpixels, why):
    found = judged(says([LEFT, LEFT], superpixels), None)
    assert found.score is None
    assert why in found.problem
    assert judged(says([LEFT, LEFT], superpixels), LEFT).score == 1


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_map_that_shows_nothing_has_no_score(value):
    found = judged(says([LEFT, np.full((8, 8), value)]), LEFT)
    assert (found.score, found.iou) == (None, None)
    assert "constant" in found.problem


def test_an_error_is_a_trial_without_a_score():
    def fails(*_):
        raise AttributionError("the model", "is broken", "Mend it.")

    assert judged(fails, LEFT).problem == "the model: is broken. Mend it."


@pytest.mark.parametrize(("used", "samples"), [(2, 20), (6, 20), (15, 60)])
def test_adjusted_r2_of_noise_is_nothing_on_average(used, samples):
    # Theil's correction makes the expectation 0 for predictors that have nothing to do with the answer.
    generator = np.random.default_rng(0)
    plain, adjusted = [], []
    for _ in range(400):
        x, y = generator.normal(size=(samples, used)), generator.normal(size=samples)
        design = np.column_stack([np.ones(samples), x])
        left = y - design @ np.linalg.lstsq(design, y)[0]
        plain.append(1 - left @ left / ((y - y.mean()) ** 2).sum())
        adjusted.append(adjusted_r2(plain[-1], samples, used))
    assert np.mean(plain) == pytest.approx(used / (samples - 1), abs=0.02)
    assert np.mean(adjusted) == pytest.approx(0, abs=0.02)


def test_adjusted_r2_needs_samples():
    assert adjusted_r2(0.9, 10, 9) is None
    assert adjusted_r2(1.0, 10, 8) == 1


@given(hnp.arrays(bool, (4, 5)), hnp.arrays(bool, (4, 5)))
def test_beyond_chance_is_at_most_one_and_one_when_equal(a, b):
    a[0, 0] = b[0, 1] = True
    assert beyond_chance(a, b) <= 1
    assert beyond_chance(a, a) == (0 if a.all() else 1)


def test_real_lime_is_judged_and_the_same_twice():
    model = make_classifier(TinyNet())
    view = np.random.default_rng(0).integers(0, 255, (24, 24, 3), dtype=np.uint8)
    subject = Subject("a", view, (1, 2), (None, None))
    parameters = LimeParameters(num_samples=60, segmentation=Grid(rows=4, columns=4), positive_only=False)

    def explain(view, target, parameters, seed):
        return lime(model, view, target, parameters=parameters, seed=seed)

    first, again = (judge(explain, subject, parameters, seeds=(5, 6), policy=POLICY) for _ in range(2))
    assert first == again
    assert first.superpixels == 16
    assert first.score == pytest.approx((first.adjusted_r2 + first.stability) / 2)
