"""What LIME shows the model: which superpixels each sample hides, and what stands in their place.

The draws are those of `lime` 0.2.0.1 with the same random state.
"""

import cv2
import numpy as np

BLUR_SHARE = 1 / 16
"""Width of the Gaussian of `hide_color: blur`, a share of the view's longer side: 8 px of 128, 14 of 224."""


def draw(seed: int, samples: int, superpixels: int) -> np.ndarray:
    """Which superpixels each sample shows: n s uint8, 1 where it is shown; the first sample shows all."""
    random = np.random.RandomState(seed)
    random.randint(0, high=1000)  # the library's seed for the segmentation, drawn whether it is used or not
    rows = random.randint(0, 2, samples * superpixels).reshape(samples, superpixels).astype(np.uint8)
    rows[0] = 1
    return rows


def hidden_view(view: np.ndarray, segments: np.ndarray, hide_color: str | tuple[int, int, int]) -> np.ndarray:
    """The view with every superpixel hidden: h w 3 uint8 -> h w 3 uint8.

    Args:
        view: what the model sees.
        segments: h w int, from 0 without gaps.
        hide_color: `mean` (of each superpixel, rounded down as the library does), `blur`, or a colour.
    """
    if hide_color == "mean":
        labels = segments.ravel()
        sums = [np.bincount(labels, weights=view[..., channel].ravel()) for channel in range(3)]
        means = np.stack(sums, axis=1) / np.bincount(labels)[:, None]  # s 3
        return means.astype(np.uint8)[segments]  # s 3 -> h w 3
    if hide_color == "blur":
        sigma = BLUR_SHARE * max(view.shape[:2])
        blurred = cv2.GaussianBlur(view, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred, dtype=np.uint8)
    return np.broadcast_to(np.array(hide_color, dtype=np.uint8), view.shape)


def distinct(
    rows: np.ndarray, view: np.ndarray, hidden: np.ndarray, segments: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Which samples are different pictures.

    Samples that hide the same superpixels are one picture, and so are those that differ only in superpixels that
    look the same hidden and shown.

    Returns:
        The first sample of each picture (m int64, ascending), and each sample's picture (n int64, in 0..m-1).
    """
    changes = np.zeros(rows.shape[1], dtype=bool)
    changes[segments[(view != hidden).any(axis=2)]] = True
    packed = np.packbits(rows[:, changes], axis=1)
    if packed.shape[1] == 0:
        return np.zeros(1, dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    _, first, picture = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[picture.ravel()]
