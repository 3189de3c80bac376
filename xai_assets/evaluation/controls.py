"""Maps that know no model: what a method must beat before its number means anything.

Widths are shares of the view's shorter side, so that a control is the same at every size.
"""

import zlib
from collections.abc import Callable

import cv2
import numpy as np

CENTRE_WIDTH = 1 / 4
"""Standard deviation of the centre prior: a photographer's bias, as broad as objects are."""

EDGE_WIDTH = 1 / 20
"""Smoothing of the edges into a density; a bare edge map would cover outlines only."""

RANDOM_WIDTH = 1 / 10
"""Smoothing of the noise: blobs about as large as those of a class activation map."""


def centre_prior(view: np.ndarray) -> np.ndarray:
    """A Gaussian in the middle of the frame, h w float32 in 0..1, whatever the view (h w 3) shows."""
    height, width = view.shape[:2]
    sigma = CENTRE_WIDTH * min(height, width)
    rows = np.arange(height) - (height - 1) / 2
    columns = np.arange(width) - (width - 1) / 2
    squared = rows[:, None] ** 2 + columns[None, :] ** 2  # h w
    return np.exp(-squared / (2 * sigma**2)).astype(np.float32)


def edge_density(view: np.ndarray) -> np.ndarray:
    """Smoothed Sobel gradient magnitude of the grey view (h w 3 uint8), h w float32, at least 0."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.float32)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3)
    return _smooth(np.hypot(across, down), EDGE_WIDTH)


def random_smooth(view: np.ndarray, *, seed: int, image_id: str = "") -> np.ndarray:
    """Smoothed uniform noise of the view's size, h w float32; another one for each seed and image."""
    generator = np.random.default_rng([seed, zlib.crc32(image_id.encode("utf-8"))])
    return _smooth(generator.random(view.shape[:2], dtype=np.float32), RANDOM_WIDTH)


def all_ones(view: np.ndarray) -> np.ndarray:
    """One everywhere, h w float32: it says nothing, and every measure that is tie-safe gives it the level of chance."""
    return np.ones(view.shape[:2], dtype=np.float32)


CONTROLS = ("centre", "edges", "random")
"""The controls that have an order of pixels. `every_control` has `ONES` and, where there is a truth, `ORACLE` as well."""

ONES = "ones"
"""`all_ones`: a metric that gives it more than chance, or more than the oracle has, rewards saying nothing."""


def control(name: str, view: np.ndarray, *, seed: int, image_id: str = "") -> np.ndarray:
    """The control of that name, h w float32, for a view (h w 3 uint8); KeyError for one not in CONTROLS."""
    makers: dict[str, Callable[[], np.ndarray]] = {
        "centre": lambda: centre_prior(view),
        "edges": lambda: edge_density(view),
        "random": lambda: random_smooth(view, seed=seed, image_id=image_id),
    }
    return makers[name]()


ORACLE = "oracle"
"""The true mask as a map, where it is known: what a perfect localisation would score. It is no upper bound of
faithfulness, for a model may look elsewhere."""


def every_control(
    view: np.ndarray, truth: np.ndarray | None, *, seed: int, image_id: str = ""
) -> dict[str, np.ndarray]:
    """What all measures are held against: CONTROLS, ONES, and the oracle where there is a truth.

    Args:
        view: h w 3 uint8.
        truth: h w bool, the true mask of the target class in the view's frame; None or empty: no oracle.
        seed: of the random control.
        image_id: the image's name, which the random control depends on.

    Returns:
        By name, h w float32.
    """
    found = {name: control(name, view, seed=seed, image_id=image_id) for name in CONTROLS}
    found[ONES] = all_ones(view)
    if truth is not None and truth.any():
        found[ORACLE] = truth.astype(np.float32)
    return found


def _smooth(values: np.ndarray, width: float) -> np.ndarray:
    sigma = width * min(values.shape)
    return np.asarray(
        cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32
    )
