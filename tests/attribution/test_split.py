"""What lies behind a layer, on networks of every kind: the scores are the network's own."""

import numpy as np
import pytest
import torch

from tests.attribution import networks
from tests.attribution.conftest import TinyNet, make_classifier
from xai_assets.attribution import cams
from xai_assets.attribution.capture import capture, gradients, substitute
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.parameters import AblationCAMParameters
from xai_assets.attribution.scaling import scale
from xai_assets.attribution.split import LayerSplit
from xai_assets.vision.layout_reader import LayoutError, LayoutReader

CUTS = [
    (networks.resnet, 32, "layer4", "closed form"),
    (networks.resnet, 32, "layer4.0.relu", "closed form"),
    (networks.resnet, 32, "layer3", "graph cut"),
    (networks.resnet, 32, "layer4.0.bn2", "graph cut"),
    (networks.resnet, 32, "layer4.0.conv1", "graph cut"),
    (networks.mobilenet, 32, "features.8", "graph cut"),
    (networks.mobilenet, 32, "features.5.block.2", "graph cut"),
    (networks.densenet, 32, "features.denseblock2.denselayer1.conv2", "graph cut"),
    (networks.vit, 32, "encoder.layers.encoder_layer_1", "graph cut"),
    (networks.vit, 32, "encoder.layers.encoder_layer_2.ln_1", "graph cut"),
    (networks.timm_vit, 64, "blocks.2.norm1", "graph cut"),
    (networks.swin, 32, "features.3", "graph cut"),
    (networks.swin, 32, "features.1.1.norm1", "graph cut"),
    (networks.timm_swin, 32, "layers.1.blocks.1.norm1", "graph cut"),
    (networks.Branching, 32, "stem", "replay"),
    (networks.Branching, 32, "body.0", "replay"),
    (networks.Meddling, 32, "body", "full passes"),
]


@pytest.fixture(params=CUTS, ids=lambda cut: f"{cut[0].__name__}-{cut[2]}")
def case(request):
    make, size, layer, way = request.param
    torch.manual_seed(0)
    model = make_classifier(make())
    return model, torch.randn(2, 3, size, size), layer, way


def test_ablationcam_is_a_full_pass_for_each_channel(case):
    model, images, layer, way = case
    parameters = AblationCAMParameters(value="zero", batch_size=50)
    found = cams.ablationcam(model, images, [1, 3], layer, parameters=parameters)
    for image, target, cam in zip(images.split(1), [1, 3], found, strict=True):
        assert way in (None, cam.details["way"])
        np.testing.assert_allclose(
            cam.channel_weights, slow_weights(model, image, target, layer), atol=2e-4 * weight_scale(cam)
        )


def slow_weights(model, image, target, layer):
    """(s - s_k) / s, one full pass a channel, the channel found by the shape of a transformer's tokens."""
    module = model.network.get_submodule(layer)
    seen = capture(model.network, module, image)
    axis = LayoutReader(model.network, layer).of_maps(seen.output, image).channel_axis
    count = seen.output.shape[axis]
    ablated = seen.output.repeat(count, *[1] * (seen.output.ndim - 1))
    for channel in range(count):
        ablated[channel].movedim(axis % seen.output.ndim - 1, 0)[channel] = 0
    images = image.repeat(count, 1, 1, 1)
    scores = substitute(model.network, module, images, ablated, calls=seen.calls)[:, target]
    original = seen.scores[0, target]
    return ((original - scores) / original).numpy()


def weight_scale(cam):
    return max(1.0, np.abs(cam.channel_weights).max())


