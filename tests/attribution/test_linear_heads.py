"""The convolutions at a suffix's start, one channel at a time, against the convolutions themselves."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import fx, nn

from tests.attribution import networks
from tests.attribution.conftest import make_classifier
from xai_assets.attribution import cams
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.linear_heads import linear_heads
from xai_assets.attribution.split import LayerSplit


class Suffix(nn.Module):
    def __init__(self, convolution: nn.Conv2d, *, around: bool) -> None:
        super().__init__()
        self.convolution, self.other, self.relu = convolution, nn.Conv2d(5, 3, 1), nn.ReLU()
        self.around = around

    def forward(self, output: torch.Tensor) -> torch.Tensor:
        found = self.relu(self.convolution(output)).mean(dim=(2, 3)) + self.other(output).mean(dim=(2, 3))
        return found + output[:, :3].mean(dim=(2, 3)) if self.around else found


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.integers(1, 2),
    bias=st.booleans(),
    around=st.booleans(),
)
def test_one_channel_is_what_the_whole_convolution_gives(kernel, stride, padding, dilation, bias, around):
    torch.manual_seed(0)
    convolution = nn.Conv2d(5, 3, kernel, stride, padding, dilation, bias=bias)
    network = Suffix(convolution, around=around).eval().requires_grad_(False)
    found = linear_heads(fx.symbolic_trace(network))
    assert found is not None
    assert found.keeps_output == around
    assert found.relus == (True, False)
    output, channels, values = (
        torch.randn(1, 5, 7, 6),
        torch.tensor([0, 3, 4]),
        torch.tensor([0.0, 2.0, -1.0]),
    )
    ablated = output.repeat(3, 1, 1, 1)
    ablated[torch.arange(3), channels] = values[:, None, None]
    heads = found.ablated(found.base(output), values[:, None, None] - output[0, channels], channels)
    scores = found.rest(*heads, *([ablated] if around else []))
    torch.testing.assert_close(scores, network(ablated), rtol=1e-4, atol=1e-5)


def test_convolutions_in_groups_and_what_is_no_convolution_stay():
    for first in (
        nn.Conv2d(6, 6, 3, groups=2),
        nn.ReLU(),
        nn.Conv2d(6, 6, 3, padding=1, padding_mode="reflect"),
    ):
        assert linear_heads(fx.symbolic_trace(nn.Sequential(first, nn.Flatten()))) is None


@pytest.mark.parametrize(
    ("build", "layer", "keeps"),
    [
        (networks.resnet, "layer3", False),
        (networks.resnet, "layer2.0", False),
        (networks.resnet, "layer4.0.relu", None),  # affine: the closed form
        (networks.mobilenet, "features.7", True),
    ],
)
def test_a_split_ablates_by_them(build, layer, keeps):
    torch.manual_seed(0)
    model = make_classifier(build())
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad(), untouched(model.network) as network:
        split = LayerSplit(network, layer, model.device)
        behind = split.behind(image)
    if keeps is None:
        assert behind.ablate is None
        return
    assert behind.ablate is not None
    assert split._cuts[0].heads.keeps_output == keeps
    channels = torch.arange(4)
    ablated = behind.output.repeat(4, 1, 1, 1)
    ablated[channels, channels] = 0.5
    torch.testing.assert_close(
        behind.ablate(channels, torch.full((4,), 0.5)), behind.evaluate(ablated), rtol=1e-4, atol=1e-5
    )
    (found,) = cams.ablationcam(model, image, [1], layer, split=split)
    assert found.details["way"] == "graph cut"
