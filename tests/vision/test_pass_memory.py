"""How much a pass holds at once, on networks of which it is known; and batches within a bound."""

import sys

import torch
from torch import nn

from xai_assets.vision.pass_memory import Bounded, bytes_of_a_pass

IMAGE = torch.zeros(1, 4, 64, 64)
BYTES = IMAGE.numel() * 4


def test_it_is_what_is_alive_at_a_time():
    # Sequential holds the input and an output of each step; the one before is freed when the next is there.
    assert bytes_of_a_pass(nn.Sequential(nn.Tanh(), nn.Tanh(), nn.Tanh()), IMAGE) == 3 * BYTES
    assert bytes_of_a_pass(nn.Sequential(nn.ReLU(inplace=True), nn.Identity()), IMAGE) == BYTES
    assert bytes_of_a_pass(nn.Conv2d(4, 8, 1), IMAGE) == 3 * BYTES


def test_it_grows_with_the_batch():
    network = nn.Sequential(nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Conv2d(8, 2, 3))
    assert bytes_of_a_pass(network, IMAGE.repeat(3, 1, 1, 1)) == 3 * bytes_of_a_pass(network, IMAGE)


def test_batches_are_cut_where_they_would_hold_more():
    seen: list[int] = []

    def network(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return images.mul(2)[:, :3, 0, 0]

    images = torch.randn(200, *IMAGE.shape[1:])
    bounded = Bounded(network, IMAGE, memory_mib=8)
    assert bounded.images == 8 * 2**20 // (2 * BYTES)
    seen.clear()
    assert torch.equal(bounded(images), images[:, :3, 0, 0] * 2)
    assert seen == [64, 64, 64, 8]
    assert Bounded(network, torch.zeros(1, 4, 2048, 2048), memory_mib=1).images == 1


def test_what_has_memory_of_its_own_is_not_bounded():
    assert Bounded(nn.Tanh(), torch.zeros(1, 4, 8, 8, device="meta"), memory_mib=1).images == sys.maxsize
