"""Superpixels: dense labels from 0, by every name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lime.wrappers.scikit_image import SegmentationAlgorithm
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


def test_every_parameter_reaches_scikit_image(pixels):
    changed = {
        Slic(n_segments=12): ({"n_segments": 30}, {"compactness": 0.01}, {"sigma": 4}, {"max_num_iter": 1},
                              {"slic_zero": True}),
        Quickshift(kernel_size=1, max_dist=6): ({"kernel_size": 2}, {"max_dist": 2}, {"ratio": 1}, {"sigma": 3}),
        Felzenszwalb(min_size=20): ({"scale": 1}, {"sigma": 3}, {"min_size": 100}),
        Grid(rows=3, columns=5): ({"rows": 4}, {"columns": 4}),
    }  # fmt: skip
    for how, changes in changed.items():
        for change in changes:
            other = segment(pixels, how.model_copy(update=change))
            assert not np.array_equal(other, segment(pixels, how)), (how.name, change)


@pytest.fixture
def flat():
    """Many equal pixels, so that quickshift's modes are ties that chance breaks."""
    return np.full((24, 24, 3), 120, dtype=np.uint8)


def test_limes_random_seed_never_reaches_quickshift(flat):
    # scikit-image's argument is called `rng` by now, and the library drops what the function does not take.
    def theirs(seed):
        return SegmentationAlgorithm("quickshift", kernel_size=2, max_dist=4, ratio=0.2, random_seed=seed)(
            flat
        )

    np.testing.assert_array_equal(theirs(1), theirs(2))
    for seed in (1, 2):
        ours = segment(flat, Quickshift(kernel_size=2, max_dist=4), seed=seed)
        np.testing.assert_array_equal(ours, theirs(seed))


def test_quickshift_takes_a_number_of_its_own_or_the_studys_seed(flat):
    how = Quickshift(kernel_size=2, max_dist=4, rng=None)
    first, second = segment(flat, how, seed=1), segment(flat, how, seed=2)
    assert not np.array_equal(first, second)
    own = how.model_copy(update={"rng": 1})
    np.testing.assert_array_equal(segment(flat, own, seed=2), first)


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
