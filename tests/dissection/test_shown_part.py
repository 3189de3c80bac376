"""Many networks shown the same images: quicker than one after the other, and the same numbers."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.dissection.wired import labelled_scenes
from xai_assets.dissection.activations import collect
from xai_assets.dissection.concepts import netdissect_table
from xai_assets.dissection.held_inputs import HeldInputs
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.netdissect import tally
from xai_assets.dissection.passes import batch_of
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.dissection.shown_part import ShownPart
from xai_assets.dissection.shuffled import calibrate, measuring_first, shuffled_twin, with_shuffled_weights
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.settings import Settings
from xai_assets.vision.batch_norm import norms_with_statistics
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.same_scores import channels_last_or_as_usual

LAYERS = ("layer3", "layer4")
SCENES = 90
CHOSEN = [*range(70), 85, 83]
FIRST = [CHOSEN[at * len(CHOSEN) // 64] for at in range(64)]
QUANTILE = 0.005


@pytest.fixture(scope="module")
def probe():
    torch.set_num_threads(1)
    return labelled_scenes(SCENES)


@pytest.fixture(scope="module")
def trained():
    return load_classifier("diorama/object", Settings.from_environment())


@pytest.fixture(scope="module")
def labels(probe):
    return read_labels(probe).select(CHOSEN)


def one_by_one(classifier, probe, labels):
    found = collect(classifier, LAYERS, probe, indices=CHOSEN, quantile=QUANTILE)
    levels = {name: top_quantile_thresholds(layer, QUANTILE) for name, layer in found.layers.items()}
    counts = tally({name: layer.maps for name, layer in found.layers.items()}, levels, labels)
    return {name: (layer, counts[name].iou.max(axis=1)) for name, layer in found.layers.items()}


@pytest.mark.parametrize("seed", [None, 3])
def test_the_numbers_are_those_of_the_steps_one_by_one(probe, trained, labels, seed):
    before = {name: value.clone() for name, value in trained.network.state_dict().items()}
    part = ShownPart(trained, LAYERS, probe, CHOSEN, labels, QUANTILE)
    found = part.of(seed, "avg")
    for name, value in trained.network.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert not any(module.training for module in trained.network.modules())
    plain = trained if seed is None else shuffled_twin(trained, probe, FIRST, seed=seed)
    for name, (layer, iou) in one_by_one(plain, probe, labels).items():
        np.testing.assert_allclose(found[name].response, layer.pooled, rtol=2e-3, atol=2e-4)
        assert np.array_equal(found[name].dead, layer.dead)
        assert np.abs(found[name].iou - iou).max() < 0.005 and np.abs(found[name].iou - iou).mean() < 2e-4
    again = part.of(seed, "avg")
    assert all(np.array_equal(again[name].iou, found[name].iou) for name in LAYERS)


def test_without_labels_there_are_no_overlaps(probe, trained):
    found = ShownPart(trained, ["layer4", "fc"], probe, CHOSEN[:3], None, QUANTILE).of(0, "max")
    assert found["layer4"].iou is None and found["fc"].response.shape == (3, 12)


def test_the_first_batch_measures_and_its_outputs_stand(probe, trained):
    batch, _ = batch_of(trained, probe, range(32))
    twin, other = (with_shuffled_weights(trained, seed=1) for _ in range(2))
    forward = measuring_first(twin.network)
    calibrate(other, probe, range(32))
    with torch.inference_mode():
        first, second, wanted = forward(batch), forward(batch), other.network(batch)
    for mine, theirs in zip(
        norms_with_statistics(twin.network), norms_with_statistics(other.network), strict=True
    ):
        assert torch.equal(mine.running_mean, theirs.running_mean) and not mine.training
        assert torch.equal(mine.running_var, theirs.running_var)
    assert torch.equal(second, wanted)
    torch.testing.assert_close(first, second, rtol=0, atol=2e-3 * second.abs().max().item())


def test_thresholds_of_these_images_alone_need_fewer_maps_and_are_the_same(probe, trained):
    kept = [collect(trained, LAYERS, probe, indices=CHOSEN, alone=alone) for alone in (False, True)]
    for name in LAYERS:
        whole, few = (one.layers[name] for one in kept)
        assert np.array_equal(top_quantile_thresholds(whole), top_quantile_thresholds(few))
        assert len(few.maps.units) < 0.7 * len(whole.maps.units)


def test_inputs_are_made_once_as_far_as_they_fit(trained):
    class Counted(ArrayProbe):
        read = 0

        def image(self, index):
            type(self).read += 1
            return super().image(index)

    scenes = [np.full((128, 128, 3), value, np.uint8) for value in range(3)]
    probe = Counted(scenes)
    held = HeldInputs(trained, probe, memory=2 * 3 * 128 * 128 * 4, memory_format=torch.channels_last)
    for _ in range(2):
        for some in ([0, 1], [2]):
            batch, boxes = held(some)
            wanted, whole = batch_of(trained, ArrayProbe(scenes), some)
            assert torch.equal(batch, wanted) and np.array_equal(boxes, whole)
            assert batch.is_contiguous(memory_format=torch.channels_last)
            batch.zero_()  # the caller's own
    assert Counted.read == 4  # the third does not fit


class Flat(nn.Module):
    """Asks for the usual layout."""

    def forward(self, x):
        return x.view(len(x), -1)[:, :5]


class Raw(nn.Module):
    """Reads memory as it lies."""

    def forward(self, x):
        return x.as_strided((len(x), 5), (x[0].numel(), 7))


def test_channels_last_only_where_scores_stay(trained):
    image = torch.rand(1, 3, 32, 32)
    assert channels_last_or_as_usual(trained.network, image) == torch.channels_last
    assert channels_last_or_as_usual(Flat(), image) == torch.contiguous_format
    assert channels_last_or_as_usual(Raw(), image) == torch.contiguous_format


def test_units_are_held_against_shuffled_ones_by_the_images_that_both_were_shown(probe, trained, labels):
    found = ShownPart(trained, ["layer4"], probe, CHOSEN, labels, QUANTILE)
    own, twin = found.of(None, "avg")["layer4"], found.of(0, "avg")["layer4"]
    whole = collect(trained, ["layer4"], probe, quantile=QUANTILE).layers["layer4"]
    levels = top_quantile_thresholds(whole)
    counts = tally({"layer4": whole.maps}, {"layer4": levels}, read_labels(probe))["layer4"]
    table = netdissect_table(
        "m", "layer4", counts, levels, whole.dead, shuffled=[twin.iou] * 20, on_part=own.iou
    )
    as_high = (1 + 20 * (twin.iou[None] >= own.iou[:, None]).sum(axis=1)) / (1 + 20 * len(twin.iou))
    living = ~whole.dead
    np.testing.assert_allclose(table["p_shuffled"][living], as_high[living])
    np.testing.assert_allclose(table["iou"][living], counts.iou.max(axis=1)[living])
