"""Is a unit's best score more than chance gives? Permutation p-values, z-scores, false-discovery rates."""

from dataclasses import dataclass

import numpy as np

from xai_assets.errors import XaiError

FALSE_DISCOVERY_RATE = 0.05
"""Of the units that count in a layer, so many on average may count by chance."""


@dataclass(frozen=True)
class Significance:
    """How far each unit's best score stands out from a null; every array is float64 (u,).

    Attributes:
        null_mean, null_std: of the null's scores (sample standard deviation).
        z: (score - null_mean) / null_std; NaN where the null does not vary.
        p: permutation p-value, at least 1 / (draws + 1).
        q: the smallest false-discovery rate at which the unit counts as a discovery among the living ones; NaN for
            the others.
    """

    null_mean: np.ndarray
    null_std: np.ndarray
    z: np.ndarray
    p: np.ndarray
    q: np.ndarray


def significance(observed: np.ndarray, null: np.ndarray, living: np.ndarray) -> Significance:
    """All of it for the units of one layer.

    Args:
        observed: (u,), each unit's best score; those of units that do not live are not looked at.
        null: (r,), one null for all units, or (r, u), one null a unit.
        living: bool (u,).

    Raises:
        XaiError: fewer than two draws, or values of living units that are not finite.
    """
    observed = np.where(living, observed, 0.0)
    draws = _draws(observed, null)
    p = permutation_p(observed, null)
    return Significance(
        np.broadcast_to(draws.mean(axis=0), observed.shape),
        np.broadcast_to(draws.std(axis=0, ddof=1), observed.shape),
        z_score(observed, null),
        p,
        false_discovery_q(p, living),
    )


def permutation_p(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Share of a null that is at least as large, the observed value counted in: float64 (u,), in 1 / (r + 1)..1.

    p = (1 + #{null >= observed}) / (1 + r), which is valid for any number of draws (Phipson & Smyth 2010).

    Args:
        observed: (u,).
        null: (r,) for all units, or (r, u).

    Raises:
        XaiError: shapes that do not fit, fewer than two draws, values that are not finite.
    """
    draws = _draws(observed, null)
    return (1 + (draws >= observed).sum(axis=0)) / (1 + len(draws))  # r u -> u


def z_score(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Distance from the null's mean in its sample standard deviations: float64 (u,); NaN where the null is constant.

    Args:
        observed: (u,).
        null: (r,) for all units, or (r, u).

    Raises:
        XaiError: as `permutation_p`.
    """
    draws = _draws(observed, null)
    varies = np.ptp(draws, axis=0) > 0  # the deviation of equal numbers is not exactly 0
    spread = np.where(varies, draws.std(axis=0, ddof=1), np.nan)
    return (observed - draws.mean(axis=0)) / spread


def false_discovery_q(p: np.ndarray, living: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q-values over the living units: float64 (u,), NaN where a unit does not live.

    q_(i) = min over j >= i of p_(j) m / j, for the m living units in the order of their p (Benjamini & Hochberg 1995).
    It holds for independent p-values and for positively dependent ones, as those of one shared null are.

    Args:
        p: (u,), p-values; those of units that do not live are not looked at.
        living: bool (u,).

    Raises:
        XaiError: a living unit's p-value that is not in 0..1.
    """
    living = np.asarray(living, bool)
    values = np.asarray(p, np.float64)[living]
    if not ((values >= 0) & (values <= 1)).all():
        raise XaiError("the p-values", "some are not between 0 and 1", "Find where they come from.")
    count, order = len(values), np.argsort(values, kind="stable")
    stepped = values[order] * count / np.arange(1, count + 1)
    found = np.empty(count)
    found[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1)
    q = np.full(len(living), np.nan)
    q[living] = found
    return q


def _draws(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """The null as float64 (r, u) or (r, 1), checked."""
    draws = np.asarray(null, np.float64)
    draws = draws[:, None] if draws.ndim == 1 else draws
    if draws.ndim != 2 or draws.shape[1] not in (1, len(observed)):
        raise XaiError(
            "the null",
            f"it has shape {np.shape(null)}, the observed values {np.shape(observed)}",
            "Give (draws,) or (draws, units).",
        )
    if len(draws) < 2:
        raise XaiError("the null", f"it has {len(draws)} draws", "Draw at least two, better a thousand.")
    if not (np.isfinite(draws).all() and np.isfinite(observed).all()):
        raise XaiError(
            "the observed values or their null", "some are not finite", "Find where they come from."
        )
    return draws
