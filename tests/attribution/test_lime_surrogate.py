"""Distances, regressions and the choice of superpixels, against scikit-learn and the library's own loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lime.lime_base import LimeBase
from sklearn import linear_model
from sklearn.metrics import pairwise_distances, r2_score

from xai_assets.attribution.lime_regression import effective_samples, r_squared, regress
from xai_assets.attribution.lime_surrogate import closeness, distances, fit
from xai_assets.attribution.parameters import Lasso, LimeParameters, Linear, Ridge

METRICS = ("cosine", "euclidean", "l2", "manhattan", "l1", "cityblock", "hamming")
SKLEARN = {
    "ridge": (Ridge(alpha=0.7), linear_model.Ridge(alpha=0.7)),
    "linear": (Linear(), linear_model.LinearRegression()),
    "lasso": (Lasso(alpha=0.004), linear_model.Lasso(alpha=0.004)),
}


def samples(seed: int, count: int = 80, superpixels: int = 12, labels: int = 3):
    random = np.random.default_rng(seed)
    rows = random.integers(0, 2, size=(count, superpixels), dtype=np.uint8)
    rows[0] = 1
    scores = rows @ random.normal(size=(superpixels, labels)) / 20 + 0.5
    return rows, scores + random.normal(scale=0.02, size=scores.shape), random.uniform(0.01, 1, size=count)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("superpixels", [1, 2, 37])
def test_distances_are_scikit_learns(metric, superpixels):
    rows = np.random.default_rng(0).integers(0, 2, size=(50, superpixels))
    rows[0], rows[1] = 1, 0
    expected = pairwise_distances(rows, rows[:1], metric=metric).ravel()
    np.testing.assert_allclose(distances(rows.astype(np.uint8), metric), expected, atol=1e-12)


def test_an_unknown_distance_is_an_error():
    with pytest.raises(ValueError, match="minkowski"):
        distances(np.ones((2, 2), dtype=np.uint8), "minkowski")


@pytest.mark.parametrize("name", SKLEARN)
@pytest.mark.parametrize("count", [80, 6], ids=["many samples", "fewer samples than superpixels"])
def test_regressions_are_scikit_learns(name, count):
    rows, scores, weights = samples(1, count)
    ours, theirs = SKLEARN[name]
    coefficients, intercepts = regress(rows.astype(float), scores, weights, ours)
    for label in range(scores.shape[1]):
        theirs.fit(rows, scores[:, label], sample_weight=weights)
        np.testing.assert_allclose(coefficients[:, label], theirs.coef_, atol=1e-9)
        assert intercepts[label] == pytest.approx(theirs.intercept_, abs=1e-9)


def test_r2_is_scikit_learns_where_there_is_something_to_explain():
    _, scores, weights = samples(2)
    guess = scores + np.random.default_rng(0).normal(scale=0.1, size=scores.shape)
    scores[:, 1] = guess[:, 1] = 0.3  # does not vary, and is met
    scores[:, 2], guess[:, 2] = 0.3, 0.4  # does not vary, and is missed
    expected = r2_score(scores, guess, sample_weight=weights, multioutput="raw_values")
    found = r_squared(scores, guess, weights)
    np.testing.assert_allclose(np.delete(found, [1, 2]), np.delete(expected, [1, 2]), atol=1e-12)
    assert np.isnan(found[1:3]).all() and expected[1:3].tolist() == [1.0, 0.0]
    weights[1:] = 1e-12  # one sample counts, and any model meets it
    assert np.isnan(r_squared(scores, guess, weights)).all()
    assert effective_samples(weights) == pytest.approx(1)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    num_features=st.integers(1, 14),
    selection=st.sampled_from(["auto", "forward_selection", "highest_weights", "lasso_path", "none"]),
)
def test_superpixels_and_weights_are_the_librarys(seed, num_features, selection):
    rows, scores, _ = samples(seed, count=40, superpixels=9, labels=2)
    parameters = LimeParameters(num_features=num_features, feature_selection=selection, kernel_width=0.4)
    library = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / 0.4**2)), random_state=0)
    apart = pairwise_distances(rows, rows[:1], metric="cosine").ravel()
    for found in fit(rows, scores, [1, 0], parameters):
        intercept, weights, score, predicted = library.explain_instance_with_data(
            rows, scores, apart, found.target, num_features, feature_selection=selection
        )
        assert [int(superpixel) for superpixel, _ in weights] == found.used.tolist()
        expected = np.zeros(9)
        expected[[superpixel for superpixel, _ in weights]] = [weight for _, weight in weights]
        np.testing.assert_allclose(found.weights, expected, atol=1e-9)
        assert found.intercept == pytest.approx(intercept, abs=1e-9)
        assert found.r2 == pytest.approx(score, abs=1e-9)
        assert found.surrogate_probability == pytest.approx(predicted[0], abs=1e-9)
        assert found.probability == scores[0, found.target]


def test_labels_do_not_disturb_each_other():
    rows, scores, _ = samples(3, labels=4)
    for parameters in (LimeParameters(), LimeParameters(num_features=4), LimeParameters(num_features=8)):
        together = fit(rows, scores, [2, 0, 3], parameters)
        for found in together:
            (alone,) = fit(rows, scores, [found.target], parameters)
            np.testing.assert_allclose(found.weights, alone.weights, atol=1e-12)
            np.testing.assert_array_equal(found.used, alone.used)


def test_of_equal_superpixels_the_first_is_chosen():
    rows, scores, _ = samples(4, superpixels=6)
    rows = np.concatenate([rows, rows, rows[:, ::-1]], axis=1)
    scores[:, 0] = rows[:, 2] * 0.5 + rows[:, 4] * 0.3 + 0.1
    (found,) = fit(rows, scores, [0], LimeParameters(num_features=2))
    assert found.used.tolist() == [2, 4]


def test_a_score_that_never_changes_gives_no_weights():
    rows, scores, _ = samples(5)
    scores[:] = 0.1 + 0.2  # not a sum that floating point gives back
    for features in (None, 3, 8):
        (found,) = fit(rows, scores, [1], LimeParameters(num_features=features))
        assert not found.weights.any()
        assert (found.intercept, found.r2) == (0.1 + 0.2, None)  # nothing was explained, well or badly


def test_the_lasso_leaves_out_what_says_little():
    rows, scores, _ = samples(6)
    scores[:, 0] = 0.4 * rows[:, 3] + 0.2
    (found,) = fit(rows, scores, [0], LimeParameters(model_regressor="lasso"))
    assert np.flatnonzero(found.weights).tolist() == [3]
    assert 0.3 < found.weights[3] < 0.4


def test_a_wide_kernel_counts_all_samples_alike():
    rows, _, _ = samples(7)
    np.testing.assert_allclose(closeness(rows, LimeParameters(kernel_width=1e6)), 1.0, atol=1e-9)
    narrow = closeness(rows, LimeParameters(kernel_width=0.01))
    assert narrow[0] == 1
    assert narrow[1:].max() < 0.1
