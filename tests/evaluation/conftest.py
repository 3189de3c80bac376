"""Constructed maps for the tests of this room."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

from xai_assets.attribution.maps import AttributionMap, flags_of
from xai_assets.vision.geometry import Frame


@pytest.fixture
def make_map() -> Callable[..., AttributionMap]:
    def make(values: np.ndarray, method: str = "gradcam", **changes) -> AttributionMap:
        values = np.asarray(values, dtype=np.float32)
        height, width = values.shape
        frame = Frame((height, width), (height, width), (0.0, 0.0, float(height), float(width)), "native")
        found = AttributionMap(
            values=values, method=method, image_id="a", target=3, target_name="bird", layer="layer4",
            frame=frame, parameters={}, seed=0, flags=flags_of(values),
        )  # fmt: skip
        return dataclasses.replace(found, **changes)

    return make
