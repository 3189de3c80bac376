"""Networks that were never trained: what they detect, and that being told apart from them means something."""

import dataclasses

import numpy as np
import pytest
import torch

from tests.dissection.wired import labelled_scenes
from xai_assets.dissection.activations import collect
from xai_assets.dissection.concepts import netdissect_table
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.netdissect import paired_tallies, tally
from xai_assets.dissection.pixel_significance import image_permutations, pixel_significance
from xai_assets.dissection.shuffled import calibrate, shuffled_twin
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.diorama_net import DioramaResNet

SCENES, TWINS, LEVEL = 200, 20, 0.05
LAYERS = ("layer2", "layer3", "layer4")


@pytest.fixture(scope="module")
def probe():
    torch.set_num_threads(1)
    return labelled_scenes(SCENES)


@pytest.fixture(scope="module")
def labels(probe):
    return read_labels(probe)


@pytest.fixture(scope="module")
def trained():
    return load_classifier("diorama/object", Settings.from_environment())


@pytest.fixture(scope="module")
def untrained(probe, trained):
    torch.manual_seed(5)
    found = dataclasses.replace(trained, network=DioramaResNet(width=16).eval().requires_grad_(False))
    calibrate(found, probe, range(SCENES))
    return found


def called(classifier, probe, labels, layers=LAYERS, twins=TWINS):
    """By layer: units, detectors at q < 0.05 against other pictures, and those of them against shuffled networks."""
    found = collect(classifier, layers, probe)
    levels = {name: top_quantile_thresholds(layer) for name, layer in found.layers.items()}
    maps = {name: layer.maps for name, layer in found.layers.items()}
    pairings = np.concatenate([np.arange(SCENES)[None], image_permutations(SCENES, 20, seed=0)])
    counts = paired_tallies(maps, levels, labels, pairings)
    shuffled = {name: [] for name in layers}
    for seed in range(twins):
        twin = collect(shuffled_twin(classifier, probe, range(SCENES), seed=seed), layers, probe)
        thresholds = {name: top_quantile_thresholds(layer) for name, layer in twin.layers.items()}
        for name, own in tally(
            {n: layer.maps for n, layer in twin.layers.items()}, thresholds, labels
        ).items():
            shuffled[name].append(own.iou.max(axis=1)[~twin.layers[name].dead])
    rows = {}
    for name, (own, *null) in counts.items():
        dead = found.layers[name].dead
        trust = pixel_significance(own.iou.max(axis=1), np.stack([t.iou.max(axis=1) for t in null]), ~dead)
        table = netdissect_table("m", name, own, levels[name], dead, trust, shuffled=shuffled[name])
        by_pictures = table["detector"] & (table["q"] < LEVEL)
        rows[name] = (
            len(table),
            int(by_pictures.sum()),
            int((by_pictures & table["beyond_chance"]).sum()),
        )
    return rows


@pytest.mark.slow
def test_no_unit_of_an_untrained_network_is_called_beyond_the_stated_rate(untrained, probe, labels):
    found = called(untrained, probe, labels)
    print("untrained: units, detectors against other pictures, and against shuffled networks", found)
    units, _, beyond = (sum(column) for column in zip(*found.values(), strict=True))
    assert beyond <= LEVEL * units


@pytest.mark.slow
def test_most_units_of_a_trained_last_layer_are(trained, probe, labels):
    found = called(trained, probe, labels, ("layer4",))
    print("trained: units, detectors against other pictures, and against shuffled networks", found)
    units, _, beyond = found["layer4"]
    assert beyond >= 0.9 * units


def test_a_twin_has_the_same_weights_in_another_order_and_the_original_is_left_alone(trained, probe):
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    twin = shuffled_twin(trained, probe, range(8), seed=0)
    again = shuffled_twin(trained, probe, range(8), seed=0)
    for (name, own), other in zip(trained.network.named_parameters(), twin.network.parameters(), strict=True):
        assert torch.equal(own.flatten().sort().values, other.flatten().sort().values), name
        assert own.numel() < 20 or own.min() == own.max() or not torch.equal(own, other), name
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, before[name]), name
    for one, other in zip(
        twin.network.state_dict().values(), again.network.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
    assert not any(module.training for module in twin.network.modules())


def test_labels_of_some_images_are_those_images_labels(probe, labels):
    chosen = [7, 3, 3, 150]
    some = labels.select(chosen)
    assert len(some) == 4
    whole = np.array([0, 0, 1, 1], np.float32)
    for at, image in enumerate(chosen):
        assert np.array_equal(some.segments(at, whole), labels.segments(image, whole))
        for mine, theirs in zip(some.membership(at), labels.membership(image), strict=True):
            assert np.array_equal(mine, theirs)
    assert len(labels.select([])) == 0
