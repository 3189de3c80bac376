"""A stored map against the library's: the tolerances hold, faults are seen, and what has no counterpart is said."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from tests.attribution import networks
from tests.attribution.conftest import make_classifier
from xai_assets.attribution.explain import explain
from xai_assets.attribution.library_cams import HANDED_A_COPY, LIBRARY
from xai_assets.attribution.parameters import PARAMETERS
from xai_assets.attribution.verification import REFERENCES, compare, without_counterpart

FEW = {"num_samples": 40, "segmentation": {"name": "grid", "rows": 4, "columns": 4}}


def stored(classifier, pixels, method, layer="layer4", **parameters):
    given = FEW | parameters if method == "lime" else parameters
    return explain(method, classifier, pixels, 2, layer=layer, parameters=given, seed=7)


def altered(found, values):
    return dataclasses.replace(found, values=np.asarray(values, dtype=np.float32))


def test_every_method_has_a_tolerance_with_its_reason():
    assert list(REFERENCES) == list(PARAMETERS)
    assert set(LIBRARY) == set(PARAMETERS) - {"lime"}
    for reference in REFERENCES.values():
        assert 0 < reference.tolerance <= 1e-3 < 1 / 255
        assert reference.reason


@pytest.mark.parametrize("method", PARAMETERS)
def test_a_map_of_ours_is_within_and_one_that_is_turned_round_is_beyond(method, classifier, pixels):
    found = stored(classifier, pixels, method)
    judged = compare(found, classifier, pixels)
    assert judged.verdict == "within"
    assert judged.difference <= REFERENCES[method].tolerance / 10
    turned = compare(altered(found, found.values[:, ::-1]), classifier, pixels)
    assert turned.verdict == "beyond"
    assert turned.difference > 0.1


@pytest.mark.parametrize("method", PARAMETERS)
def test_a_map_that_differs_by_twice_the_tolerance_is_beyond(method, classifier, pixels):
    found = stored(classifier, pixels, method)
    values = found.values.copy()
    middle = np.unravel_index(np.argsort(values, axis=None)[values.size // 2], values.shape)
    values[middle] += 2 * REFERENCES[method].tolerance * np.ptp(values)
    assert compare(altered(found, values), classifier, pixels).verdict == "beyond"


@pytest.mark.parametrize("method", ["gradcam", "ablationcam", "lime"])
def test_another_class_layer_or_seed_is_beyond(method, classifier, pixels):
    found = stored(classifier, pixels, method)
    other = (
        dataclasses.replace(found, seed=8) if method == "lime" else dataclasses.replace(found, layer="conv1")
    )
    assert compare(other, classifier, pixels).verdict == "beyond"
    assert compare(dataclasses.replace(found, target=0), classifier, pixels).verdict == "beyond"


def test_the_network_comes_back_as_it_was(classifier, pixels):
    before = {name: value.clone() for name, value in classifier.network.state_dict().items()}
    modules = dict(classifier.network.named_modules())
    for method in PARAMETERS:
        compare(stored(classifier, pixels, method), classifier, pixels)
    assert dict(classifier.network.named_modules()) == modules
    for name, value in classifier.network.state_dict().items():
        assert torch.equal(value, before[name])
    assert not any(module._forward_hooks for module in modules.values())
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())


def test_what_works_in_place_behind_the_layer_is_said_and_compared(classifier, pixels):
    for method in LIBRARY:
        judged = compare(stored(classifier, pixels, method, layer="layer4.0"), classifier, pixels)
        assert (judged.verdict, judged.note) == ("within", HANDED_A_COPY)


@pytest.mark.parametrize(
    ("network", "layer"),
    [("vit", "encoder.layers.encoder_layer_1"), ("swin", "features.3"), ("timm_swin", "layers.1")],
)
@pytest.mark.parametrize("method", ["gradcam", "ablationcam", "scorecam", "eigencam"])
def test_tokens_and_channels_last_are_compared(network, layer, method):
    torch.manual_seed(0)
    model = make_classifier(getattr(networks, network)())
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    judged = compare(stored(model, pixels, method, layer=layer), model, pixels)
    assert judged.verdict == "within", judged


class Shared(nn.Module):
    """One ReLU that is called twice, and a map before LayerNorm whose gradients cancel."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.relu, self.norm, self.head = nn.ReLU(), nn.LayerNorm(6, eps=0), nn.Linear(6, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(self.relu(self.first(x)))
        x = self.relu(x + 3)
        return self.head(self.norm(x.movedim(1, -1)).mean(dim=(1, 2)))  # n h w 6 -> n 6 -> n 5


def test_a_layer_that_is_called_twice_has_no_counterpart(pixels):
    torch.manual_seed(0)
    model = make_classifier(Shared())
    judged = compare(stored(model, pixels, "gradcam", layer="relu"), model, pixels)
    assert judged.verdict == "not_compared"
    assert "called 2 times" in judged.note


def test_a_map_of_rounding_alone_is_neither_within_nor_beyond(pixels):
    # LayerNorm's output does not change with its input's length: HiResCAM's sum over channels is 0 but for rounding.
    torch.manual_seed(0)
    model = make_classifier(Shared())
    found = stored(model, pixels, "hirescam", layer="second")
    assert np.ptp(found.values) < 1e-6
    judged = compare(altered(found, found.values[:, ::-1]), model, pixels)
    assert judged.verdict == "not_compared"
    assert "terms that cancel" in judged.note


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("ablationcam", {"denominator": "magnitude"}),
        ("ablationcam", {"value": "zero"}),
        ("scorecam", {"weighting": "increase"}),
        ("scorecam", {"mode": "fast"}),
        ("scorecam", {"precision": "bfloat16"}),
        ("lime", {"precision": "bfloat16"}),
    ],
)
def test_options_that_the_library_has_not_are_never_within(method, parameters, classifier, pixels):
    found = stored(classifier, pixels, method, **parameters)
    judged = compare(found, classifier, pixels)
    assert judged.verdict == "not_compared"
    assert judged.note == without_counterpart(method, PARAMETERS[method].model_validate(found.parameters))


@pytest.mark.parametrize(
    "parameters",
    [
        {"segmentation": "slic"},
        {"segmentation": {"name": "quickshift", "kernel_size": 1, "max_dist": 6}, "num_features": 3},
        {"hide_color": "blur", "positive_only": False},
        {"hide_color": (0, 128, 255), "model_regressor": "linear", "distance_metric": "euclidean", "kernel_width": 4},
        {"model_regressor": {"name": "lasso", "alpha": 1e-4}, "num_features": 6, "feature_selection": "highest_weights"},
    ],
)  # fmt: skip
def test_limes_parameters_are_the_librarys(parameters, classifier, pixels):
    judged = compare(stored(classifier, pixels, "lime", **parameters), classifier, pixels)
    assert judged.verdict == "within", judged


def test_two_constant_maps_are_not_within(classifier, pixels):
    with torch.no_grad():
        classifier.network.fc.weight[2] = -classifier.network.fc.weight[2].abs()
    judged = compare(stored(classifier, pixels, "gradcam"), classifier, pixels)
    assert (judged.verdict, judged.note) == ("not_compared", "both maps are constant and show nothing")
