"""The small residual network of the Diorama classifiers, with torchvision's child names."""

import torch
from torch import Tensor, nn


class BasicBlock(nn.Module):
    """The block of He et al. 2016 (doi:10.1109/CVPR.2016.90): two 3 by 3 convolutions beside a way past them.

    As torchvision's of that name, with its children and their order; importing torchvision takes longer than torch.

    Args:
        inplanes: channels that come in.
        planes: channels that go out.
        stride: of the first convolution.
        downsample: what brings the input to the output's shape; None where it has it.
    """

    def __init__(self, inplanes: int, planes: int, stride: int, downsample: nn.Module | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inplanes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        """Float32 (n, inplanes, h, w) -> (n, planes, h / stride, w / stride)."""
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class DioramaResNet(nn.Module):
    """A ResNet with one BasicBlock a stage: conv1, bn1, relu, maxpool, layer1 .. layer4, avgpool, fc.

    Differs from torchvision's ResNet in width, depth and in the last stage's stride of 1, which keeps an
    8 by 8 map for a 128 pixel picture where a stride of 2 would leave 4 by 4.

    Args:
        width: channels of the stem and of layer1; layer2, layer3 and layer4 have 2, 4 and 8 times as many.
        num_classes: outputs of `fc`.
    """

    def __init__(self, width: int = 32, num_classes: int = 12) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, kernel_size=7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, padding=1)
        self.layer1 = _stage(width, width, stride=1)
        self.layer2 = _stage(width, width * 2, stride=2)
        self.layer3 = _stage(width * 2, width * 4, stride=2)
        self.layer4 = _stage(width * 4, width * 8, stride=1)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(width * 8, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Logits, float32 (n, num_classes), of normalised pictures, float32 (n, 3, h, w)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # n 3 h w -> n c h/4 w/4
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # n c h/4 w/4 -> n 8c h/16 w/16
        return self.fc(torch.flatten(self.avgpool(x), 1))  # n 8c h/16 w/16 -> n k


def _stage(inplanes: int, planes: int, *, stride: int) -> nn.Sequential:
    downsample = None
    if stride != 1 or inplanes != planes:
        downsample = nn.Sequential(
            nn.Conv2d(inplanes, planes, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(planes)
        )
    return nn.Sequential(BasicBlock(inplanes, planes, stride, downsample))


def resnet10(width: int = 32, num_classes: int = 12) -> DioramaResNet:
    """The architecture "diorama/resnet10", freshly initialised, in training mode."""
    return DioramaResNet(width, num_classes)
