"""How a map becomes a mask, by a named policy that is stored with every mask."""

from typing import Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from xai_assets.attribution.scaling import is_constant, scale
from xai_assets.errors import XaiError

DEFAULT_VALUES = {"fixed": 0.5, "top_area": 0.2}
"""The value of a policy that has one and was given none."""


class BinarisationError(XaiError):
    """A mask that cannot be made as asked."""


class BinarisationPolicy(BaseModel):
    """Which pixels of a map belong to its mask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: Literal["fixed", "top_area", "otsu", "same_area"] = Field(
        "fixed",
        description="fixed: where the map, scaled to 0..1, is at least `value`. top_area: the highest "
        "`value` share of the pixels. otsu: above Otsu's threshold of the scaled map. same_area: as many "
        "of the highest pixels as the reference mask has",
    )
    value: float | None = Field(
        None,
        gt=0,
        le=1,
        description="threshold of fixed (0.5 unless given), share of top_area (0.2 unless given)",
    )

    @model_validator(mode="after")
    def _value_fits(self) -> Self:
        if self.policy in DEFAULT_VALUES:
            if self.value is None:
                object.__setattr__(self, "value", DEFAULT_VALUES[self.policy])
        elif self.value is not None:
            raise ValueError(f"the policy {self.policy} takes no value")
        return self


def binarise(
    values: np.ndarray, policy: BinarisationPolicy, *, reference: np.ndarray | None = None
) -> tuple[np.ndarray, float | None]:
    """The mask of a map, and the threshold on the scaled map that it comes to.

    Args:
        values: h w float, raw or scaled: every policy is unchanged by a positive affine change.
        policy: how.
        reference: h w bool, for same_area only.

    Returns:
        h w bool, and a number in 0..1: pixels of the scaled map that are at least that high are in the mask
        (top_area and same_area may leave out some that are exactly as high, to keep the area). A map that is
        constant or not finite has no pixel that stands out: an empty mask, and None.

    Raises:
        BinarisationError: same_area without a reference of the map's shape.
    """
    values = np.asarray(values)
    if policy.policy == "same_area" and (reference is None or reference.shape != values.shape):
        found = "none" if reference is None else f"one of shape {reference.shape}"
        raise BinarisationError(
            "the policy same_area",
            f"needs a reference mask of shape {values.shape} and got {found}",
            "Give one, or use fixed, top_area or otsu.",
        )
    if is_constant(values) or not np.isfinite(values).all():
        return np.zeros(values.shape, dtype=bool), None
    scaled = scale(values)
    match policy.policy:
        case "top_area":
            assert policy.value is not None
            return _highest(scaled, max(1, round(policy.value * scaled.size)))
        case "same_area":
            assert reference is not None
            return _highest(scaled, int(np.count_nonzero(reference)))
        case "otsu":
            threshold = otsu_threshold(scaled)
        case _:
            assert policy.value is not None
            threshold = policy.value
    return scaled >= threshold, float(threshold)


def highest(values: np.ndarray, count: int) -> np.ndarray:
    """The `count` highest pixels of a map (h w), h w bool; of equal pixels the earlier in row-major order."""
    order = np.argsort(-values, axis=None, kind="stable")
    mask = np.zeros(values.size, dtype=bool)
    mask[order[:count]] = True
    return mask.reshape(values.shape)


def _highest(scaled: np.ndarray, count: int) -> tuple[np.ndarray, float]:
    mask = highest(scaled, count)
    return mask, float(scaled[mask].min()) if count else 1.0


def otsu_threshold(scaled: np.ndarray) -> float:
    """Otsu's threshold (1979) of a map in 0..1 (h w) on 256 grey levels.

    The split that maximises the variance between the two sides; pixels on or above it are foreground. Where
    several splits are as good, the middle of them, so that a map of two plateaus is cut between them.
    """
    levels = np.minimum((scaled * 256).astype(np.int64), 255)  # h w in 0..255
    counts = np.bincount(levels.ravel(), minlength=256).astype(np.float64)
    below = np.cumsum(counts)[:-1]  # split k: levels 0..k | k+1..255
    above = counts.sum() - below
    moments = np.cumsum(counts * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = moments[:-1] / below - (moments[-1] - moments[:-1]) / above
    between = np.where((below > 0) & (above > 0), below * above * difference**2, -1.0)
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float((best[(len(best) - 1) // 2] + 1) / 256)


def density(mask: np.ndarray) -> float:
    """The share of a mask's pixels that are set, in 0..1."""
    return float(np.mean(mask))
