"""The class score as an image's pixels are replaced by a baseline, in the order of a map's relevance.

MoRF takes the most relevant pixels first, LeRF the least relevant (Samek et al. 2017). Deletion (Petsiuk et al. 2018,
RISE) is MoRF. Insertion starts from the baseline and puts the most relevant pixels back: with a fraction f put back
it shows what LeRF shows with 1 - f gone. So with one baseline the insertion curve is the LeRF curve read from the
right, and both have one area: insertion less deletion is the symmetric relevance gain (Bluecher et al. 2024).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ordering import removed

Score = Callable[[np.ndarray], np.ndarray]
"""A model and a class: n h w 3 float32, normalised pictures -> n float64, their scores."""

Order = Literal["morf", "lerf"]
ORDERS: tuple[Order, ...] = ("morf", "lerf")

BASELINES = ("blur", "mean")
"""What `baselines` gives."""

BLUR_WIDTH = 1 / 16
"""Width of the Gaussian of the baseline `blur`, a share of the longer side: about the 11 of 224 pixels of RISE."""


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        baseline: what stands in the place of removed pixels.
        order: morf or lerf.
        fractions: of the pixels that are gone, k float64, rising.
        scores: of what is left, k float64.
    """

    baseline: str
    order: Order
    fractions: np.ndarray
    scores: np.ndarray

    @property
    def area(self) -> float:
        """The area below it by trapezoids, over the range of its fractions: a mean score."""
        width = self.fractions[-1] - self.fractions[0]
        return float(np.trapezoid(self.scores, self.fractions) / width)


def baselines(image: np.ndarray) -> dict[str, np.ndarray]:
    """What pixels are replaced by, by name: `blur`, the image blurred, and `mean`, its own mean colour.

    Blurring leaves colours and what is coarse, and hardly leaves the pictures that a network knows; one flat colour
    takes all away, but its borders are edges that no photograph has. A result that holds with one only is weak.

    Args:
        image: h w 3 float32, normalised.
    """
    sigma = BLUR_WIDTH * max(image.shape[:2])
    blurred = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    mean = image.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    return {
        "blur": np.asarray(blurred, dtype=np.float32),
        "mean": np.broadcast_to(mean, image.shape),
    }


def fractions_of(steps: int) -> np.ndarray:
    """The fractions removed, steps + 1 of them from 0 to 1.

    Raises:
        EvaluationError: fewer than 1 step.
    """
    if steps < 1:
        raise EvaluationError("a perturbation curve", f"cannot have {steps} steps", "Give at least 1.")
    return np.linspace(0, 1, steps + 1)


def perturbation_curves(
    score: Score,
    image: np.ndarray,
    rank: np.ndarray,
    replaced_by: Mapping[str, np.ndarray],
    *,
    steps: int,
    full: float,
    empty: Mapping[str, float],
) -> list[Curve]:
    """The MoRF and LeRF curves of one map with each baseline.

    Args:
        score: the model and the class.
        image: h w 3 float32, normalised.
        rank: h w int64, from `relevance_rank`.
        replaced_by: by name, h w 3 float32.
        steps: equal parts of the pixels; 2 (steps - 1) pictures are scored a baseline.
        full: the score of the image, the curves' left end.
        empty: the score of each baseline, their right end. Both ends are the same for all maps of an image.

    Raises:
        EvaluationError: fewer than 1 step.
    """
    fractions = fractions_of(steps)
    inner = fractions[1:-1]
    wanted: list[tuple[str, Order]] = [(name, order) for name in replaced_by for order in ORDERS]
    if len(inner) == 0:
        scores = np.empty((len(wanted), 0))
    else:
        pictures = [
            without(image, replaced_by[name], removed(rank, fraction, most_relevant_first=order == "morf"))
            for name, order in wanted
            for fraction in inner
        ]
        scores = score(np.stack(pictures)).reshape(len(wanted), len(inner))
    return [
        Curve(name, order, fractions, np.concatenate([[full], found, [empty[name]]]))
        for (name, order), found in zip(wanted, scores, strict=True)
    ]


def without(image: np.ndarray, baseline: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """The image (h w 3) with the baseline (h w 3) where pixels are gone (h w bool)."""
    return np.where(gone[..., None], baseline, image)


def gain(curves: Iterable[Curve]) -> float:
    """The symmetric relevance gain of a MoRF and a LeRF curve with one baseline: LeRF's area less MoRF's.

    Bluecher et al. 2024, on the class score as given (the paper ranks by it, whatever the score is). Of maps in a
    random order the expected gain is 0, whatever model and baseline: reversing such an order gives another such.

    Raises:
        EvaluationError: not one curve of each order, or two baselines.
    """
    found = list(curves)
    by_order = {curve.order: curve for curve in found}
    if len(found) != 2 or set(by_order) != set(ORDERS) or len({curve.baseline for curve in found}) != 1:
        raise EvaluationError(
            "the symmetric relevance gain",
            f"needs a MoRF and a LeRF curve of one baseline, and got {len(found)} curves",
            "Give both curves of one baseline.",
        )
    return by_order["lerf"].area - by_order["morf"].area
