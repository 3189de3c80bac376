"""A graph of a network whose code looks at shapes: the same scores for any number of images, or none."""

import math

import pytest
import torch
from torch import fx, nn
from torch.nn import functional as F

from tests.attribution import networks
from xai_assets.attribution.plain_graph import trace
from xai_assets.attribution.shaped_trace import ShapedTracer

IMAGE = torch.randn(1, 3, 12, 10, generator=torch.Generator().manual_seed(0))


class Looking(nn.Module):
    """Asks for everything that a network's code may ask a tensor's shape for."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3, stride=2)
        self.token = nn.Parameter(torch.ones(1, 1, 4))
        self.places = nn.Parameter(torch.randn(1, 30, 4))

    def forward(self, x: torch.Tensor, flag: bool = False) -> torch.Tensor:
        assert not flag
        torch._assert(x.ndim == 4, "images")
        height, width = x.shape[-2:]
        missing = max((math.ceil(width / 2) - 1) * 2 + 3 - width, 0)
        x = self.convolution(F.pad(x, (missing // 2, missing - missing // 2, 0, height % 2 + 1)))
        batch, channels, rows, columns = x.shape
        if rows * columns != self.places.shape[1]:
            raise ValueError("another grid")
        for row in range(rows):
            x = x + row
        x = x.view(batch, channels, rows * columns).transpose(1, 2) + self.places
        x = torch.cat([self.token.expand(batch, -1, -1), x], dim=1)
        first, second = x.chunk(2, dim=2)
        parts = x.reshape(batch, len(x[0]), 2, channels // 2).permute(2, 0, 1, 3)
        q, k = parts.unbind(0)
        one, other = parts
        return torch.cat([first, second, q + one, k * other], dim=2).mean(dim=1).reshape(batch * 2, -1)


def shaped(network, image=IMAGE):
    graph = ShapedTracer(image).trace(network.eval())
    return fx.GraphModule(network, graph)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7, 8])
def test_it_is_the_network_for_any_number_of_images(count):
    torch.manual_seed(0)
    network = Looking()
    with pytest.raises(Exception, match="symbolically traced"):
        fx.symbolic_trace(network)
    images = torch.randn(count, *IMAGE.shape[1:])
    assert torch.equal(shaped(network)(images), network(images))


def test_numbers_that_do_not_grow_with_the_batch_are_in_the_graph_and_checks_are_not():
    graph = shaped(Looking())
    assert torch._assert not in {node.target for node in graph.graph.nodes}
    (pad,) = (node for node in graph.graph.nodes if node.target is F.pad)
    assert pad.args[1] == (0, 1, 0, 1)


def test_code_that_looks_at_values_is_refused():
    with pytest.raises(Exception, match="_local_scalar_dense"):
        shaped(networks.Branching())


def test_code_that_asks_how_many_images_there_are_is_refused():
    class Counting(nn.Module):
        def forward(self, x):
            return x * 2 if x.shape[0] > 6 else x

    with pytest.raises(Exception, match="symbolically traced"):
        shaped(Counting())


def test_a_module_that_is_one_step_is_one_step():
    network = nn.Sequential(nn.Flatten(2), nn.TransformerEncoderLayer(120, 4, 16, batch_first=True))
    graph = shaped(network)
    assert [node.op for node in graph.graph.nodes] == ["placeholder", "call_module", "call_module", "output"]


def test_the_size_is_named_only_where_the_code_looked_at_it():
    torch.manual_seed(0)
    plain, looked_at = trace(networks.resnet(), IMAGE), trace(Looking(), IMAGE)
    assert plain.size is None
    assert looked_at.size == (12, 10)
    assert plain.fits(torch.zeros(1, 3, 8, 8))
    assert not looked_at.fits(torch.zeros(1, 3, 8, 8))
    assert "convolution" in looked_at.outputs
