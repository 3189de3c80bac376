"""The layer that is taken where none is named: what grad-cam's README recommends, over many families."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from tests.attribution.networks import Branching, densenet, mobilenet, resnet, swin, timm_swin, timm_vit, vit
from xai_assets.attribution.cams import SIGNED_ABOVE
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.target_layers import blocks, candidate_layers, default_layer, suited


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    library, _, of = name.partition("/")
    if library == "timm":
        return timm.create_model(of, num_classes=5)
    more = {"init_weights": False} if of in ("googlenet", "inception_v3") else {}
    return torchvision.models.get_model(of, weights=None, num_classes=5, **more)


RECOMMENDED = {
    "resnet18": ("layer4", "layer4.1"),
    "alexnet": ("features", "features.12"),
    "mnasnet0_5": ("layers", "layers.16"),
    "densenet121": ("features", "features.norm5"),
    "mobilenet_v2": ("features", "features.18"),
}
"""By network, what is taken, and the module that grad-cam's README recommends (`layer4[-1]`, `features[-1]`, ...)."""


@pytest.mark.parametrize("name", RECOMMENDED)
def test_convolutional_networks_are_explained_where_grad_cam_recommends(name: str) -> None:
    network = build(f"torchvision/{name}").eval()
    taken, recommended = RECOMMENDED[name]
    assert default_layer(network, (224, 224)) == taken
    outputs = {}
    for path in RECOMMENDED[name]:
        network.get_submodule(path).register_forward_hook(
            lambda _, __, output, path=path: outputs.update({path: output})
        )
    network(torch.randn(1, 3, 224, 224))
    assert outputs[taken] is outputs[recommended]  # the very same tensor under its outermost name


@pytest.mark.parametrize(
    ("make", "size", "layer"),
    [
        (resnet, 48, "layer4"),
        (mobilenet, 64, "features"),
        (densenet, 64, "features"),
        (vit, 32, "encoder.layers.encoder_layer_2.ln_1"),
        (timm_vit, 64, "blocks.2.norm1"),
        (swin, 64, "features.3.1.norm1"),
        (timm_swin, 32, "layers.1.blocks.1.norm1"),
        (Branching, 32, "body"),
        (lambda: build("torchvision/squeezenet1_1"), 64, "features"),  # not the map of its classes behind it
        (lambda: build("torchvision/shufflenet_v2_x0_5"), 64, "conv5"),
        (lambda: build("timm/tf_efficientnet_lite0"), 64, "bn2"),
        (lambda: build("timm/mobilenetv3_small_050"), 64, "blocks"),
        (lambda: build("timm/convnext_atto"), 64, "stages"),
    ],
)
def test_the_last_layer_with_positions_is_taken(make, size: int, layer: str) -> None:
    assert default_layer(make(), (size, size)) == layer


OTHERS = {
    "torchvision/vgg11_bn": (224, "features"),  # VGG pools to 7 x 7 behind it
    "torchvision/googlenet": (224, "inception5b"),
    "torchvision/inception_v3": (299, "Mixed_7c"),
    "torchvision/efficientnet_b0": (224, "features"),
    "torchvision/regnet_y_400mf": (224, "trunk_output"),
    "torchvision/convnext_tiny": (224, "features"),
    "torchvision/swin_t": (224, "features.7.1.norm1"),
    "torchvision/swin_v2_t": (256, "features.7.1.norm1"),
    "torchvision/vit_b_32": (224, "encoder.layers.encoder_layer_11.ln_1"),
    "timm/resnetv2_50": (224, "norm"),
    "timm/vit_tiny_patch16_224": (224, "blocks.11.norm1"),
    "timm/deit_tiny_distilled_patch16_224": (224, "blocks.11.norm1"),
    "timm/swin_tiny_patch4_window7_224": (224, "layers.3.blocks.1.norm1"),
    "timm/swinv2_tiny_window8_256": (256, "layers.3.blocks.1.norm1"),
    "timm/beit_base_patch16_224": (224, "blocks.11.norm1"),
    "timm/pvt_v2_b0": (224, "stages.3.blocks.1.norm1"),
    "timm/mobilevit_xxs": (256, "final_conv"),
    "timm/poolformer_s12": (224, "stages"),
    "timm/mixer_s32_224": (224, "norm"),
    "timm/regnety_002": (224, "s4"),
    "timm/levit_128s": (224, "stages"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_of_every_family_a_layer_is_taken(name: str) -> None:
    size, layer = OTHERS[name]
    assert default_layer(build(name), (size, size)) == layer


def test_a_transformer_whose_head_starts_at_zero_is_explained_at_the_same_layer() -> None:
    network = vit()
    nn.init.zeros_(network.heads.head.weight)
    assert default_layer(network, (32, 32)) == "encoder.layers.encoder_layer_2.ln_1"


def test_the_network_is_left_as_it_was() -> None:
    network = resnet().train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    default_layer(network, (48, 48))
    assert all(module.training for module in network.modules())
    assert all(value.requires_grad and value.grad is None for value in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_layers_are_listed_with_what_can_be_made_of_them() -> None:
    layers, default = candidate_layers(vit(), (32, 32))
    by_path = {one.path: one for one in layers}
    assert default == "encoder.layers.encoder_layer_2.ln_1"
    last, norm, head = by_path["encoder.layers"], by_path[default], by_path["heads"]
    assert (last.kind, last.channels, last.height, last.width, last.connected) == ("tokens", 16, 4, 4, False)
    assert norm.connected is True
    assert (head.kind, head.channels, head.spatial) == ("vector", 5, False)
    said = [next(suited(one, SIGNED_ABOVE)) for one in (last, norm, head)]
    assert said == [
        "no gradient at its positions: eigencam only",
        "all but scorecam (negative values)",
        "no map (dissection only)",
    ]
    shown = [one.path for one in blocks(vit(), layers, default)]
    assert "encoder.layers.encoder_layer_1" in shown
    assert default in shown
    assert "encoder.layers.encoder_layer_1.mlp.0" not in shown


def test_what_cannot_be_used_is_said() -> None:
    with pytest.raises(AttributionError, match="no layer has an output with positions"):
        default_layer(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), (2, 2))
    with pytest.raises(AttributionError, match="does not take images of 31 x 31"):
        default_layer(vit(), (31, 31))
    with pytest.raises(AttributionError, match="not scores"):
        default_layer(nn.Conv2d(3, 2, 1), (8, 8))
