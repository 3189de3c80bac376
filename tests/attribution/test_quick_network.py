"""A quicker copy of a network gives the network's scores, or is not taken."""

import pytest
import torch
from torch import nn

from tests.attribution import networks
from xai_assets.attribution import quick_network as module
from xai_assets.attribution.fusing import FusedConvolution, can_fuse
from xai_assets.attribution.quick_network import quick_network
from xai_assets.vision.same_scores import agree

CPU = torch.device("cpu")
needs_fusing = pytest.mark.skipif(not can_fuse(CPU), reason="torch has no oneDNN here")


def make(build, size=32):
    torch.manual_seed(0)
    return build().eval().requires_grad_(False), torch.randn(1, 3, size, size)


@pytest.mark.parametrize(
    "build", [networks.resnet, networks.mobilenet, networks.densenet, networks.vit, networks.swin]
)
def test_it_answers_as_the_network_does(build):
    network, image = make(build)
    quick, how = quick_network(network, image)
    assert how == ("fused" if can_fuse(CPU) else "folded")
    images = torch.randn(3, *image.shape[1:])
    torch.testing.assert_close(quick(images), network(images), rtol=1e-4, atol=1e-5)


@needs_fusing
def test_batch_norm_relu_and_residual_disappear_into_the_convolutions():
    network, image = make(networks.resnet)
    quick, _ = quick_network(network, image)
    kinds = [type(part) for part in quick.modules()]
    assert kinds.count(FusedConvolution) == sum(isinstance(part, nn.Conv2d) for part in network.modules())
    assert not {nn.BatchNorm2d, nn.ReLU, nn.Conv2d} & set(kinds)
    assert "add" not in {getattr(node.target, "__name__", "") for node in quick.graph.nodes}


def test_the_network_itself_is_left_as_it_is():
    network, image = make(networks.resnet)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    quick_network(network, image)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert network.conv1.weight.is_contiguous()
    assert network.relu.inplace


class Rigid(networks.Branching):
    """Its values are looked at, and it takes images that lie as usual only."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.view(-1).view(x.shape))


@pytest.mark.parametrize(
    ("build", "why"), [(networks.Branching, "TraceError"), (networks.Meddling, "other scores")]
)
def test_a_network_without_a_graph_is_copied_channels_last_and_that_is_said(build, why):
    network, image = make(build)
    quick, how = quick_network(network, image)
    assert how.startswith("channels last (fused, folded: ")
    assert why in how
    assert quick is not network
    assert quick.stem.weight.is_contiguous(memory_format=torch.channels_last)
    images = torch.randn(3, *image.shape[1:])
    wanted = network(images.clone())
    torch.testing.assert_close(quick(images.contiguous(memory_format=torch.channels_last)), wanted)


def test_a_network_that_cannot_be_copied_so_is_used_as_it_is_and_that_is_said():
    network, image = make(Rigid)
    quick, how = quick_network(network, image)
    assert quick is network
    assert how.startswith("as it is (fused, folded: TraceError")
    assert "channels last: RuntimeError: view size" in how


def test_fused_operators_that_fail_leave_the_folded_copy(monkeypatch):
    def broken(graph):
        raise RuntimeError("the private operator has changed")

    monkeypatch.setattr(module, "fuse", broken)
    network, image = make(networks.resnet)
    quick, how = quick_network(network, image)
    assert how == "folded (fused: RuntimeError: the private operator has changed)"
    torch.testing.assert_close(quick(image), network(image), rtol=1e-4, atol=1e-5)


def test_shared_weights_keep_their_own_batch_norms():
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 3, padding=1)
            self.first, self.second = nn.BatchNorm2d(3), nn.BatchNorm2d(3)

        def forward(self, x):
            x = self.first(self.convolution(x))
            return self.second(self.convolution(x)).mean(dim=(2, 3))

    torch.manual_seed(0)
    network = Shared()
    network(torch.randn(4, 3, 8, 8) * 3 + 1)
    network.eval().requires_grad_(False)
    image = torch.randn(1, 3, 8, 8)
    quick, how = quick_network(network, image)
    assert "as it is" not in how
    torch.testing.assert_close(quick(image), network(image))


def test_agree():
    scores = torch.tensor([[100.0, float("nan"), 1.0]])
    assert agree(scores + torch.tensor([0.005, 0, 0.005]), scores)
    assert not agree(scores + 0.05, scores)
    assert not agree(torch.zeros(1, 3), scores)
    assert not agree(scores[:, :2], scores)
    assert agree(torch.zeros(1, 3), torch.zeros(1, 3))
