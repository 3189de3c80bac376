"""Thresholds from kept cells against sorting everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xai_assets.dissection.layer_activations import LayerActivations
from xai_assets.dissection.sparse_maps import SparseMaps
from xai_assets.dissection.thresholds import threshold_bounds, top_quantile_thresholds
from xai_assets.dissection.top_values import TopValues
from xai_assets.errors import XaiError


def layer_of(maps, floors=None):
    return LayerActivations(
        "map", maps.mean((2, 3)), maps.max((2, 3)), maps.min((2, 3)), SparseMaps.of_dense(maps, floors)
    )


def plain(maps, quantile):
    """The (m + 1)-th largest of everything, m = floor(quantile n h w)."""
    flat = maps.transpose(1, 0, 2, 3).reshape(maps.shape[1], -1)
    above = int(quantile * flat.shape[1] + 1e-9)
    return np.partition(flat, flat.shape[1] - above - 1, axis=1)[:, flat.shape[1] - above - 1]


few = st.sampled_from([-2.0, -0.5, 0.0, 0.0, 0.0, 0.25, 1.0, 7.0])  # many ties and zeros
maps_of_few = hnp.array_shapes(min_dims=4, max_dims=4, max_side=6).flatmap(
    lambda shape: hnp.arrays(np.float32, shape, elements=few)
)


@given(maps_of_few, st.sampled_from([0.005, 0.05, 0.3, 0.7]), st.integers(0, 10**6))
@settings(max_examples=100, deadline=None)
def test_thresholds_are_those_of_all_values_or_say_what_is_wanting(maps, quantile, seed):
    expected = plain(maps, quantile)
    np.testing.assert_array_equal(top_quantile_thresholds(layer_of(maps), quantile), expected)
    floors = np.random.default_rng(seed).choice(np.float32([-3, -0.5, 0, 0.25, 1, 9]), maps.shape[1])
    sparse = layer_of(maps, floors)
    bounds = threshold_bounds(sparse, quantile)
    assert (bounds <= expected).all()
    decided = ~sparse.wanting(bounds).any(axis=0)
    np.testing.assert_array_equal(bounds[decided], expected[decided])
    assert decided[floors < expected].all()  # what reaches the threshold was all kept


def test_dead_and_rare_units_have_threshold_zero():
    maps = np.zeros((100, 2, 3, 3), np.float32)
    maps[0, 1, 0, 0] = 3
    sparse = layer_of(maps, np.zeros(2, np.float32))
    assert len(sparse.maps.units) == 1
    np.testing.assert_array_equal(top_quantile_thresholds(sparse), [0, 0])


def test_what_was_let_go_is_an_error_and_so_is_an_odd_quantile():
    maps = np.random.default_rng(0).normal(size=(50, 2, 3, 3)).astype(np.float32)
    sparse = layer_of(maps, np.full(2, 2.0, np.float32))
    with pytest.raises(XaiError, match=r"top 30.00%.*not all was kept"):
        top_quantile_thresholds(sparse, 0.3)
    with pytest.raises(XaiError, match="between 0 and 1"):
        top_quantile_thresholds(sparse, 1.5)
    with pytest.raises(XaiError, match="no maps"):
        top_quantile_thresholds(LayerActivations("vector", maps[:, :, 0, 0], *[maps[:, :, 0, 0]] * 2, None))


@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 30), st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_top_values_are_those_of_a_sort(seed, units, rank, parts):
    rng = np.random.default_rng(seed)
    top = TopValues(units, rank)
    added = [[] for _ in range(units)]
    bound = top.bound.copy()
    for _ in range(parts):
        of = rng.integers(0, rng.integers(1, units + 1), rng.integers(0, 60))
        values = rng.integers(-5, 20, len(of)).astype(np.float32)
        top.add(of, values[:, None])
        for unit, value in zip(of, values, strict=True):
            added[unit].append(value)
        assert (top.bound >= bound).all()
        bound = top.bound.copy()
    top.settle()
    for unit, values in enumerate(added):
        largest = sorted(values, reverse=True)[:rank]
        assert sorted(top.of(unit), reverse=True) == largest
        assert top.bound[unit] == (largest[-1] if len(largest) == rank else -np.inf)


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(1, 7))
@settings(max_examples=100, deadline=None)
def test_all_four_cells_around_an_on_pixel_are_kept(seed, height, width):
    rng = np.random.default_rng(seed)
    maps = rng.random((3, 2, height, width)).astype(np.float32)
    floors = rng.random(2).astype(np.float32)
    kept = SparseMaps.of_dense(maps, floors)
    for image in range(3):
        for unit in range(2):
            above = np.pad(maps[image, unit] > floors[unit], 1)
            near = np.any([above[i : i + height, j : j + width] for i in range(3) for j in range(3)], axis=0)
            found = kept.find(image, unit)
            if not above.any():
                assert found is None
            else:
                np.testing.assert_array_equal(found[near], maps[image, unit][near])
                assert (found[~near] < -1e29).all()


def test_gathered_maps_are_those_of_their_sources():
    rng = np.random.default_rng(1)
    sources = [rng.normal(size=(4, 3, 2, 2)).astype(np.float32) for _ in range(2)]
    floors = np.zeros(3, np.float32)
    source, image = np.array([1, 0, 1, 1, 0]), np.array([3, 2, 0, 3, 0])  # an image twice
    found = SparseMaps.gather([SparseMaps.of_dense(maps, floors) for maps in sources], source, image)
    expected = SparseMaps.of_dense(
        np.stack([sources[s][i] for s, i in zip(source, image, strict=True)]), floors
    )
    for at in range(5):
        for mine, other in zip(found.of_image(at), expected.of_image(at), strict=True):
            np.testing.assert_array_equal(mine, other)
    found_arrays, expected_arrays = found.to_arrays(), expected.to_arrays()
    for name, array in expected_arrays.items():
        np.testing.assert_array_equal(found_arrays[name], array)
