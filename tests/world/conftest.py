"""Descriptions that several tests look at: decided once."""

import cv2
import numpy as np
import pytest

from xai_assets.world.description import describe
from xai_assets.world.pose import placed_parts, silhouette
from xai_assets.world.scene import SceneDescription

cv2.setNumThreads(1)


@pytest.fixture(scope="session")
def many() -> list[SceneDescription]:
    """Enough scenes to see whether one choice tells another."""
    return [describe("train", index) for index in range(100_000, 101_000)]


@pytest.fixture(scope="session")
def masks(many: list[SceneDescription]) -> np.ndarray:
    """The pixels of each target of `many` before anything hides it: bool (n, h, w)."""
    return np.stack([silhouette(placed_parts(description.targets[0])) for description in many])
