"""Controls know no model, and are the same at every size."""

import numpy as np
import pytest

from xai_assets.attribution.binarisation import highest
from xai_assets.evaluation.controls import (
    CONTROLS,
    all_ones,
    centre_prior,
    control,
    edge_density,
    every_control,
    random_smooth,
)
from xai_assets.evaluation.overlap import iou


def picture(size=64):
    view = np.full((size, size, 3), 60, dtype=np.uint8)
    view[size // 8 : size // 3, size // 2 : size * 7 // 8] = 220
    return view


@pytest.mark.parametrize("name", CONTROLS)
def test_every_control_is_a_map_of_the_views_shape(name):
    view = picture()[:, :48]
    found = control(name, view, seed=3, image_id="a")
    assert found.shape == (64, 48)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.min() < found.max()
    np.testing.assert_array_equal(found, control(name, view, seed=3, image_id="a"))


def test_the_centre_prior_is_symmetric_and_blind():
    found = centre_prior(picture())
    np.testing.assert_array_equal(found, found[::-1])
    np.testing.assert_allclose(found, found.T, rtol=1e-6)
    np.testing.assert_array_equal(found, centre_prior(picture() * 0))
    # A Gaussian of a quarter of the side: exp(-1/2) one width from the middle.
    row = found[31:33].mean(axis=0)
    assert row[32 + 16] / row[31:33].mean() == pytest.approx(np.exp(-0.5), abs=0.02)


def test_edges_lie_on_the_outline():
    found = edge_density(picture())
    outline = highest(found, 200)
    rows, columns = np.nonzero(outline)
    assert rows.min() >= 2
    assert rows.max() <= 27
    assert columns.min() >= 24
    assert found[50, 10] < 1e-3 * found.max()
    assert not edge_density(np.full((32, 32, 3), 77, dtype=np.uint8)).any()


def test_noise_is_another_for_each_seed_and_image():
    view = picture()
    base = random_smooth(view, seed=0, image_id="a")
    assert not np.array_equal(base, random_smooth(view, seed=1, image_id="a"))
    assert not np.array_equal(base, random_smooth(view, seed=0, image_id="b"))
    np.testing.assert_array_equal(base, random_smooth(picture() * 0, seed=0, image_id="a"))


@pytest.mark.parametrize("name", ["centre", "edges"])
def test_a_control_is_the_same_at_every_size(name):
    small = control(name, picture(64), seed=0)
    large = control(name, picture(128), seed=0)[::2, ::2]
    assert iou(highest(small, 800), highest(large, 800)) > 0.85


def test_all_ones():
    assert (all_ones(picture()) == 1).all()
    assert all_ones(picture()).shape == (64, 64)


def test_an_unknown_control_is_an_error():
    with pytest.raises(KeyError):
        control("oracle", picture(), seed=0)


def test_measures_of_the_model_have_ones_and_where_the_truth_is_known_the_oracle():
    view, truth = picture(), np.zeros((64, 64), dtype=bool)
    assert list(every_control(view, None, seed=0)) == [*CONTROLS, "ones"]
    assert list(every_control(view, truth, seed=0)) == [*CONTROLS, "ones"]
    truth[3:9, 4:20] = True
    found = every_control(view, truth, seed=2, image_id="a")
    np.testing.assert_array_equal(found["oracle"], truth)
    np.testing.assert_array_equal(found["random"], control("random", view, seed=2, image_id="a"))
    assert {values.dtype for values in found.values()} == {np.dtype(np.float32)}
