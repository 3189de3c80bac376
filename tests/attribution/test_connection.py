"""Why a layer's gradient is exactly 0: patches that do not go on, no dependence, a gradient that is cut off."""

import pytest
import torch
from torch import Tensor, nn

from tests.attribution.networks import vit
from xai_assets.attribution.connection import without_gradient
from xai_assets.vision.layout_reader import LayoutReader

IMAGES = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
BLOCK = "encoder.layers.encoder_layer_2"


def reason(network: nn.Module, layer: str, images: Tensor = IMAGES) -> str | None:
    network.eval().requires_grad_(False)
    return without_gradient(network, layer, images, [1] * len(images), LayoutReader(network, layer))


class Two(nn.Module):
    """Two convolutions one behind the other; how the last one's maps reach the scores is the test's."""

    def __init__(self, way):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.head, self.way = nn.Linear(4, 3), way

    def forward(self, images: Tensor) -> Tensor:
        first = self.first(images)
        return self.head(self.way(first, self.last(first)).mean((2, 3)))


def no_grad(value: Tensor) -> Tensor:
    with torch.no_grad():
        return value * 2


@pytest.fixture
def transformer() -> nn.Module:
    torch.manual_seed(0)
    return vit()


def test_a_layer_with_a_gradient_has_no_reason(transformer):
    assert reason(Two(lambda first, last: last), "last") is None
    assert reason(transformer, f"{BLOCK}.ln_1") is None
    assert (
        reason(transformer, "encoder.layers.encoder_layer_1") is None
    )  # attention of the last block reads it


@pytest.mark.parametrize("layer", [BLOCK, "encoder.ln"])
def test_patches_behind_which_only_the_class_token_goes_on(transformer, layer):
    said = reason(transformer, layer)
    assert f"patches of {layer}, of which only the class token" in said
    assert "exactly 0" in said


def test_the_norm_in_front_of_the_attention_is_named_and_has_a_gradient(transformer):
    said = reason(transformer, BLOCK)
    assert said.endswith(f"Name {BLOCK}.ln_1.")
    assert reason(transformer, f"{BLOCK}.ln_1") is None


def test_scores_that_do_not_depend_on_a_layer():
    said = reason(Two(lambda first, last: first + 0 * last), "last")
    assert "does not depend on last:" in said
    assert said.endswith("Name first.")


@pytest.mark.parametrize("cut", [Tensor.detach, Tensor.round, no_grad])
def test_scores_that_depend_on_a_layer_whose_gradient_is_cut_off(cut):
    said = reason(Two(lambda first, last: first + cut(9 * last)), "last")
    assert "depends on last, but the network cuts its gradient off" in said
    assert said.endswith("Name first.")


def test_where_no_layer_has_a_gradient_none_is_named():
    said = reason(Two(lambda first, last: first.detach() + last.detach()), "last")
    assert "cuts its gradient off" in said
    assert said.endswith("Name a layer before it.")


def test_a_layer_that_is_called_twice_is_looked_at_by_its_last_call():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.act, self.head = nn.Conv2d(3, 4, 3), nn.Sigmoid(), nn.Linear(4, 3)

        def forward(self, images):
            first = self.act(self.conv(images))
            return self.head((first + 0 * self.act(first)).mean((2, 3)))

    said = reason(Twice(), "act")
    assert "does not depend on act:" in said


def test_the_network_is_left_as_it_was(transformer):
    before = {key: value.clone() for key, value in transformer.state_dict().items()}
    reason(transformer, BLOCK)
    assert all(torch.equal(value, before[key]) for key, value in transformer.state_dict().items())
    assert not any(module._forward_hooks for module in transformer.modules())
