"""LIME's stability indices: by hand, and the intervals by how often they hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.linear_model import LinearRegression

from xai_assets.attribution.lime_regression import ridge
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.lime_stability import (
    coefficient_errors,
    coefficients_stability,
    mean_pairwise_iou,
    top_features,
    variables_stability,
)

RUNS = arrays.arrays(np.float64, (3, 8), elements=st.floats(-1, 1))


def test_by_hand():
    runs = [np.array([5.0, -4, 3, 0, 0]), np.array([5.0, -4, 0, 3, 0]), np.array([0.0, -4, 3, 5, 0])]
    # {0 1 2}, {0 1 3}, {1 2 3}: two in common in each pair.
    assert variables_stability(runs, 3) == pytest.approx(2 / 3)
    narrow = [np.full(5, 0.1)] * 3
    # 0: runs 0 and 1 agree. 1: all agree. 2: runs 0 and 2 agree. 3: runs 1 and 2 are 3 and 5.
    assert coefficients_stability(runs, narrow, 3) == pytest.approx(3 / 4)
    # Intervals of 2 - 1.96 · 0.6 · 2 < 0 overlap.
    assert coefficients_stability(runs, [np.full(5, 0.6)] * 3, 3) == 1
    assert top_features(runs[1], 4).tolist() == [0, 1, 3]


@given(RUNS, st.integers(1, 10))
def test_runs_that_agree_have_1_and_all_lie_in_0_to_1(runs, features):
    errors = [np.full(8, 0.05)] * 3
    for found in (
        variables_stability(list(runs), features),
        coefficients_stability(list(runs), errors, features),
    ):
        assert found is None or 0 <= found <= 1
    if np.count_nonzero(runs[0]) >= min(features, 8):
        assert variables_stability([runs[0]] * 3, features) == 1
        assert coefficients_stability([runs[0]] * 3, errors, features) == 1


def test_random_features_recur_as_often_as_chance_says():
    generator = np.random.default_rng(0)
    found = [variables_stability(list(generator.normal(size=(2, 20))), 5) for _ in range(600)]
    assert np.mean(found) == pytest.approx(5 / 20, abs=0.03)


def test_the_intervals_hold_the_truth_95_times_of_100():
    generator = np.random.default_rng(1)
    truth = np.array([0.3, -0.2, 0.0, 0.1])
    hits = []
    for _ in range(300):
        rows = generator.integers(0, 2, (60, 4))
        weights = generator.uniform(0.2, 1, 60)
        scores = rows @ truth + 0.5 + generator.normal(size=60) * 0.1 / np.sqrt(weights)
        coefficients, _ = ridge(rows.astype(float), scores[:, None], weights, 1e-9)
        errors = coefficient_errors(rows, scores, weights, 1e-9)
        hits.append(np.abs(coefficients[:, 0] - truth) < 1.96 * errors)
    assert np.mean(hits) == pytest.approx(0.95, abs=0.02)


def test_the_errors_are_those_of_least_squares_and_the_penalty_shrinks_them():
    generator = np.random.default_rng(2)
    rows = generator.integers(0, 2, (50, 3))
    scores = generator.normal(size=50)
    found = coefficient_errors(rows, scores, np.ones(50), 0.0)
    design = np.column_stack([np.ones(50), rows])
    residual = scores - LinearRegression().fit(rows, scores).predict(rows)
    covariance = (residual @ residual) / (50 - 4) * np.linalg.inv(design.T @ design)
    np.testing.assert_allclose(found, np.sqrt(np.diag(covariance))[1:])
    assert (coefficient_errors(rows, scores, np.ones(50), 5.0) < found).all()


def test_masks():
    one = np.zeros((4, 4), dtype=bool)
    one[:2] = True
    other = np.zeros((4, 4), dtype=bool)
    other[1:3] = True
    assert mean_pairwise_iou([one, one, other]) == pytest.approx((1 + 1 / 3 + 1 / 3) / 3)
    assert mean_pairwise_iou([one & False, one & False]) is None


def test_what_cannot_be_compared_is_none_or_an_error():
    zeros = np.zeros(4)
    assert variables_stability([zeros, np.ones(4)], 2) is None
    assert coefficients_stability([zeros, zeros], [zeros, zeros], 2) is None
    for runs in ([np.ones(4)], [np.ones(4), np.ones(5)]):
        with pytest.raises(EvaluationError, match="runs"):
            variables_stability(runs, 2)
    with pytest.raises(EvaluationError, match="5 samples"):
        coefficient_errors(np.ones((5, 4)), np.ones(5), np.ones(5), 1.0)