def test_gradients_by_the_split_are_the_networks(case):
    model, images, layer, _ = case
    with untouched(model.network) as network:
        split = LayerSplit(network, layer, model.device)
        output, found, layout = split.gradients(images, [0, 4])
        plain_output, plain = gradients(network, network.get_submodule(layer), images, [0, 4])
    torch.testing.assert_close(output, plain_output, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(found, plain, rtol=1e-3, atol=1e-4 * max(1.0, plain.abs().max().item()))
    assert layout.maps(found).shape[-2:] == (layout.height, layout.width)


def test_gradients_are_autograds_own(case):
    model, images, layer, _ = case
    kept = []
    handle = model.network.get_submodule(layer).register_forward_hook(
        lambda *a: kept.append(a[2]) or a[2] * 1
    )
    scores = model.network(images.clone().requires_grad_())
    handle.remove()
    chosen = scores[[0, 1], [0, 4]].sum()
    (expected,) = torch.autograd.grad(chosen, kept[-1], allow_unused=True)
    with untouched(model.network) as network:
        _, found = gradients(network, network.get_submodule(layer), images, [0, 4])
    torch.testing.assert_close(
        found, torch.zeros_like(found) if expected is None else expected, rtol=1e-4, atol=1e-6
    )


def test_the_network_is_asked_again_for_images_of_another_size():
    torch.manual_seed(0)
    model = make_classifier(networks.resnet())
    split = LayerSplit(model.network, "layer3", model.device)
    for size in (32, 48):
        image = torch.randn(1, 3, size, size)
        (found,) = cams.ablationcam(model, image, [0], "layer3", split=split)
        (alone,) = cams.ablationcam(model, image, [0], "layer3")
        assert found.values.tobytes() == alone.values.tobytes()


def test_why_a_way_was_not_taken_is_said():
    torch.manual_seed(0)
    model = make_classifier(networks.Meddling())
    (found,) = cams.ablationcam(model, torch.randn(1, 3, 32, 32), [0], "body")
    assert found.details["turned_down"] == [
        "graph cut: other scores than the network's",
        "replay: other scores than the network's",
    ]
    model = make_classifier(networks.Branching())
    (found,) = cams.ablationcam(model, torch.randn(1, 3, 32, 32), [0], "stem")
    assert found.details["turned_down"][0].startswith("graph cut: TraceError: symbolically traced")


@pytest.mark.parametrize("function", [cams.gradcam, cams.ablationcam, cams.scorecam])
def test_a_transformers_map_lies_on_its_patches(function):
    torch.manual_seed(0)
    model = make_classifier(networks.vit())
    (found,) = function(model, torch.randn(1, 3, 32, 32), [2], "encoder.layers.encoder_layer_1")
    assert found.low_resolution.shape == (4, 4)
    assert found.values.shape == (32, 32)
    assert np.ptp(found.values) > 0


def test_gradcam_of_a_transformer_is_the_librarys_with_its_reshape():
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    torch.manual_seed(0)
    model = make_classifier(networks.vit())
    layer, image = "encoder.layers.encoder_layer_2.ln_1", torch.randn(1, 3, 32, 32)

    def reshape(tokens):
        return tokens[:, 1:].reshape(len(tokens), 4, 4, -1).permute(0, 3, 1, 2)

    ours = scale(cams.gradcam(model, image, [2], layer)[0].values)
    model.network.requires_grad_(True)
    with pytorch_grad_cam.GradCAM(
        model.network, [model.network.get_submodule(layer)], reshape_transform=reshape
    ) as cam:
        theirs = cam(image, [ClassifierOutputTarget(2)])[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_layer_without_part_in_the_scores_has_no_evidence():
    network = TinyNet()
    network.aside = torch.nn.Conv2d(3, 4, 1)
    original = network.forward
    network.forward = lambda x: (network.aside(x), original(x))[1]
    model = make_classifier(network)
    image = torch.randn(1, 3, 16, 16)
    for function in (cams.gradcam, cams.ablationcam):
        (found,) = function(model, image, [0], "aside")
        assert not found.values.any()


def test_a_layer_that_gives_no_tensor_is_named():
    class Pair(torch.nn.Module):
        def forward(self, x):
            return x, x

    network = torch.nn.Sequential(Pair(), torch.nn.Identity())
    network.forward = lambda x: network[0](x)[0].mean(dim=(2, 3))
    with pytest.raises(LayoutError, match=r"layer '0'.*gives a tuple, not one tensor"):
        capture(network, network[0], torch.randn(1, 3, 4, 4))
