"""ROAD: the authors' imputation in grad-cam, the equations themselves, the oracle of a linear model."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_grad_cam.metrics.road import NoisyLinearImputer, ROADCombined
from torch import nn

from tests.evaluation.linear_model import linear_case
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ordering import relevance_rank
from xai_assets.evaluation.perturbation_curves import Curve
from xai_assets.evaluation.road import NOISE, impute, road_curves, road_score


def picture(seed=0, height=32, width=40):
    return np.random.default_rng(seed).normal(size=(height, width, 3)).astype(np.float32)


def blob(fraction, seed=0, height=32, width=40):
    """A mask of connected holes."""
    rows, columns = np.mgrid[:height, :width]
    field = np.sin(rows / 5 + seed) + np.cos(columns / 6 - seed) + 0.1 * np.sin(rows * columns)
    return field > np.quantile(field, 1 - fraction)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.99])
def test_it_is_the_authors_solution(fraction):
    image, gone = picture(), blob(fraction)
    theirs = NoisyLinearImputer(noise=0)(
        torch.from_numpy(image).permute(2, 0, 1), torch.from_numpy(1.0 - gone.astype(np.float32))
    )
    ours = impute(image, gone)
    np.testing.assert_array_equal(ours[~gone], image[~gone])
    np.testing.assert_allclose(ours, theirs.permute(1, 2, 0).numpy(), atol=NOISE)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.02, 0.98), st.integers(3, 20), st.integers(3, 20))
def test_every_removed_pixel_is_the_mean_of_its_neighbours(seed, fraction, height, width):
    generator = np.random.default_rng(seed)
    image = generator.normal(size=(height, width, 3)).astype(np.float32)
    gone = generator.random((height, width)) < fraction
    gone[0, 0] = False
    found = impute(image, gone)
    assert found[gone].max(initial=image.min()) <= image.max() + 0.01
    for row, column in np.argwhere(gone):
        total, weights = np.zeros(3), 0.0
        for down in (-1, 0, 1):
            for across in (-1, 0, 1):
                beside = (row + down, column + across)
                if (down or across) and 0 <= beside[0] < height and 0 <= beside[1] < width:
                    weight = 1 / 12 if down and across else 1 / 6
                    total, weights = total + weight * found[beside], weights + weight
        np.testing.assert_allclose(weights * found[row, column], total, atol=NOISE / 5)


def test_with_maps_that_do_not_tie_it_is_twice_grad_cams():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 5, stride=3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3), nn.Softmax(1)
    )
    image = picture(2)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None]
    network(batch)
    values = np.random.default_rng(3).permutation(32 * 40).reshape(32, 40).astype(np.float32) / 1280

    def score(pictures):
        with torch.no_grad():
            return network(torch.from_numpy(pictures).permute(0, 3, 1, 2))[:, 1].double().numpy()

    curves = road_curves(
        score, image, relevance_rank(values, values), fractions=[0.1, 0.3, 0.5, 0.7, 0.9], seed=0
    )
    torch.manual_seed(1)  # of their noise
    theirs = ROADCombined(percentiles=[10, 30, 50, 70, 90])(
        batch, values[None], [lambda output: output[1]], network
    )
    assert road_score(curves) == pytest.approx(2 * theirs[0], abs=0.01)


def test_the_oracle_of_a_linear_model_beats_every_other_order():
    model, image = linear_case(height=16, width=16)
    fractions = (0.25, 0.5, 0.75)
    ties = np.zeros((16, 16))

    def measured(values):
        rank = relevance_rank(values, ties)
        return road_score(road_curves(model, image, rank, fractions=fractions, seed=0))

    oracle = model.contributions(image, 0)
    others = [measured(np.random.default_rng(seed).normal(size=(16, 16))) for seed in range(60)]
    assert measured(oracle) > max(others)
    assert measured(-oracle) < min(others)
    assert abs(np.mean(others)) < 4 * np.std(others) / np.sqrt(len(others))  # chance


def test_the_seed_and_the_image_decide_the_noise():
    model, image = linear_case(height=16, width=16)
    rank = relevance_rank(image[..., 0], image[..., 0])

    def scores(**given):
        found = road_curves(model, image, rank, fractions=(0.4, 0.8), **given)
        return np.concatenate([curve.scores for curve in found]).tobytes()

    assert scores(seed=0, image_id="a") == scores(seed=0, image_id="a")
    assert (
        len({scores(seed=0, image_id="a"), scores(seed=1, image_id="a"), scores(seed=0, image_id="b")}) == 3
    )


def test_what_cannot_be_imputed_is_an_error():
    image = picture()
    np.testing.assert_array_equal(impute(image, np.zeros((32, 40), dtype=bool)), image)
    with pytest.raises(EvaluationError, match="no pixel left"):
        impute(image, np.ones((32, 40), dtype=bool))
    with pytest.raises(EvaluationError, match="not finite"):
        impute(image * np.nan, blob(0.5))
    model, small = linear_case()
    rank = relevance_rank(small[..., 0], small[..., 0])
    for fractions in ([0.5], [0.5, 0.2], [0.0, 0.5], [0.5, 1.0]):
        with pytest.raises(EvaluationError, match="fractions"):
            road_curves(model, small, rank, fractions=fractions, seed=0)
    curve = Curve("linear", "morf", np.array([0.2, 0.5]), np.zeros(2))
    with pytest.raises(EvaluationError, match="LeRF"):
        road_score([curve, curve])
