"""The mask that the library draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lime.lime_image import ImageExplanation

from xai_assets.attribution.lime_mask import superpixel_mask
from xai_assets.attribution.lime_surrogate import Surrogate


def surrogate(weights, used) -> Surrogate:
    every = np.zeros(9)
    every[used] = weights
    order = np.array(used)[np.argsort(-np.abs(weights), kind="stable")]
    return Surrogate(0, every, order, 0.0, 0.0, 0.0, 0.0)


@settings(max_examples=100, deadline=None)
@given(
    weights=st.lists(st.sampled_from([-0.4, -0.1, 0.0, 0.05, 0.2, 0.3]), min_size=1, max_size=9),
    num_features=st.integers(0, 10),
    sign=st.sampled_from(["positive_only", "negative_only", "both"]),
    min_weight=st.sampled_from([0.0, 0.1, 0.25]),
)
def test_it_is_the_librarys(weights, num_features, sign, min_weight):
    segments = np.random.default_rng(0).integers(0, 9, size=(12, 12))
    used = [(3 * place) % 10 % 9 for place in range(len(weights))][: len(weights)]
    used = list(dict.fromkeys(used))
    ours = surrogate(np.array(weights[: len(used)]), used)
    theirs = ImageExplanation(np.zeros((12, 12, 3), dtype=np.uint8), segments)
    theirs.local_exp[0] = [(superpixel, ours.weights[superpixel]) for superpixel in ours.used]
    given = {
        "positive_only": sign == "positive_only",
        "negative_only": sign == "negative_only",
        "num_features": num_features,
        "min_weight": min_weight,
    }
    _, expected = theirs.get_image_and_mask(0, **given)
    np.testing.assert_array_equal(superpixel_mask(segments, ours, **given), expected)


def test_only_one_side_can_be_the_only_one():
    with pytest.raises(ValueError, match="for the class only"):
        superpixel_mask(np.zeros((2, 2), int), surrogate([1.0], [0]), positive_only=True, negative_only=True)
