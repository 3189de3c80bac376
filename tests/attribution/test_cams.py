"""Class activation maps against the library called directly, and against their formulas."""

import copy
import dataclasses

import numpy as np
import pytest
import pytorch_grad_cam
import torch
import torchvision
from pytorch_grad_cam.ablation_layer import AblationLayer
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

from tests.attribution.conftest import make_classifier
from xai_assets.attribution import cams
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.explain import explain
from xai_assets.attribution.parameters import PARAMETERS
from xai_assets.attribution.scaling import scale
from xai_assets.errors import XaiError
from xai_assets.vision.class_matching import UnknownClass
from xai_assets.vision.layers import UnknownLayer

FUNCTIONS = {"gradcam": cams.gradcam, "ablationcam": cams.ablationcam, "scorecam": cams.scorecam}
LIBRARY = {
    "gradcam": pytorch_grad_cam.GradCAM,
    "ablationcam": pytorch_grad_cam.AblationCAM,
    "scorecam": pytorch_grad_cam.ScoreCAM,
}


def library_map(method, network, tensor, target, layer):
    network.requires_grad_(True)  # as its users have it
    options = {"ablation_layer": AblationLayer()} if method == "ablationcam" else {}
    with LIBRARY[method](network, [network.get_submodule(layer)], **options) as cam:
        found = cam(input_tensor=tensor, targets=[ClassifierOutputTarget(target)])[0]
    network.requires_grad_(False)
    return found


@pytest.mark.parametrize("layer", ["layer4", "conv1"])
@pytest.mark.parametrize("method", FUNCTIONS)
@pytest.mark.parametrize("target", [0, 3])
def test_the_scaled_map_is_the_librarys(method, layer, target, classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    ours = scale(FUNCTIONS[method](classifier, tensor, [target], layer)[0].values)
    theirs = library_map(method, classifier.network, tensor, target, layer)
    assert ours.shape == theirs.shape == pixels.shape[:2]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("method", FUNCTIONS)
def test_what_is_written_over_a_layer_in_place_is_not_its_map(method, classifier, pixels):
    # layer4.0 is a convolution before an in-place ReLU: the library's record of it is overwritten.
    tensor = classifier.preprocessing.tensor(pixels)[None]
    twin = copy.deepcopy(classifier.network)
    twin.layer4[1].inplace = False
    twin.relu.inplace = False
    ours = scale(FUNCTIONS[method](classifier, tensor, [3], "layer4.0")[0].values)
    np.testing.assert_allclose(ours, library_map(method, twin, tensor, 3, "layer4.0"), atol=1e-4)
    if method != "ablationcam":  # its library weights are lost in 1e7 both ways
        overwritten = library_map(method, classifier.network, tensor, 3, "layer4.0")
        assert np.abs(ours - overwritten).max() > 0.05


def test_an_addition_in_place_behind_the_layer_is_not_its_map():
    # torchvision's `out += identity` writes over bn2: with the same logits, the library's map is another.
    torch.manual_seed(0)
    network = torchvision.models.resnet18(num_classes=5)
    network.train()(torch.randn(8, 3, 64, 64))
    model = make_classifier(network)
    tensor = torch.randn(1, 3, 64, 64)
    block = network.layer4[1]

    def out_of_place(x):
        return torch.relu(block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x))))) + x)

    ours = scale(cams.gradcam(model, tensor, [2], "layer4.1.bn2")[0].values)
    overwritten = library_map("gradcam", network, tensor, 2, "layer4.1.bn2")
    block.forward = out_of_place
    theirs = library_map("gradcam", network, tensor, 2, "layer4.1.bn2")
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert np.abs(ours - overwritten).max() > 0.1


