"""The small network against torchvision's ResNet, from which it differs in one stride and in size only."""

import torch
from torchvision.models.resnet import BasicBlock, ResNet

from xai_assets.vision.diorama_net import resnet10


def test_with_torchvisions_stride_it_is_torchvisions_network() -> None:
    foreign = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=7).eval()
    own = resnet10(64, 7).eval()
    own.load_state_dict(foreign.state_dict())
    own.layer4[0].conv1.stride = own.layer4[0].downsample[0].stride = (2, 2)
    batch = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(own(batch), foreign(batch))


def test_layer4_keeps_the_map_of_layer3() -> None:
    network = resnet10(4, 3).eval()
    shapes = {}
    for name in ("layer1", "layer2", "layer3", "layer4"):
        module = network.get_submodule(name)
        module.register_forward_hook(
            lambda _m, _i, out, name=name: shapes.update({name: tuple(out.shape[1:])})
        )
    with torch.inference_mode():
        network(torch.zeros(1, 3, 128, 128))
    assert shapes == {
        "layer1": (4, 32, 32),
        "layer2": (8, 16, 16),
        "layer3": (16, 8, 8),
        "layer4": (32, 8, 8),
    }


def test_width_32_has_the_shipped_size() -> None:
    assert sum(parameter.numel() for parameter in resnet10(32, 12).parameters()) == 1_233_324
