"""The calibration error is torchmetrics'; calibrated models are called otherwise in at most 5 %."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from xai_assets.evaluation import calibration
from xai_assets.evaluation.calibration import BINS, calibration_error, reliability_curve


def drawn(seed, n, sharpen=1.0):
    generator = np.random.default_rng(seed)
    truth = generator.uniform(0.4, 1, n)
    return truth**sharpen, generator.random(n) < truth


@pytest.mark.parametrize("n", [7, 60, 2000])
def test_it_is_that_of_torchmetrics(n):
    probability, correct = drawn(n, n)
    theirs = binary_calibration_error(
        torch.tensor(probability), torch.tensor(correct.astype(int)), n_bins=BINS, norm="l1"
    )
    assert calibration_error(probability, correct, seed=0).value == pytest.approx(float(theirs), abs=1e-6)


def test_the_curve_holds_every_image_once_and_comes_to_the_error():
    probability, correct = drawn(1, 300)
    curve = reliability_curve(np.append(probability, [0.0, 1.0]), np.append(correct, [False, True]))
    assert curve["n"].sum() == 302
    assert ((curve["bin_low"] <= curve["probability"]) & (curve["probability"] <= curve["bin_high"])).all()
    error = (curve["n"] * (curve["correct"] - curve["probability"]).abs()).sum() / 302
    assert error == pytest.approx(
        calibration_error(np.append(probability, [0.0, 1.0]), np.append(correct, [False, True]), seed=0).value
    )


def test_a_calibrated_model_is_rarely_called_otherwise(monkeypatch):
    monkeypatch.setattr(calibration, "SIMULATIONS", 199)
    p = [calibration_error(*drawn(seed, 100), seed=seed).p for seed in range(300)]
    assert np.mean(np.array(p) < 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_few_images_have_a_large_error_without_a_fault():
    probability, correct = drawn(5, 20)
    found = calibration_error(probability, correct, seed=0)
    assert found.calibrated > 0.1 and found.p > 0.05


def test_an_overconfident_model_is_told():
    probability, correct = drawn(2, 500, sharpen=0.3)
    found = calibration_error(probability, correct, seed=0)
    assert found.value > 2 * found.calibrated and found.p < 0.001
