"""Tiny networks and classifiers for the tests. The machine is shared: one thread."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

torch.set_num_threads(1)


class Planted(nn.Module):
    """`maps`: red, green, blue of 4 x 4 cells, and two units that never fire; `tokens`, `vector` on top of it."""

    def __init__(self):
        super().__init__()
        self.pool = nn.AvgPool2d(4)
        self.maps = nn.Conv2d(3, 5, 1)
        with torch.no_grad():
            self.maps.weight.zero_()
            self.maps.bias.copy_(torch.tensor([0.0, 0.0, 0.0, 0.5, -1.0]))
            for unit in range(3):
                self.maps.weight[unit, unit] = 1
        self.tokens = nn.Identity()
        self.vector = nn.Identity()
        self.twice = nn.Identity()
        self.pair = Pair()

    def forward(self, x):
        x = self.maps(self.pool(x))  # n 3 h w -> n 5 h/4 w/4
        t = x.flatten(2).transpose(1, 2)
        self.tokens(torch.cat([100 * torch.ones_like(t[:, :1]), t], 1))  # a class token before the patches
        self.pair(x)
        return self.vector(self.twice(self.twice(x.mean((2, 3)))))


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def build_classifier(network=None, box=None):
    """A classifier of the contract's shape; `box` is what the model sees of a picture, in pixels."""

    def frame(height, width):
        return SimpleNamespace(box=box or (0.0, 0.0, float(height), float(width)))

    def tensor(pixels):
        top, left, bottom, right = (int(edge) for edge in frame(*pixels.shape[:2]).box)
        return (
            torch.from_numpy(np.ascontiguousarray(pixels[top:bottom, left:right])).permute(2, 0, 1).float()
            / 255
        )

    network = network or Planted()
    return SimpleNamespace(
        name="planted",
        network=network.eval(),
        device=torch.device("cpu"),
        preprocessing=SimpleNamespace(frame=frame, tensor=tensor),
    )


@pytest.fixture
def planted():
    """The class of the planted network."""
    return Planted


@pytest.fixture
def classifier():
    """Makes a classifier from a network (the planted one) and the box that it sees of a picture."""
    return build_classifier