def test_photographs_give_the_librarys_maps(reference_data, classifier):
    from PIL import Image

    squash = make_classifier(classifier.network, size=64)
    for path in sorted((reference_data / "images").iterdir())[:3]:
        pixels = np.asarray(Image.open(path).convert("RGB"))
        tensor = squash.preprocessing.tensor(pixels)[None]
        for method in FUNCTIONS:
            found = explain(method, squash, pixels, 2, layer="layer4")
            theirs = library_map(method, squash.network, tensor, 2, "layer4")
            np.testing.assert_allclose(found.scaled(), theirs, atol=1e-5)
            assert found.frame.original == pixels.shape[:2]
            assert found.frame.size == found.values.shape == (64, 64)


@pytest.mark.parametrize("method", ["ablationcam", "scorecam"])
def test_the_batch_size_does_not_change_the_map(method, classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    maps = [
        FUNCTIONS[method](classifier, tensor, [1], "conv1", parameters=PARAMETERS[method](batch_size=n))[
            0
        ].values
        for n in (1, 3, 64)
    ]
    for other in maps[1:]:
        np.testing.assert_allclose(maps[0], other, rtol=1e-4, atol=1e-5)


def test_gradcam_of_average_pool_and_linear_head_is_the_heads_weights(classifier, pixels):
    # y = W mean(A): the gradient of y_k at a pixel of channel c is W_kc / (h w), and so is its mean.
    tensor = classifier.preprocessing.tensor(pixels)[None]
    (found,) = cams.gradcam(classifier, tensor, [4], "layer4")
    activations = layer4(classifier.network, tensor)
    area = activations.shape[1] * activations.shape[2]
    weights = classifier.network.fc.weight[4].numpy() / area
    np.testing.assert_allclose(found.channel_weights, weights, rtol=1e-5)
    np.testing.assert_allclose(
        found.low_resolution, np.tensordot(weights, activations, 1), rtol=1e-4, atol=1e-8
    )


def test_ablationcam_of_average_pool_and_linear_head_is_each_channels_share_of_the_score(classifier, pixels):
    # Without channel c the score falls by W_kc mean(A_c); the library divides by the score.
    tensor = classifier.preprocessing.tensor(pixels)[None]
    (found,) = cams.ablationcam(classifier, tensor, [4], "layer4")
    activations = layer4(classifier.network, tensor)
    score = classifier.logits(tensor)[0, 4].item()
    drop = classifier.network.fc.weight[4].numpy() * activations.mean(axis=(1, 2))
    np.testing.assert_allclose(found.channel_weights, drop / score, rtol=1e-3, atol=1e-6)


def test_scorecam_weights_are_a_softmax_over_the_scores_of_masked_images(classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    (found,) = cams.scorecam(classifier, tensor, [4], "layer4")
    channels = torch.from_numpy(layer4(classifier.network, tensor))[:, None]
    masks = nn.functional.interpolate(channels, tensor.shape[-2:], mode="bilinear", align_corners=True)
    low, high = masks.amin(dim=(1, 2, 3), keepdim=True), masks.amax(dim=(1, 2, 3), keepdim=True)
    scores = classifier.logits(tensor * (masks - low) / (high - low + 1e-8))[:, 4]
    np.testing.assert_allclose(found.channel_weights, torch.softmax(scores, 0).numpy(), rtol=1e-4)
    assert found.channel_weights.sum() == pytest.approx(1, abs=1e-5)


def layer4(network, tensor):
    kept = []
    handle = network.layer4.register_forward_hook(lambda _, __, output: kept.append(output))
    with torch.no_grad():
        network(tensor)
    handle.remove()
    return kept[0][0].numpy()  # c h w


def test_raw_values_keep_the_absolute_evidence(classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    (once,) = cams.gradcam(classifier, tensor, [0], "layer4")
    with torch.no_grad():
        classifier.network.fc.weight.mul_(3)
    (thrice,) = cams.gradcam(classifier, tensor, [0], "layer4")
    np.testing.assert_allclose(thrice.values, 3 * once.values, rtol=1e-4)
    assert once.values.min() >= 0
    assert once.low_resolution.min() < 0


def test_a_batch_gives_each_images_own_map(classifier, pixels):
    tensor = torch.stack([classifier.preprocessing.tensor(p) for p in (pixels, pixels[::-1].copy())])
    both = cams.gradcam(classifier, tensor, [1, 3], "layer4")
    for index, target in enumerate([1, 3]):
        (alone,) = cams.gradcam(classifier, tensor[index : index + 1], [target], "layer4")
        np.testing.assert_allclose(both[index].values, alone.values, rtol=1e-4, atol=1e-7)


def test_it_works_inside_inference_mode_and_no_grad(classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    (outside,) = cams.gradcam(classifier, tensor, [1], "layer4")
    for mode in (torch.inference_mode(), torch.no_grad()):
        with mode:
            (inside,) = cams.gradcam(classifier, tensor, [1], "layer4")
        assert inside.values.tobytes() == outside.values.tobytes()


@pytest.mark.parametrize("method", FUNCTIONS)
@pytest.mark.parametrize(("layer", "why"), [("fc", r"shape \(1, 5\)"), ("unused", "is not reached")])
def test_a_layer_without_a_map_is_named(method, layer, why, classifier, pixels):
    classifier.network.unused = nn.Conv2d(3, 3, 1)
    tensor = classifier.preprocessing.tensor(pixels)[None]
    with pytest.raises(XaiError, match=why):
        FUNCTIONS[method](classifier, tensor, [1], layer)


@pytest.mark.parametrize("method", FUNCTIONS)
def test_what_does_not_exist_is_named(method, classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    with pytest.raises(UnknownLayer, match="layer5"):
        FUNCTIONS[method](classifier, tensor, [1], "layer5")
    for target in (5, -1):
        with pytest.raises(UnknownClass, match=str(target)):
            FUNCTIONS[method](classifier, tensor, [target], "layer4")
    with pytest.raises(AttributionError, match="2 target classes"):
        FUNCTIONS[method](classifier, tensor, [1, 2], "layer4")


def test_a_score_of_zero_makes_ablationcam_flagged_not_plausible(classifier, pixels):
    with torch.no_grad():
        classifier.network.fc.weight[2] = 0
        classifier.network.fc.bias[2] = 0
    found = explain("ablationcam", classifier, pixels, 2, layer="layer4")
    assert "non_finite" in found.flags
    assert np.isfinite(found.scaled()).all()


def test_no_evidence_at_all_is_flagged_constant(classifier, pixels):
    with torch.no_grad():
        classifier.network.fc.weight[2] = -classifier.network.fc.weight[2].abs()
    found = explain("gradcam", classifier, pixels, 2, layer="layer4")
    assert found.flags == ("constant",)
    assert not found.usable
    assert not found.scaled().any()
    assert found.extras["low_resolution"].min() < 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda network: network.half(), "parameters are float16"),
        (lambda network: network.double(), "parameters are float64"),
        (lambda network: setattr(network, "fc", nn.Flatten(0)) or network, r"answered \("),
    ],
)
@pytest.mark.parametrize("method", ["gradcam", "scorecam"])
def test_a_network_that_does_not_fit_is_told_so_in_our_words(method, change, said, classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    changed = dataclasses.replace(classifier, network=change(copy.deepcopy(classifier.network)))
    with pytest.raises(XaiError, match=said):
        FUNCTIONS[method](changed, tensor, [1], "layer4")


def test_a_network_made_in_inference_mode_has_no_gradients_and_is_told_so(classifier, pixels):
    with torch.inference_mode():
        made = copy.deepcopy(classifier.network)
    tensor = classifier.preprocessing.tensor(pixels)[None]
    with pytest.raises(XaiError, match=r"made in torch\.inference_mode"):
        cams.gradcam(dataclasses.replace(classifier, network=made), tensor, [1], "layer4")
