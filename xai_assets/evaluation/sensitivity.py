"""How far a map moves when its picture hardly does (Yeh et al. 2019), beside how far it moves by itself."""

from collections.abc import Callable, Sequence

import numpy as np

from xai_assets.evaluation.cases import check_shape
from xai_assets.evaluation.errors import EvaluationError

Explain = Callable[[np.ndarray], np.ndarray]
"""A method on one class of one model: h w 3 uint8, what the model sees -> h w float, the raw map."""


def noisy_views(view: np.ndarray, *, radius: int, samples: int, seed: int) -> list[np.ndarray]:
    """Copies of a view (h w 3 uint8), each channel of each pixel moved by at most `radius` levels of 255.

    Uniform on the ball of the largest change, as in captum's default; at 0 and 255 the change is cut off, for a
    picture has no other values.
    """
    generator = np.random.default_rng([seed, radius])
    noise = generator.integers(-radius, radius, size=(samples, *view.shape), endpoint=True)
    return [np.clip(view + one, 0, 255).astype(np.uint8) for one in noise]


def max_sensitivity(
    explain: Explain, view: np.ndarray, values: np.ndarray, *, radius: int, samples: int, seed: int
) -> float | None:
    """The largest relative change of a map under small noise on its picture, at least 0.

    max over the samples of |map(view + noise) - map(view)| / |map(view)|, Euclidean norms: Yeh et al. 2019 by Monte
    Carlo, relative to the map's own norm as in captum's `sensitivity_max`. More samples can only raise it: compare
    values of the same `samples` and `radius` only.

    Args:
        explain: the method. What it draws by chance must be the same at every call, or be part of the noise floor.
        view: h w 3 uint8.
        values: h w float, the map of the view.
        radius: levels of 255.
        samples: noisy copies.
        seed: of the noise.

    Returns:
        None where the map is 0 everywhere or not finite, or one of a noisy copy is not finite.

    Raises:
        EvaluationError: no samples, or maps of different shapes.
    """
    if samples < 1:
        raise EvaluationError("max-sensitivity", f"was asked for {samples} samples", "Give at least 1.")
    moved = [explain(noisy) for noisy in noisy_views(view, radius=radius, samples=samples, seed=seed)]
    return largest_change(values, moved)


def largest_change(values: np.ndarray, others: Sequence[np.ndarray]) -> float | None:
    """The largest of |other - values| / |values| over other maps; None as for `max_sensitivity`.

    With maps of the same view and other seeds of the method this is the noise floor: what the method's own chance
    moves. A max-sensitivity below it says nothing of the picture.

    Raises:
        EvaluationError: maps of different shapes.
    """
    check_shape(values, *others)
    exact = values.astype(np.float64)
    norm = float(np.linalg.norm(exact))
    changes = [float(np.linalg.norm(other.astype(np.float64) - exact)) for other in others]
    if not norm or not np.isfinite([norm, *changes]).all():
        return None
    return max(changes, default=0.0) / norm


def redrawn(values: np.ndarray, others: Sequence[np.ndarray]) -> float | None:
    """How far a map would move if it were drawn anew: the mean of |other - values| / |values| over maps of other images.

    Each other map is brought to the mean and the spread of this one first, so that only where it has its evidence
    differs. With the norm and offset of `max_sensitivity`: of maps that have nothing in common it is √2 times the map's
    spread over its norm.

    Args:
        values: h w float, the map.
        others: maps of other images by the same method, h w each; those of one value are left out.

    Returns:
        None where the map has one value only or is not finite, or where there is no other.

    Raises:
        EvaluationError: maps of different shapes.
    """
    check_shape(values, *others)
    exact = values.astype(np.float64)
    shown = [other.astype(np.float64) for other in others]
    shown = [other for other in shown if np.isfinite(other).all() and other.std() > 0]
    if not shown or not np.isfinite(exact).all() or exact.std() == 0:
        return None
    mean, spread = exact.mean(), exact.std()
    distances = [
        np.linalg.norm((other - other.mean()) / other.std() * spread + mean - exact) for other in shown
    ]
    return float(np.mean(distances) / np.linalg.norm(exact))
