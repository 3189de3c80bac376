"""Batch normalisation tells images of the training's domain from others, without labels."""

import numpy as np
import pytest
import torch
from torch import nn

from xai_assets.analysis.domain import (
    domain_of,
    domain_row,
    embedded_world_s,
    of_classifier,
    of_encoder,
    scene_reference,
)
from xai_assets.dissection.domain import (
    FEWEST_IMAGES,
    MAX_SHIFT,
    MAX_SHIFT_OF_FEW,
    Shift,
    evenly,
    norms_of,
    said_of,
)
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.encoders import load_encoder
from xai_assets.world.description import describe
from xai_assets.world.render import render


class Normed(nn.Module):
    """One batch normalisation over channels of mean 1 and spread 2 in training."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(6)
        self.norm.running_mean.fill_(1)
        self.norm.running_var.fill_(4)

    def forward(self, images):
        return self.norm(images)


def shift(mean=1.0, spread=2.0, images=24, seed=0):
    generator = torch.Generator().manual_seed(seed)
    network = Normed().eval()
    noise = torch.randn(images, 6, 8, 8, generator=generator)
    level = torch.randn(images, 6, 1, 1, generator=generator)  # images differ from each other
    with norms_of(network) as norms:
        for some in (mean + spread * (noise + level) / 2**0.5).split(5):
            network(some)
    assert not network.norm._forward_pre_hooks
    return norms.shift()


@pytest.mark.parametrize("images", [8, 12, 20, 24, 100])
def test_images_of_the_training_s_own_domain_lie_at_nought(images):
    values = [shift(images=images, seed=seed).value for seed in range(40)]
    assert -1.5 / images < np.mean(values) < 0.5 / images
    assert np.mean(np.array(values) > (MAX_SHIFT if images >= 20 else MAX_SHIFT_OF_FEW)) <= 0.05


def test_another_mean_or_spread_lies_apart_by_its_square():
    assert shift(mean=1 + 2**0.5).value == pytest.approx(1, abs=1)  # one standard deviation between images
    assert shift(mean=3).value > MAX_SHIFT and shift(spread=4).value > MAX_SHIFT
    assert not shift(mean=3).known and shift().known


def test_few_images_and_networks_without_statistics_are_not_known():
    assert shift(images=FEWEST_IMAGES - 1) is None
    for network in (nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3, track_running_stats=False)):
        with norms_of(network.eval()) as norms:
            network(torch.zeros(24, 3, 2, 2))
        assert norms.shift() is None
    said, known = said_of(None)
    assert known is None and "not known" in said


def test_rows_say_the_number_and_warn():
    assert domain_row("net", Shift(0.01, 24, 3)).level == "ok"
    key, said, level = domain_row("net", Shift(0.8, 24, 3))
    assert (key, level) == ("training domain of net", "warn") and "24 images lie 0.80" in said
    assert domain_row("net", None).level == "ok"
    assert evenly(5) == [0, 1, 2, 3, 4] and evenly(48)[:3] == [0, 2, 4]


@pytest.fixture(scope="module")
def probes():
    from skimage import data

    rng = np.random.default_rng(0)
    photographs = []
    for name in ("astronaut", "chelsea", "coffee", "rocket", "coins", "page", "cell", "moon"):
        image = np.asarray(getattr(data, name)())
        image = np.stack([image] * 3, -1) if image.ndim == 2 else image
        for _ in range(3):
            top, left = (rng.integers(0, side - 180) for side in image.shape[:2])
            photographs.append(np.ascontiguousarray(image[top : top + 180, left : left + 180]))
    return [render(describe("probe", index)).image for index in range(24)], photographs


@pytest.mark.parametrize("name", ["diorama/object", "diorama/scene", "diorama/clip"])
def test_the_embedded_world_s_networks_know_its_scenes_and_no_mixed_photographs(name, probes):
    scenes, photographs = probes
    settings = Settings.from_environment()
    if name == "diorama/clip":
        asked = of_encoder(load_encoder(name, settings, device="cpu"))
    else:
        asked = of_classifier(load_classifier(name, settings, device="cpu"))
    assert embedded_world_s(asked.sha256, settings) and not embedded_world_s("0" * 64, settings)
    reference = scene_reference(asked)
    for images in (scenes, scenes[:12]):
        assert domain_of(asked, images, reference).known
    for images in (photographs, photographs[::2]):
        assert domain_of(asked, images, reference).known is False
    assert domain_of(asked, scenes[:1], reference).known is None


def test_a_network_that_was_not_trained_knows_no_scenes(probes):
    encoder = load_encoder("diorama/clip", Settings.from_environment(), device="cpu")
    assert domain_of(of_encoder(encoder), probes[0], None).known
    torch.manual_seed(0)
    for module in encoder.model.visual.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    assert not domain_of(of_encoder(encoder), probes[0], None).known
