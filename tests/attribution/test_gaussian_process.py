"""The Gaussian process against scikit-learn's, and what its draws and deviations say."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from xai_assets.attribution import gaussian_process
from xai_assets.attribution.gaussian_process import GaussianProcess

POINTS = np.random.default_rng(0).random((60, 5))
KNOWN = np.arange(0, 60, 3)


def smooth(points):
    return np.sin(3 * points[:, 0]) + points[:, 1] ** 2


def test_it_is_scikit_learns_with_the_same_kernel(monkeypatch):
    monkeypatch.setattr(gaussian_process, "LENGTHS", (0.8,))
    monkeypatch.setattr(gaussian_process, "SLOPES", (0.0,))
    monkeypatch.setattr(gaussian_process, "NOISES", (1e-3,))
    found = GaussianProcess(POINTS).given(KNOWN, smooth(POINTS[KNOWN]))
    spread = np.sqrt(2 * POINTS.var(axis=0).sum())
    values = smooth(POINTS[KNOWN])
    scaled = (values - values.mean()) / values.std()
    kernel = RBF(0.8 * spread) + ConstantKernel(5.0)
    correlation = kernel(POINTS[KNOWN]) + 1e-3 * np.eye(len(KNOWN))
    variance = scaled @ np.linalg.solve(correlation, scaled) / len(KNOWN)
    reference = GaussianProcessRegressor(
        ConstantKernel(variance) * kernel, alpha=variance * 1e-3, optimizer=None
    ).fit(POINTS[KNOWN], scaled)
    mean, deviation = reference.predict(POINTS, return_std=True)
    np.testing.assert_allclose(found.mean, values.mean() + values.std() * mean, rtol=1e-6)
    with_noise = values.std() * np.sqrt(deviation**2 + variance * 1e-3)
    np.testing.assert_allclose(found.deviation, with_noise, rtol=1e-5)


def test_the_most_likely_noise_of_a_noisy_function_is_the_largest():
    generator = np.random.default_rng(1)
    points = generator.random((200, 2))
    exact = GaussianProcess(points).given(np.arange(150), smooth(points[:150]))
    noisy = GaussianProcess(points).given(
        np.arange(150), smooth(points[:150]) + generator.normal(0, 0.3, 150)
    )
    assert noisy.deviation[150:].mean() > 5 * exact.deviation[150:].mean()
    assert np.abs(exact.mean[150:] - smooth(points[150:])).max() < 0.02


def test_a_linear_function_is_found_from_a_few_more_points_than_dimensions():
    points = np.random.default_rng(2).random((300, 20))
    values = points @ np.arange(20.0)
    found = GaussianProcess(points).given(np.arange(40), values[:40])
    assert np.abs(found.mean - values).max() < 0.02 * np.ptp(values)


def test_the_covariance_has_the_deviations_and_close_points_vary_together():
    found = GaussianProcess(np.concatenate([POINTS, POINTS[:1] + 1e-3])).given(
        KNOWN[1:], smooth(POINTS[KNOWN[1:]])
    )
    some = np.array([0, 1, 10, 60])
    covariance = found.covariance(some)
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), found.deviation[some], rtol=1e-6)
    assert covariance[0, 3] > 0.9 * covariance[0, 0]
    assert np.linalg.eigvalsh(covariance).min() > 0


@pytest.mark.parametrize("value", [0.0, -7.5])
def test_equal_values_predict_that_value(value):
    found = GaussianProcess(POINTS).given(KNOWN, np.full(len(KNOWN), value))
    np.testing.assert_allclose(found.mean, value, atol=1e-9)
    assert found.deviation.max() < 1e-3
