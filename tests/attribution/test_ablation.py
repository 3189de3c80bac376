"""AblationCAM's named choices, against the library's own layer and the formula."""

import numpy as np
import pytest
import torch
from pytorch_grad_cam.ablation_layer import AblationLayer

from tests.attribution.test_cams import library_map
from xai_assets.attribution import cams
from xai_assets.attribution.ablation import ablation_values
from xai_assets.attribution.explain import explain
from xai_assets.attribution.parameters import AblationCAMParameters
from xai_assets.attribution.scaling import scale
from xai_assets.attribution.split import Behind
from xai_assets.vision.layouts import Layout


def behind(output):
    return Behind(output, Layout(1, 0, *output.shape[-2:]), lambda given: given, None, "full passes")


@pytest.mark.parametrize("least", [0.0, -0.3, 0.2])
def test_the_librarys_values_are_what_its_layer_writes(least):
    output = torch.rand(1, 70, 3, 3) + least + 0.01
    output[0, 5, 1, 1] = least
    layer = AblationLayer()
    layer.activations_to_be_ablated(output[0])
    written = []
    for start in range(0, 70, 32):
        count = min(32, 70 - start)
        layer.set_next_batch(0, output, count)
        ablated = layer(None)
        written += [ablated[row, start + row].unique().item() for row in range(count)]
        layer.indices = layer.indices[count:]
    assert ablation_values(behind(output), "library").tolist() == written
    assert not ablation_values(behind(output), "zero").any()


@pytest.mark.parametrize("layer", ["layer4", "conv1"])
def test_magnitude_differs_from_score_by_the_scores_sign(layer, classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    scores = classifier.logits(tensor)[0]
    for target in (int(scores.argmin()), int(scores.argmax())):
        by_score, by_magnitude = (
            cams.ablationcam(
                classifier, tensor, [target], layer,
                parameters=AblationCAMParameters(denominator=denominator, value="zero"),
            )[0].channel_weights
            for denominator in ("score", "magnitude")
        )  # fmt: skip
        np.testing.assert_array_equal(by_magnitude, np.sign(scores[target].item()) * by_score)
    assert scores.min() < 0 < scores.max()


def test_the_library_explains_a_negative_score_upside_down(classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    target = int(classifier.logits(tensor)[0].argmin())
    theirs = library_map("ablationcam", classifier.network, tensor, target, "layer4")
    score = explain("ablationcam", classifier, pixels, target, layer="layer4")
    magnitude = explain(
        "ablationcam", classifier, pixels, target, layer="layer4", parameters={"denominator": "magnitude"}
    )
    np.testing.assert_allclose(score.scaled(), theirs, atol=1e-5)
    low = magnitude.extras["low_resolution"]
    np.testing.assert_array_equal(low, -score.extras["low_resolution"])
    assert np.abs(scale(np.maximum(low, 0)) - scale(np.maximum(-low, 0))).max() > 0.5


def test_channels_that_do_not_change_are_not_evaluated(classifier, pixels):
    with torch.no_grad():
        classifier.network.bn1.weight[2] = 0
        classifier.network.bn1.bias[2] = -1  # dead behind the ReLU
    found = explain("ablationcam", classifier, pixels, 1, layer="relu")
    assert found.details["way"] == "graph cut"
    weights = found.extras["channel_weights"]
    assert weights[2] == 0
    assert found.details["ablated"] == np.count_nonzero(weights) == len(weights) - 1
