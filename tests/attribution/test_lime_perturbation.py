"""LIME's samples and what hides a superpixel, against the library's loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.attribution.lime_perturbation import distinct, draw, hidden_view


def test_the_draws_are_the_librarys():
    random = np.random.RandomState(7)
    random.randint(0, 1000)
    expected = random.randint(0, 2, 30 * 11).reshape(30, 11)
    expected[0] = 1
    rows = draw(7, 30, 11)
    assert rows.dtype == np.uint8
    np.testing.assert_array_equal(rows, expected)
    assert not np.array_equal(rows, draw(8, 30, 11))


def test_a_superpixels_mean_is_rounded_down_as_the_library_does(pixels):
    segments = np.random.default_rng(0).integers(0, 9, size=pixels.shape[:2])
    expected = pixels.copy()
    for label in range(9):
        inside = segments == label
        expected[inside] = [np.mean(pixels[inside][:, channel]) for channel in range(3)]
    np.testing.assert_array_equal(hidden_view(pixels, segments, "mean"), expected)


def test_a_colour_hides_everything_and_a_blur_keeps_the_mean(pixels):
    segments = np.zeros(pixels.shape[:2], dtype=np.int64)
    assert (hidden_view(pixels, segments, (1, 2, 3)) == (1, 2, 3)).all()
    blurred = hidden_view(pixels, segments, "blur")
    assert blurred.dtype == np.uint8
    assert np.ptp(blurred) < np.ptp(pixels)
    steepest = [np.abs(np.diff(picture.astype(int), axis=1)).max() for picture in (blurred, pixels)]
    assert steepest[0] < steepest[1] / 4
    assert abs(blurred.mean() - pixels.mean()) < 2


@settings(max_examples=60, deadline=None)
@given(data=st.data(), superpixels=st.integers(1, 12), samples=st.integers(1, 40), flat=st.integers(0, 12))
def test_two_samples_are_one_picture_exactly_when_their_pixels_are(data, superpixels, samples, flat):
    # Superpixel k is pixel k; the last `flat` of them look the same hidden and shown.
    rows = np.array(
        data.draw(st.lists(st.lists(st.integers(0, 1), min_size=superpixels, max_size=superpixels),
                           min_size=samples, max_size=samples)), dtype=np.uint8
    )  # fmt: skip
    segments = np.arange(superpixels)[None]
    view = np.full((1, superpixels, 3), 9, dtype=np.uint8)
    hidden = np.zeros_like(view)
    hidden[:, max(0, superpixels - flat) :] = 9
    first, picture = distinct(rows, view, hidden, segments)
    pictures = [np.where(row[segments][..., None] == 1, view, hidden).tobytes() for row in rows]
    assert len(first) == len(set(pictures))
    assert first.tolist() == [pictures.index(kind) for kind in dict.fromkeys(pictures)]
    assert [pictures[first[number]] for number in picture] == pictures


@pytest.mark.parametrize("samples", [1, 5])
def test_where_hiding_changes_nothing_there_is_one_picture(samples):
    view = np.full((4, 4, 3), 5, dtype=np.uint8)
    first, picture = distinct(
        np.eye(5, 3, dtype=np.uint8)[:samples], view, view, np.zeros((4, 4), dtype=np.int64)
    )
    assert first.tolist() == [0]
    assert picture.tolist() == [0] * samples
