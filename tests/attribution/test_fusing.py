"""Fewer steps, the same function: what networks' code calls, and what is made of it."""

import pytest
import timm
import torch
from torch import fx, nn
from torch.nn import functional as F

from xai_assets.attribution.fusing import FusedConvolution, FusedLinear, can_fuse, fold, fuse
from xai_assets.attribution.plain_graph import trace

pytestmark = pytest.mark.skipif(not can_fuse(torch.device("cpu")), reason="torch has no oneDNN here")

SIZE = 12
ACTIVATIONS = [
    nn.ReLU(), nn.ReLU6(), nn.SiLU(), nn.Hardswish(), nn.Hardsigmoid(), nn.Sigmoid(), nn.Tanh(), nn.GELU(),
    nn.GELU(approximate="tanh"), nn.LeakyReLU(0.2), F.relu, torch.relu, F.relu6, F.silu, F.hardswish, F.hardsigmoid,
    F.sigmoid, torch.sigmoid, torch.tanh, F.gelu, lambda x: F.gelu(x, approximate="tanh"),
    lambda x: F.leaky_relu(x, 0.3), lambda x: x.relu(), lambda x: x.sigmoid(),
]  # fmt: skip


def fused(network, images):
    """The fused graph; it gives what the network gives."""
    traced = trace(network.eval(), images[:1])
    graph = fuse(fold(fx.GraphModule(traced.root, traced.graph)))
    with torch.no_grad():
        found = graph(images.contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(found, network(images), rtol=1e-4, atol=1e-5)
    return graph


def kinds(graph):
    return [type(part) for name, part in graph.named_modules() if name and len(list(part.children())) == 0]


class Mapped(nn.Module):
    def __init__(self, map_: nn.Module, activation) -> None:
        super().__init__()
        self.map_, self.activation = map_, activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.activation(self.map_(x))


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda one: getattr(one, "__name__", str(one)))
@pytest.mark.parametrize("map_", [nn.Conv2d(3, 8, 3), nn.Linear(SIZE, 8)], ids=["convolution", "linear"])
def test_an_activation_function_becomes_part_of_the_map_before_it(map_, activation):
    torch.manual_seed(0)
    graph = fused(Mapped(map_, activation), 4 * torch.randn(2, 3, SIZE, SIZE))
    assert kinds(graph) == [FusedConvolution if isinstance(map_, nn.Conv2d) else FusedLinear]
    assert [node.op for node in graph.graph.nodes] == ["placeholder", "call_module", "output"]


def test_a_sum_becomes_part_of_the_map_before_it():
    class Residual(nn.Module):
        def __init__(self, map_: nn.Module) -> None:
            super().__init__()
            self.map_ = map_

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.gelu(x + self.map_(x))

    for map_, kind in (
        (nn.Conv2d(3, 3, 3, padding=1), FusedConvolution),
        (nn.Linear(SIZE, SIZE), FusedLinear),
    ):
        graph = fused(Residual(map_), torch.randn(2, 3, SIZE, SIZE))
        assert kinds(graph) == [kind]
        assert [node.target for node in graph.graph.nodes if node.op == "call_function"] == [F.gelu]


def settled(network, images):
    """Batch norms with statistics that are not 0 and 1."""
    with torch.no_grad():
        network.train()(images * 3 + 1)
    return network.eval().requires_grad_(False)


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu", None])
def test_timms_batch_norm_with_activation_disappears(activation):
    from timm.layers import BatchNormAct2d

    torch.manual_seed(0)
    images = torch.randn(4, 3, SIZE, SIZE)
    norm = BatchNormAct2d(8, act_layer=activation, apply_act=activation is not None)
    network = settled(nn.Sequential(nn.Conv2d(3, 8, 3), norm, nn.Conv2d(8, 2, 1)), images)
    assert kinds(fused(network, images)) == [FusedConvolution, FusedConvolution]


@pytest.mark.parametrize("freeze", ["timm", "torchvision"])
def test_a_frozen_batch_norm_disappears(freeze):
    from timm.layers import BatchNormAct2d, freeze_batch_norm_2d

    torch.manual_seed(0)
    images = torch.randn(4, 3, SIZE, SIZE)
    norm = BatchNormAct2d(8) if freeze == "timm" else nn.BatchNorm2d(8)
    network = freeze_batch_norm_2d(settled(nn.Sequential(nn.Conv2d(3, 8, 3), norm), images))
    graph = fused(network.eval(), images)
    assert kinds(graph) == [FusedConvolution]
    assert [node.op for node in graph.graph.nodes] == ["placeholder", "call_module", "output"]


