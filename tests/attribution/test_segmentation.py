"""Superpixels: dense labels from 0, by every name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import segmentation

from xai_assets.attribution.parameters import Felzenszwalb, Grid, Quickshift, Slic
from xai_assets.attribution.segmentation import segment

ALL = [
    Slic(n_segments=12),
    Quickshift(kernel_size=1, max_dist=6),
    Felzenszwalb(min_size=20),
    Grid(rows=3, columns=5),
]


@pytest.mark.parametrize("how", ALL, ids=lambda how: how.name)
def test_labels_are_dense_from_zero_and_repeatable(how, pixels):
    labels = segment(pixels, how, seed=3)
    assert labels.shape == pixels.shape[:2]
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))
    assert labels.max() > 0
    np.testing.assert_array_equal(labels, segment(pixels, how, seed=3))


def test_slic_is_scikit_images_counted_from_zero(pixels):
    ours = segment(pixels, Slic(n_segments=20, compactness=8, sigma=0.5))
    theirs = segmentation.slic(pixels, n_segments=20, compactness=8, sigma=0.5)  # its default counts from 1
    assert theirs.min() == 1
    np.testing.assert_array_equal(ours, theirs - 1)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 40), width=st.integers(1, 40), rows=st.integers(1, 12), columns=st.integers(1, 12)
)
def test_a_grids_rectangles_differ_by_one_row_and_column_at_most(height, width, rows, columns):
    labels = segment(np.zeros((height, width, 3), dtype=np.uint8), Grid(rows=rows, columns=columns))
    assert labels.max() + 1 == min(rows, height) * min(columns, width)
    sizes = [np.count_nonzero(labels == k) for k in range(labels.max() + 1)]
    assert max(sizes) <= -(-height // rows) * -(-width // columns)
    assert min(sizes) >= max(1, height // rows) * max(1, width // columns)
