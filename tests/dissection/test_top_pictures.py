"""The pictures of a unit and where it is on in them."""

import numpy as np

from xai_assets.dissection.activations import collect
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.dissection.top_pictures import on_region, top_pictures


def test_red_pictures_drive_the_red_unit_where_they_are_red(classifier):
    images = []
    for i in range(8):
        picture = np.zeros((16, 16, 3), np.uint8)
        picture[:8, :8, 0] = 30 * i  # a red corner, redder and redder
        images.append(picture)
    probe = ArrayProbe(images)
    found = collect(classifier(), ["maps"], probe, quantile=0.1)
    layer = found.layers["maps"]
    pictures = top_pictures(layer, [0], top_quantile_thresholds(layer, 0.1), probe, found.boxes)[0]
    assert pictures.ids == ("7", "6", "5", "4", "3")
    assert pictures.masks[0].shape == (16, 16) and pictures.masks[0].dtype == np.uint8
    assert pictures.masks[0][:7, :7].all() and not pictures.masks[0][10:, 10:].any()
    assert not pictures.masks[4].any()  # red, but below the unit's threshold
    np.testing.assert_array_equal(pictures.activations, np.sort(layer.pooled[:, 0])[::-1][:5])


def test_the_studys_pooling_ranks_them(classifier):
    small, large = np.zeros((2, 16, 16, 3), np.uint8)
    small[:4, :4, 0] = 255  # the highest peak
    large[..., 0] = 120  # the highest mean
    probe = ArrayProbe([small, large])
    found = collect(classifier(), ["maps"], probe)
    for pooling, first in (("max", "0"), ("avg", "1")):
        pictures = top_pictures(
            found.layers["maps"], [0], None, probe, found.boxes, count=2, pooling=pooling
        )[0]
        assert pictures.ids[0] == first
        assert pictures.activations[0] > pictures.activations[1]


def test_layers_without_maps_have_empty_masks(classifier):
    probe = ArrayProbe(list(np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3), np.uint8)))
    found = collect(classifier(), ["vector"], probe)
    pictures = top_pictures(found.layers["vector"], [1], None, probe, found.boxes, count=2)[1]
    assert len(pictures.ids) == 2 and not np.any(pictures.masks)


def test_the_region_lies_inside_what_the_model_saw():
    box = np.array([0.25, 0.5, 0.75, 1.0])
    region = on_region(np.ones((2, 2), np.float32), 0.5, (8, 8), box)
    expected = np.zeros((8, 8), np.uint8)
    expected[2:6, 4:] = 1
    np.testing.assert_array_equal(region, expected)
    assert not on_region(None, 0.5, (8, 8), box).any()
