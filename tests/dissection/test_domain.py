"""Batch normalisation tells images of the training's domain from others, without labels."""

import numpy as np
import pytest
import torch
from torch import nn

from xai_assets.analysis.domain import classifier_shift, domain_row, encoder_shift
from xai_assets.dissection.domain import FEWEST_IMAGES, MAX_SHIFT, Shift, evenly, norms_of, said_of
from xai_assets.dissection.probe import ArrayProbe
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


@pytest.mark.parametrize("images", [20, 24, 100])
def test_images_of_the_training_s_own_domain_lie_at_nought(images):
    values = [shift(images=images, seed=seed).value for seed in range(40)]
    assert -1.5 / images < np.mean(values) < 0.5 / images
    assert np.mean(np.array(values) > MAX_SHIFT) <= 0.05


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
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        image = getattr(data, name)()
        for _ in range(6):
            top, left = rng.integers(0, image.shape[0] - 200), rng.integers(0, image.shape[1] - 200)
            photographs.append(image[top : top + 200, left : left + 200])
    scenes = [render(describe("probe", index)).image for index in range(24)]
    return ArrayProbe(scenes), ArrayProbe([image[36:164, 36:164] for image in photographs])


def test_the_embedded_world_s_networks_know_its_scenes_and_no_photographs(probes):
    scenes, photographs = probes
    settings = Settings.from_environment()
    encoder = load_encoder("diorama/clip", settings, device="cpu")
    classifier = load_classifier("diorama/object", settings, device="cpu")
    assert encoder_shift(encoder, scenes).known and classifier_shift(classifier, scenes).known
    assert not classifier_shift(classifier, photographs).known
    assert not encoder_shift(encoder, photographs).known
    torch.manual_seed(0)
    for module in encoder.model.visual.modules():
        if hasattr(module, "reset_parameters"):
            module.reset_parameters()
    assert not encoder_shift(encoder, scenes).known
