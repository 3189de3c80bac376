"""ScoreCAM's weights: what is evaluated, how scores become weights, and what is said about the layer."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from xai_assets.attribution import cams
from xai_assets.attribution.explain import explain
from xai_assets.attribution.maps import SIGNED_LAYER
from xai_assets.attribution.masked_forward import masked_scores
from xai_assets.attribution.parameters import ScoreCAMParameters
from xai_assets.attribution.score import Scorer, enlarged, negative_share, score_weights

IMAGE = torch.rand(1, 3, 12, 16, generator=torch.Generator().manual_seed(0)) - 0.5


class Counting:
    """The class scores are the sums of the colours; remembers how many images it was asked for."""

    def __init__(self) -> None:
        self.seen: list[torch.Tensor] = []

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images.clone())
        return images.sum(dim=(2, 3)) * 0.1


def maps_with_constants() -> torch.Tensor:
    maps = torch.rand(9, 3, 4, generator=torch.Generator().manual_seed(1))
    maps[[1, 4]] = 0
    maps[7] = 0.5  # enlarged, rounding makes it uneven, and the library's mask is noise
    return maps


def slow_masked(maps):
    """Every channel on its own, as the library writes it."""
    found = []
    for channel in maps:
        up = F.interpolate(channel[None, None], (12, 16), mode="bilinear", align_corners=True)[0, 0]
        found.append(IMAGE[0] * (up - up.min()) / (up.max() - up.min() + 1e-8))
    return torch.stack(found)


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_constant_channels_are_scored_once(batch_size):
    counting, maps = Counting(), maps_with_constants()
    weights, details = score_weights(
        Scorer(counting), IMAGE, maps, 2, ScoreCAMParameters(batch_size=batch_size)
    )
    assert details == {"scored": 8, "constant": 2}
    assert sum(len(batch) for batch in counting.seen) == 8
    expected = torch.softmax(Counting()(slow_masked(maps))[:, 2], dim=0)
    np.testing.assert_allclose(weights, expected, rtol=1e-5)
    assert weights[1] == weights[4]


def test_increase_is_how_much_more_probable_the_class_is_than_without_the_image():
    maps = maps_with_constants()
    weights, _ = score_weights(Scorer(Counting()), IMAGE, maps, 1, ScoreCAMParameters(weighting="increase"))
    probable = torch.softmax(Counting()(slow_masked(maps)), dim=1)[:, 1]
    np.testing.assert_allclose(weights, probable - 1 / 3, atol=1e-6)
    assert not weights[[1, 4]].any()


def test_softmax_is_close_to_one_channel_alone_where_scores_differ_and_increase_is_not():
    maps = torch.rand(20, 3, 4, generator=torch.Generator().manual_seed(2))
    scorer = Scorer(lambda images: 4 * images.sum(dim=(2, 3)))
    shares = {}
    for weighting in ("softmax", "increase"):
        weights, _ = score_weights(scorer, IMAGE, maps, 1, ScoreCAMParameters(weighting=weighting))
        shares[weighting] = np.abs(weights).max() / np.abs(weights).sum()
    assert shares["softmax"] > 0.8 > 0.3 > shares["increase"]


def test_masks_are_the_channels_at_the_images_size_from_0_to_1():
    masks = enlarged(torch.rand(5, 3, 4) * 7 - 3, (12, 16))
    assert masks.shape == (5, 1, 12, 16)
    torch.testing.assert_close(masks.amin(dim=(1, 2, 3)), torch.zeros(5))
    torch.testing.assert_close(masks.amax(dim=(1, 2, 3)), torch.ones(5))


@pytest.mark.parametrize("with_base", [False, True])
def test_masked_images_are_the_image_where_the_mask_is_and_the_base_elsewhere(with_base):
    counting = Counting()
    base = torch.full((1, 3, 1, 1), 0.25).expand(1, 3, 12, 16).contiguous() if with_base else None
    masks = torch.rand(5, 1, 12, 16)
    found = masked_scores(counting, IMAGE, masks.split(2), base=base, columns=[2, 0])
    under = 0 if base is None else base
    expected = under + masks * (IMAGE - under)
    torch.testing.assert_close(torch.cat(counting.seen), expected)
    torch.testing.assert_close(found, Counting()(expected)[:, [2, 0]])


def test_a_network_that_writes_into_its_input_changes_nothing():
    def writing(images):
        return images.mul_(2).sum(dim=(2, 3))

    masks = torch.rand(6, 1, 12, 16)
    found = masked_scores(writing, IMAGE, masks.split(2))
    torch.testing.assert_close(found, 2 * (masks * IMAGE).sum(dim=(2, 3)))


def test_reduced_precision_says_how_far_off_it_is(classifier, pixels):
    exact = explain("scorecam", classifier, pixels, 1, layer="layer4")
    reduced = explain("scorecam", classifier, pixels, 1, layer="layer4", parameters={"precision": "bfloat16"})
    assert reduced.details["precision"] == "bfloat16"
    assert 0 < reduced.details["score_error"] < 0.2
    assert "score_error" not in exact.details
    assert np.abs(reduced.scaled() - exact.scaled()).max() < 0.1


def test_a_layer_before_its_activation_function_is_flagged_with_a_word_why(classifier, pixels):
    signed = explain("scorecam", classifier, pixels, 1, layer="layer4.0")
    assert signed.flags == (SIGNED_LAYER,)
    assert signed.usable
    assert "signed values" in signed.details["warning"]
    rectified = explain("scorecam", classifier, pixels, 1, layer="layer4")
    assert rectified.flags == ()
    assert "warning" not in rectified.details


def test_negative_share_of_a_gaussian_is_half_and_of_smooth_activations_small():
    values = torch.randn(8, 50, 50, generator=torch.Generator().manual_seed(0))
    assert negative_share(values) == pytest.approx(0.5, abs=0.02)
    assert negative_share(values.relu()) == 0
    assert negative_share(F.silu(values)) < cams.SIGNED_ABOVE / 2
    assert negative_share(F.gelu(values)) < cams.SIGNED_ABOVE / 2
    assert negative_share(torch.zeros(2, 3, 3)) == 0
