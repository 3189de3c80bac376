"""Small networks of every kind that a layer may have to be split out of, with random weights."""

import timm
import torch
import torchvision
from torch import nn
from torchvision.models import SwinTransformer, VisionTransformer

from xai_assets.vision.diorama_net import resnet10

CLASSES = 5


def resnet() -> nn.Module:
    """torchvision's blocks, its batch norms calibrated on noise."""
    network = resnet10(8, CLASSES)
    network.train()(torch.randn(8, 3, 48, 48))
    return network


def mobilenet() -> nn.Module:
    return torchvision.models.mobilenet_v3_small(num_classes=CLASSES, width_mult=0.25)


def densenet() -> nn.Module:
    return torchvision.models.DenseNet(8, (2, 2), 16, num_classes=CLASSES)


def vit() -> nn.Module:
    network = VisionTransformer(
        image_size=32, patch_size=8, num_layers=3, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=CLASSES
    )
    nn.init.normal_(network.heads.head.weight)  # torchvision starts it at 0
    return network


def timm_vit() -> nn.Module:
    return timm.create_model(
        "vit_small_patch16_dinov3", img_size=64, depth=3, embed_dim=48, num_heads=2, num_classes=CLASSES
    )


def swin() -> nn.Module:
    return SwinTransformer([2, 2], 12, [2, 2], [2, 2], [4, 4], num_classes=CLASSES)


def timm_swin() -> nn.Module:
    return timm.create_model(
        "swin_tiny_patch4_window7_224", img_size=32, patch_size=2, window_size=4, depths=(2, 2),
        num_heads=(2, 2), embed_dim=12, num_classes=CLASSES,
    )  # fmt: skip


class Branching(nn.Module):
    """Looks at its values: no graph can be made of it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.body = nn.Sequential(nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1))
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.sum().item() == 12345.0:
            return x.new_zeros(len(x), CLASSES)
        x = self.stem(x)
        x = x + torch.tanh(self.body(x))
        return self.head(x.mean(dim=(2, 3)))


class _Doubling(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        doubled = x.mul_(2)  # and so is the caller's
        return doubled.mean()


class Meddling(nn.Module):
    """A part of it writes into what others read: neither a graph without that nor a replay gives its scores."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.doubling = _Doubling()
        self.body = nn.Conv2d(6, 6, 3, padding=1)
        self.head = nn.Linear(6, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x).clone()
        self.doubling(x)
        return self.head((x + torch.tanh(self.body(x))).mean(dim=(2, 3)))
