"""Model randomisation: the cascade, the veto on maps that do not look, none on one that does."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from xai_assets.evaluation.controls import random_smooth
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.randomisation import (
    VETO,
    chance_similarity,
    depths,
    layers_with_parameters,
    randomise,
    similarity,
    smooth_noise,
    veto,
    veto_table,
)
from xai_assets.evaluation.ranking import RankedMaps
from xai_assets.resources.tables import TABLES


@pytest.fixture
def network():
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
    return nn.Sequential(nn.Conv2d(3, 4, 3), block, nn.Flatten(), nn.Linear(6 * 16, 5)).eval()


def changed(network, twin):
    after = dict(twin.named_parameters())
    return [name for name, value in network.named_parameters() if not torch.equal(value, after[name])]


def test_the_cascade_goes_from_the_last_layer_on(network):
    assert [name for name, _ in layers_with_parameters(network)] == ["0", "1.0", "1.1", "3"]
    nn.init.normal_(network[1][1].weight)  # all ones would look the same in any order
    nn.init.normal_(network[1][1].bias)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert changed(network, randomise(network, 1, seed=0).network) == ["3.weight", "3.bias"]
    two = randomise(network, 2, seed=0)
    assert two.name == "1.1" and two.layers == 2
    assert changed(network, two.network) == ["1.1.weight", "1.1.bias", "3.weight", "3.bias"]
    assert len(changed(network, randomise(network, 4, seed=0).network)) == 8
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])


def test_each_stage_holds_the_one_before_and_keeps_every_value(network):
    two, four = (randomise(network, layers, seed=3).network for layers in (2, 4))
    assert torch.equal(two[3].weight, four[3].weight)
    assert not torch.equal(four[3].weight, randomise(network, 4, seed=4).network[3].weight)
    for mine, other in zip(network.state_dict().values(), four.state_dict().values(), strict=True):
        assert torch.equal(mine.flatten().sort().values, other.flatten().sort().values)
    assert not any(parameter.requires_grad for parameter in four.parameters()) and not four.training


def test_statistics_of_random_layers_are_measured_anew_and_those_before_stay(network):
    first = nn.Sequential(nn.BatchNorm2d(3), network)
    first[0].running_mean.fill_(5.0)
    batches = [torch.randn(8, 3, 8, 8) for _ in range(3)]
    twin = randomise(first, 4, seed=0, batches=batches).network
    norm = twin[1][1][1]
    with torch.no_grad():
        seen = torch.cat([twin[1][1][0](twin[1][0](twin[0](batch))) for batch in batches])
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    assert torch.equal(twin[0].running_mean, first[0].running_mean)
    assert not any(module.training for module in twin.modules())
    assert norm.momentum == network[1][1].momentum


def test_units_that_would_be_dead_with_the_old_statistics_are_alive(network):
    network[1][1].running_mean.fill_(100.0)  # right for the weights that were learned
    batch = torch.randn(16, 3, 8, 8)

    def alive(twin):
        with torch.no_grad():
            return int((twin[1](twin[0](batch)).amax((0, 2, 3)) > 0).sum())

    assert alive(randomise(network, 4, seed=0).network) == 0
    assert alive(randomise(network, 4, seed=0, batches=[batch]).network) == 6


def test_the_veto_rests_on_images_whose_maps_are_alive():
    table = pd.DataFrame(
        [
            ("a", "gradcam", False, 0.2, 0.3),
            ("a", "gradcam", False, 0.4, 0.3),
            ("b", "gradcam", False, 0.9, 0.3),
            ("c", "gradcam", False, None, 0.3),
            ("a", "lime", False, None, 0.3),
            ("a", "ones", True, None, None),
        ],
        columns=["image_id", "method", "is_control", "value", "chance"],
    )
    found = veto_table(table, above=0.5)
    assert list(found.columns) == list(VETO) == list(TABLES["randomisation_veto"].columns)
    grad, lime, ones = found.to_dict("records")
    assert grad["similarity"] == pytest.approx((0.3 + 0.9) / 2) and grad["vetoed"] is True
    assert (grad["n"], grad["excluded"], grad["alive"], grad["vanished"], grad["constant"]) == (2, 1, 3, 1, 0)
    assert lime["vetoed"] is None and (lime["alive"], lime["vanished"]) == (0, 1)
    assert ones["vetoed"] is None and ones["constant"] == 1


@pytest.mark.parametrize(
    ("layers", "stages", "expected"), [(22, 3, [1, 12, 22]), (2, 5, [1, 2]), (1, 2, [1])]
)
def test_depths(layers, stages, expected):
    assert depths(layers, stages) == expected


def test_a_map_that_looks_at_the_picture_alone_is_vetoed_and_one_that_looks_at_the_model_is_not(network):
    generator = np.random.default_rng(0)
    blind, seeing = [], []
    random_network = randomise(network, 4, seed=0).network
    for _ in range(12):
        image = torch.from_numpy(generator.normal(size=(1, 3, 8, 8)).astype(np.float32))

        def gradient(model, image=image):
            leaf = image.clone().requires_grad_()
            model(leaf)[0, 2].backward()
            return leaf.grad[0].sum(0).numpy()

        edges = image[0].abs().sum(0).numpy()
        blind.append(similarity(edges, edges))
        seeing.append(similarity(gradient(network), gradient(random_network)))
    assert blind == [1.0] * 12
    assert veto(float(np.mean(blind)), above=0.5) is True
    assert veto(float(np.mean(seeing)), above=0.5) is False


def test_chance_is_what_smooth_noise_reaches():
    view = np.zeros((48, 48, 3), dtype=np.uint8)
    values = random_smooth(view, seed=7)
    noise = RankedMaps(smooth_noise((48, 48), seed=0))
    level = chance_similarity(values, noise)
    others = [abs(similarity(values, random_smooth(view, seed=seed))) for seed in range(1000, 1400)]
    assert np.mean(np.array(others) > level) == pytest.approx(0.05, abs=0.04)
    pixels = np.random.default_rng(0).random((48, 48))
    assert chance_similarity(pixels, noise) < level  # rough maps agree less by chance


def test_what_cannot_be_measured_is_none_or_an_error():
    assert similarity(np.ones((3, 3)), np.arange(9.0).reshape(3, 3)) is None
    assert chance_similarity(np.ones((9, 9)), RankedMaps(smooth_noise((9, 9), seed=0))) is None
    assert veto(None, above=0.5) is None
    with pytest.raises(EvaluationError, match="1 stages"):
        depths(5, 1)
    with pytest.raises(EvaluationError, match="0 layers"):
        depths(0, 3)
