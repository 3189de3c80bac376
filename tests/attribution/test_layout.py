"""Channels first, channels last and tokens, read off the shape."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.layout import Layout, layout_of

PLAIN = nn.Identity()


@pytest.mark.parametrize(
    ("shape", "image", "expected"),
    [
        ((1, 512, 7, 7), (224, 224), Layout(1, 0, 7, 7)),
        ((1, 7, 7, 768), (224, 224), Layout(-1, 0, 7, 7)),
        ((1, 7, 7, 7), (224, 224), Layout(1, 0, 7, 7)),
        ((1, 10, 8, 12), (32, 48), Layout(1, 0, 8, 12)),
        ((1, 8, 12, 96), (32, 48), Layout(-1, 0, 8, 12)),
        ((1, 64, 5, 300), (224, 224), Layout(1, 0, 5, 300)),
        ((1, 197, 768), (224, 224), Layout(-1, 1, 14, 14)),
        ((1, 196, 768), (224, 224), Layout(-1, 0, 14, 14)),
        ((1, 198, 192), (224, 224), Layout(-1, 2, 14, 14)),
        ((1, 201, 192), (224, 224), Layout(-1, 5, 14, 14)),
        ((1, 97, 24), (128, 192), Layout(-1, 1, 8, 12)),
    ],
)
def test_known_shapes(shape, image, expected):
    assert layout_of(shape, image, PLAIN) == expected


def test_a_network_that_knows_its_prefix_is_believed():
    network = nn.Identity()
    network.num_prefix_tokens = 5
    assert layout_of((1, 9, 8), (32, 32), network) == Layout(-1, 5, 2, 2)
    with pytest.raises(AttributionError, match=r"shape \(1, 8, 8\)"):
        layout_of((1, 8, 8), (32, 32), network)


@pytest.mark.parametrize("shape", [(1, 5), (1, 3, 8), (1, 2, 3, 4, 5)])
def test_what_is_no_map_is_refused(shape):
    with pytest.raises(AttributionError, match="gives shape"):
        layout_of(shape, (224, 224), PLAIN)


@given(rows=st.integers(2, 20), columns=st.integers(2, 20), stride=st.sampled_from([4, 8, 16, 32]))
def test_a_grid_of_whole_patches_is_found_whatever_its_shape(rows, columns, stride):
    found = layout_of((1, rows * columns, 4), (rows * stride, columns * stride), PLAIN)
    assert (found.prefix, found.height, found.width) == (0, rows, columns)
    tokens = torch.arange(rows * columns * 4.0).reshape(1, rows * columns, 4)
    maps = found.maps(tokens)
    assert maps.shape == (1, 4, rows, columns)
    assert maps[0, 3, 1, 0] == tokens[0, columns, 3]
