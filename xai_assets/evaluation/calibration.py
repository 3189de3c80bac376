"""Whether a classifier's probabilities say how often it is right: reliability curve and expected calibration error.

The error (ECE, Guo et al. 2017, arXiv:1706.04599; Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602) is the mean over
images of the distance between a bin's share of right answers and its mean probability. It is biased: a perfectly
calibrated model has an error above 0, the more the fewer images a bin has. So it is read beside the error of answers that
are right exactly as often as their probabilities say, and there is no interval around it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from xai_assets.evaluation.comparison import interval_columns
from xai_assets.evaluation.intervals import share_interval

BINS = 15
"""Bins of equal width over 0..1, each with its upper end, as Guo et al. and torchmetrics have them."""

SIMULATIONS = 4999
"""Draws of right and wrong answers from the stated probabilities; the smallest p is 1 / 5,000."""

COLUMNS = ("bin", "bin_low", "bin_high", "probability", "correct", "low", "high", "interval", "n", "excluded")


@dataclass(frozen=True)
class CalibrationError:
    """The expected calibration error beside that of a calibrated model.

    Attributes:
        value: 0..1.
        calibrated: its mean where answers are right as often as their probabilities say.
        p: share of simulations with an error as large (the observed one counted among them).
        n: images.
    """

    value: float
    calibrated: float
    p: float
    n: int


def reliability_curve(probability: np.ndarray, correct: np.ndarray) -> pd.DataFrame:
    """COLUMNS, one row a bin that has images: mean probability, share of right answers with its exact interval.

    Args:
        probability: n float64, 0..1, of the predicted class.
        correct: n bool.
    """
    bins = _bins(probability)
    rows = []
    for number in np.unique(bins):
        inside = bins == number
        found = share_interval(correct[inside].astype(float).tolist())
        rows.append(
            {
                "bin": int(number) + 1,
                "bin_low": number / BINS,
                "bin_high": (number + 1) / BINS,
                "probability": float(probability[inside].mean()),
                "correct": found.mean,
                **interval_columns(found),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def calibration_error(probability: np.ndarray, correct: np.ndarray, *, seed: int) -> CalibrationError:
    """The expected calibration error, and how far it is above that of a calibrated model.

    Args:
        probability: n float64, 0..1, of the predicted class; n at least 1.
        correct: n bool.
        seed: of the simulations.
    """
    bins = _bins(probability)
    value = _error(bins, probability, correct)
    generator = np.random.default_rng(seed)
    drawn = np.array(
        [
            _error(bins, probability, generator.random(len(probability)) < probability)
            for _ in range(SIMULATIONS)
        ]
    )
    p = (1 + int((drawn >= value - 1e-12).sum())) / (SIMULATIONS + 1)
    return CalibrationError(value, float(drawn.mean()), p, len(probability))


def _bins(probability: np.ndarray) -> np.ndarray:
    """The number of each probability's bin from 0; 0 is in the first."""
    return np.clip(np.ceil(probability * BINS).astype(int) - 1, 0, BINS - 1)


def _error(bins: np.ndarray, probability: np.ndarray, correct: np.ndarray) -> float:
    """Of each bin the distance of its sums, over all images."""
    return float(np.abs(np.bincount(bins, weights=correct - probability)).sum() / len(probability))
