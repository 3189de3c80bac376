"""Small classifiers that every test of this room can explain."""

import numpy as np
import pytest
import torch
from torch import nn

from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

CLASSES = ("red", "green", "blue", "grey", "dark")


class TinyNet(nn.Module):
    """A convolutional classifier with torchvision's names, signed and rectified layers, and batch norm."""

    def __init__(self, classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.layer4 = nn.Sequential(nn.Conv2d(6, 10, 3, stride=2, padding=1), nn.ReLU(inplace=True))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(10, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.bn1(self.conv1(x)))  # n 3 h w -> n 6 h/2 w/2
        x = self.layer4(x)  # n 6 h/2 w/2 -> n 10 h/4 w/4
        return self.fc(torch.flatten(self.avgpool(x), 1))  # n 10 h/4 w/4 -> n k


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_classifier(network: nn.Module, size: int | None = None) -> Classifier:
    mode = "native" if size is None else "squash"
    spec = PreprocessingSpec(mode=mode, size=size, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    return Classifier(
        name="tiny",
        architecture="none",
        network=network.eval().requires_grad_(False),
        preprocessing=Preprocessing(spec),
        class_names=CLASSES,
        sha256="0" * 64,
        device=torch.device("cpu"),
    )


@pytest.fixture
def classifier() -> Classifier:
    torch.manual_seed(0)
    network = TinyNet()
    nn.init.normal_(network.bn1.running_mean, std=0.1)
    nn.init.uniform_(network.bn1.running_var, 0.5, 1.5)
    nn.init.normal_(network.fc.weight, std=1.0)
    return make_classifier(network)


@pytest.fixture
def pixels() -> np.ndarray:
    """A 32 x 48 picture with a bright square on a textured ground."""
    generator = np.random.default_rng(1)
    picture = generator.integers(0, 90, size=(32, 48, 3), dtype=np.uint8)
    picture[8:20, 10:26] = (230, 60, 20)
    return picture


@pytest.fixture
def wide() -> Classifier:
    """As `classifier`, with 400 channels in its last layer."""
    torch.manual_seed(0)
    network = TinyNet()
    network.layer4[0] = nn.Conv2d(6, 400, 3, stride=2, padding=1)
    network.fc = nn.Linear(400, len(CLASSES))
    return make_classifier(network)