@pytest.mark.parametrize("side", [12, 13, 16])
@pytest.mark.parametrize(
    ("kernel", "stride", "groups"), [(3, 2, 1), (5, 2, 3), (3, 1, 3), (2, 1, 1), (5, 3, 1)]
)
def test_padding_like_tensorflows_is_part_of_the_convolution(side, kernel, stride, groups):
    from timm.layers import Conv2dSame

    torch.manual_seed(0)
    images = torch.randn(2, 3, side, side + 1)
    convolution = Conv2dSame(3, 6, kernel, stride=stride, groups=groups).requires_grad_(False)
    graph = fused(convolution, images)
    assert kinds(graph) == [FusedConvolution]
    assert [node.op for node in graph.graph.nodes] == ["placeholder", "call_module", "output"]


def test_padding_that_is_not_zeros_stays():
    class Padded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            weight = self.convolution.weight
            ones = F.conv2d(F.pad(x, (1, 1, 1, 1), value=1.0), weight)
            return ones + F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), weight)

    class Mixed(Padded):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.conv2d(F.pad(x, (0, 1, 1, 0)), self.convolution.weight, padding=1)

    class Plain(nn.Conv2d):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.conv2d(F.pad(x, (0, 1, 2, 0)), self.weight, self.bias, self.stride)

    images = torch.randn(2, 3, SIZE, SIZE)
    for network, count in ((Padded(), 2), (Mixed(), 1), (Plain(3, 4, 3), 0)):
        traced = trace(network.requires_grad_(False), images[:1])
        graph = fuse(fold(fx.GraphModule(traced.root, traced.graph)))
        assert sum(node.target is F.pad for node in graph.graph.nodes) == count


def test_standardised_weights_are_computed_once():
    from timm.layers import ScaledStdConv2d

    torch.manual_seed(0)
    network = nn.Sequential(ScaledStdConv2d(3, 8, 3), nn.ReLU()).requires_grad_(False)
    graph = fused(network, torch.randn(2, 3, SIZE, SIZE))
    assert kinds(graph) == [FusedConvolution]
    assert [node.op for node in graph.graph.nodes] == ["placeholder", "call_module", "output"]


def test_a_network_keeps_nothing_that_does_nothing():
    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dropout, self.convolution = nn.Dropout(), nn.Conv2d(3, 3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch._assert(x.ndim == 4, "images")
            return F.dropout(self.dropout(self.convolution(x)), 0.5, self.training).relu()

    assert kinds(fused(Dropping(), torch.randn(2, 3, SIZE, SIZE))) == [FusedConvolution]


@pytest.mark.parametrize("training", [False, True])
def test_stochastic_depth_is_dropped_where_it_drops_nothing(training):
    from torchvision.ops import StochasticDepth

    network = nn.Sequential(nn.Conv2d(3, 3, 1), StochasticDepth(0.5, "row"), nn.ReLU()).requires_grad_(False)
    traced = trace(network, torch.zeros(1, 3, SIZE, SIZE))
    for node in traced.graph.nodes:
        if node.op == "call_function":
            node.args = (*node.args[:3], training)
    graph = fuse(fold(fx.GraphModule(traced.root, traced.graph)))
    assert set(kinds(graph)) == ({FusedConvolution, nn.ReLU} if training else {FusedConvolution})


def test_dropout_that_a_network_leaves_on_is_kept():
    class On(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.dropout(x, 0.5, training=True)

    traced = trace(On(), torch.zeros(1, 3, SIZE, SIZE))
    graph = fold(fx.GraphModule(traced.root, traced.graph))
    assert F.dropout in {node.target for node in graph.graph.nodes}


def test_efficientnet_lite0_is_convolutions_alone():
    torch.manual_seed(0)
    images = torch.randn(2, 3, 64, 64)
    network = settled(timm.create_model("tf_efficientnet_lite0", num_classes=5), images)
    graph = fused(network, images)
    counts = {kind: kinds(graph).count(kind) for kind in set(kinds(graph))}
    assert counts == {FusedConvolution: 49, nn.Linear: 1, nn.AdaptiveAvgPool2d: 1, nn.Flatten: 1}
    assert not [node.target for node in graph.graph.nodes if node.op == "call_function"]
