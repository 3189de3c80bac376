"""An attribution map: the numbers, and everything one must know to compare them with others."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.scaling import is_constant, scale
from xai_assets.attribution.targets import Target
from xai_assets.attribution.wording import in_words
from xai_assets.vision.geometry import Frame

CONSTANT = "constant"
"""Flag: all values are the same, so that the map shows nothing."""

NON_FINITE = "non_finite"
"""Flag: some values are NaN or infinite."""

SIGNED_LAYER = "signed_layer"
"""Flag: much of the target layer's energy lies in negative values, which the method reads as absence."""

NO_FIT = "no_fit"
"""Flag: LIME's surrogate explains nothing: the predictions did not vary, or too few samples counted."""


@dataclass(frozen=True)
class AttributionMap:
    """Where a classifier looked for one class in one image, or for one class rather than another.

    Attributes:
        values: h w float32, raw (before any per-image scaling), in the model's frame.
        method: one of `xai_assets.attribution.explain.METHODS`.
        image_id: the image's name.
        target: index of the target class.
        target_name: its name.
        layer: the target layer's module path; None for methods that have none.
        frame: how the model's frame lies in the original image.
        parameters: the method's parameters, as JSON has them.
        seed: of every random choice.
        flags: any of `constant`, `non_finite`, `signed_layer`, `no_fit`.
        extras: further arrays that the method leaves: see `cams` and `lime`.
        details: further numbers that the method leaves, as JSON has them.
        contrast: of the difference of two classes, the index of the second; None: the map is of one class.
        contrast_name: its name.
    """

    values: np.ndarray
    method: str
    image_id: str
    target: int
    target_name: str
    layer: str | None
    frame: Frame
    parameters: Mapping[str, Any]
    seed: int
    flags: tuple[str, ...] = ()
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    contrast: int | None = None
    contrast_name: str | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise AttributionError(
                f"the {self.method} map of {self.image_id}",
                f"is {self.values.dtype} of shape {self.values.shape}",
                "A map is float32 of shape (h, w).",
            )

    def scaled(self) -> np.ndarray:
        """The map from its minimum to its maximum onto 0..1, h w float32; all zeros when it is constant.

        Values that are not finite become 0. The absolute evidence is lost here: two scaled maps of different
        images do not say which had more of it.
        """
        return scale(self.values)

    def in_frame(self, frame: Frame) -> "AttributionMap":
        """The map as it lies in another frame of the same image: what must be done before it is compared there.

        Each pixel is the mean over its footprint, see `Frame.bring`; the same frame gives the map itself. Extras,
        which lie in the method's own grid, stay with the original map.

        Raises:
            AttributionError: the other frame is of another picture, or sees what this map does not; or the map has
                values that are not finite.
        """
        if frame == self.frame:
            return self
        try:
            values = self.frame.bring(self.values, frame)
        except ValueError as error:
            raise AttributionError(
                f"the {self.method} map of {self.image_id}",
                f"cannot be brought into another frame: {error}",
                "Bring the map of the wider frame into the narrower one.",
            ) from error
        return replace(self, values=values, frame=frame, flags=flags_of(values), extras={})

    @property
    def asked(self) -> Target:
        """What was explained."""
        return Target(self.target, self.contrast)

    @property
    def named(self) -> str:
        """The same for people: "beacon", or "beacon rather than vulture"."""
        return in_words(self.target_name, self.contrast_name)

    @property
    def usable(self) -> bool:
        """Whether the map says where: it is neither constant nor in part not finite, and something was explained."""
        return not {CONSTANT, NON_FINITE, NO_FIT} & set(self.flags)


def flags_of(values: np.ndarray) -> tuple[str, ...]:
    """The flags of a raw map (h w float): `constant` when its finite values are one, `non_finite`."""
    found = (CONSTANT,) if is_constant(values) else ()
    return found if np.isfinite(values).all() else (*found, NON_FINITE)
