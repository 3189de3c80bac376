"""Curves on a linear model, whose every score is known: closed forms, the oracle, chance."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision.transforms import GaussianBlur

from tests.evaluation.linear_model import linear_case
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ordering import relevance_rank
from xai_assets.evaluation.perturbation_curves import Curve, baselines, gain, perturbation_curves, without


def curves_of(score, image, values, steps=4, ties=None):
    replaced_by = baselines(image)
    ties = np.random.default_rng(9).random(values.shape) if ties is None else ties
    return perturbation_curves(
        score,
        image,
        relevance_rank(values, ties),
        replaced_by,
        steps=steps,
        full=float(score(image[None])[0]),
        empty={name: float(score(base[None])[0]) for name, base in replaced_by.items()},
    )


def pair(curves, baseline):
    return {curve.order: curve for curve in curves if curve.baseline == baseline}


@pytest.mark.parametrize("baseline", ["blur", "mean"])
def test_a_linear_model_loses_what_the_removed_pixels_contributed(baseline):
    model, image = linear_case()
    values = np.random.default_rng(1).normal(size=image.shape[:2])
    contributions = model.contributions(image, baselines(image)[baseline])
    by_relevance = contributions.ravel()[np.argsort(-values, axis=None)]
    full = float(model(image[None])[0])
    found = pair(curves_of(model, image, values, steps=4), baseline)
    lost = np.concatenate([[0], np.cumsum(by_relevance)[11::12]])
    np.testing.assert_allclose(found["morf"].scores, full - lost, atol=1e-4)
    lost = np.concatenate([[0], np.cumsum(by_relevance[::-1])[11::12]])
    np.testing.assert_allclose(found["lerf"].scores, full - lost, atol=1e-4)


def test_insertion_is_the_other_order_read_from_the_right():
    model, image = linear_case()
    values = np.random.default_rng(1).normal(size=image.shape[:2])
    base = baselines(image)["blur"]
    order = np.argsort(-values, axis=None)
    inserted = []
    for count in (0, 12, 24, 36, 48):
        shown = np.zeros(48, dtype=bool)
        shown[order[:count]] = True
        inserted.append(float(model(without(base, image, shown.reshape(8, 6))[None])[0]))
    found = pair(curves_of(model, image, values), "blur")["lerf"]
    np.testing.assert_allclose(found.scores[::-1], inserted, atol=1e-6)
    trapezoids = np.mean([(a + b) / 2 for a, b in zip(inserted[1:], inserted[:-1], strict=True)])
    assert found.area == pytest.approx(trapezoids)


@given(st.integers(0, 500))
def test_no_order_beats_the_contributions_themselves(seed):
    model, image = linear_case(seed % 7)
    for baseline, base in baselines(image).items():
        best = gain(pair(curves_of(model, image, model.contributions(image, base)), baseline).values())
        worst = gain(pair(curves_of(model, image, -model.contributions(image, base)), baseline).values())
        other = np.random.default_rng(seed).normal(size=image.shape[:2])
        found = gain(pair(curves_of(model, image, other), baseline).values())
        assert worst - 1e-6 <= found <= best + 1e-6
        assert worst == pytest.approx(-best, abs=1e-5)


def test_the_expected_gain_of_a_random_order_is_nothing():
    """Whatever the model: here one that is not even monotone."""
    _, image = linear_case()

    def score(pictures):
        return np.cos(pictures.astype(np.float64).sum(axis=(1, 2, 3))) ** 2

    gains = [
        gain(pair(curves_of(score, image, np.random.default_rng(draw).random((8, 6))), "mean").values())
        for draw in range(400)
    ]
    assert abs(np.mean(gains)) < 4 * np.std(gains) / np.sqrt(len(gains))
    assert np.std(gains) > 0.01


def test_a_constant_map_has_the_order_of_the_ties():
    model, image = linear_case()
    ties = np.random.default_rng(4).random((8, 6))
    constant = curves_of(model, image, np.full((8, 6), 3.0), ties=ties)
    as_ties = curves_of(model, image, ties)
    for one, other in zip(constant, as_ties, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)


def test_ends_are_given_not_scored_again():
    model, image = linear_case()
    values = np.random.default_rng(1).normal(size=(8, 6))
    replaced_by = baselines(image)
    found = perturbation_curves(
        model, image, relevance_rank(values, values), replaced_by, steps=5, full=7.0,
        empty={"blur": -1.0, "mean": -2.0},
    )  # fmt: skip
    assert model.shown == 2 * 2 * 4
    assert {(curve.scores[0], curve.scores[-1]) for curve in found} == {(7.0, -1.0), (7.0, -2.0)}
    alone = perturbation_curves(
        model, image, relevance_rank(values, values), replaced_by, steps=1, full=7.0,
        empty={"blur": -1.0, "mean": -2.0},
    )  # fmt: skip
    assert [curve.area for curve in alone] == [3.0, 3.0, 2.5, 2.5]


def test_the_blur_is_torchvisions():
    image = np.random.default_rng(0).normal(size=(64, 48, 3)).astype(np.float32)
    theirs = GaussianBlur(33, sigma=4.0)(torch.from_numpy(image).permute(2, 0, 1)).permute(1, 2, 0).numpy()
    ours = baselines(image)["blur"]
    # Away from the border, which torchvision reflects without and cv2 with the edge pixel.
    np.testing.assert_allclose(ours[20:-20, 20:-20], theirs[20:-20, 20:-20], atol=2e-3)
    np.testing.assert_allclose(baselines(image)["mean"][3, 5], image.mean(axis=(0, 1)), atol=1e-6)


def test_what_is_no_pair_of_curves_is_an_error():
    curve = Curve("blur", "morf", np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    other = Curve("mean", "lerf", curve.fractions, curve.scores)
    for given_curves in ([curve], [curve, curve], [curve, other]):
        with pytest.raises(EvaluationError, match="one baseline"):
            gain(given_curves)
    model, image = linear_case()
    with pytest.raises(EvaluationError, match="0 steps"):
        curves_of(model, image, np.ones((8, 6)), steps=0)
