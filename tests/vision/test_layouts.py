"""What the axes of a layer's output mean: read off shapes, modules and passes, declared, or asked for."""

import pytest
import timm
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from xai_assets.vision.layout_reader import LayoutError, LayoutReader, near_layers, outputs_of, units_of
from xai_assets.vision.layouts import Layout, Tokens, readings
from xai_assets.vision.spec import LayoutSpec


@pytest.mark.parametrize(
    ("shape", "image", "expected"),
    [
        ((1, 512, 7, 7), (224, 224), [Layout(1, 0, 7, 7)]),
        ((1, 7, 7, 768), (224, 224), [Layout(-1, 0, 7, 7)]),
        ((1, 7, 7, 7), (224, 224), [Layout(1, 0, 7, 7), Layout(-1, 0, 7, 7)]),
        ((1, 10, 8, 12), (32, 48), [Layout(1, 0, 8, 12)]),
        ((1, 8, 12, 96), (32, 48), [Layout(-1, 0, 8, 12)]),
        ((1, 64, 64, 32), (256, 128), [Layout(1, 0, 64, 32)]),  # 64 channels of 64 x 32, not 32 of 64 x 64
        ((1, 8, 4, 768), (256, 128), [Layout(-1, 0, 8, 4)]),
        ((1, 64, 5, 300), (224, 224), []),
        ((1, 197, 768), (224, 224), [Layout(-1, 1, 14, 14)]),
        ((1, 196, 768), (224, 224), [Layout(-1, 0, 14, 14)]),
        ((1, 198, 192), (224, 224), [Layout(-1, 2, 14, 14)]),
        ((1, 201, 192), (224, 224), [Layout(-1, 5, 14, 14)]),
        ((1, 97, 24), (128, 192), [Layout(-1, 1, 8, 12)]),
        ((1, 512, 49), (224, 224), [Layout(1, 0, 7, 7)]),  # a mixer's tokens, last
        ((1, 197, 1024), (224, 224), [Layout(-1, 1, 14, 14)]),  # 1024 is 32 x 32, and is ViT-L's width
        ((1, 3, 8), (224, 224), []),
        ((1, 183, 192), (224, 224), []),  # 14 and 13 x 13, which nobody builds
    ],
)
def test_readings_have_the_aspect_of_the_image(shape, image, expected):
    assert readings(shape, image, Tokens()) == expected


@pytest.mark.parametrize(
    ("shape", "tokens", "expected"),
    [
        ((1, 9, 8), Tokens(prefix=5), [Layout(-1, 5, 2, 2), Layout(-1, 0, 3, 3)][:1]),
        ((1, 196, 128), Tokens(prefix=1), [Layout(-1, 0, 14, 14)]),  # before the class token is added
        ((1, 197, 128), Tokens(prefix=1), [Layout(-1, 1, 14, 14)]),
        ((1, 8, 8), Tokens(prefix=5), []),
        ((1, 256, 196), Tokens(grid=(14, 14)), [Layout(1, 0, 14, 14), Layout(-1, 0, 16, 16)]),
        ((1, 261, 196), Tokens(prefix=5, grid=(16, 16)), [Layout(-1, 5, 16, 16)]),
    ],
)
def test_what_a_network_tells_of_its_tokens_is_believed_layer_by_layer(shape, tokens, expected):
    image = (224, 224) if shape[1] > 9 else (32, 32)
    assert readings(shape, image, tokens) == expected


@given(
    rows=st.integers(2, 20),
    columns=st.integers(2, 20),
    stride=st.sampled_from([4, 8, 16, 32]),
    channels=st.integers(1, 40),
    last=st.booleans(),
)
def test_maps_of_any_aspect_are_among_the_readings(rows, columns, stride, channels, last):
    shape = (1, rows, columns, channels) if last else (1, channels, rows, columns)
    found = readings(shape, (rows * stride, columns * stride), Tokens())
    assert Layout(-1 if last else 1, 0, rows, columns) in found


@given(rows=st.integers(2, 20), columns=st.integers(2, 20), stride=st.sampled_from([4, 8, 16, 32]))
def test_a_grid_of_whole_patches_is_found_whatever_its_shape(rows, columns, stride):
    found = readings((1, rows * columns, 4), (rows * stride, columns * stride), Tokens())[0]
    assert (found.prefix, found.height, found.width) == (0, rows, columns)
    tokens = torch.arange(rows * columns * 4.0).reshape(1, rows * columns, 4)
    maps = found.maps(tokens)
    assert maps.shape == (1, 4, rows, columns)
    assert maps[0, 3, 1, 0] == tokens[0, columns, 3]
    turned = Layout(1, 0, rows, columns).maps(tokens.transpose(1, 2))
    assert torch.equal(turned, maps)


class Net(nn.Module):
    """Gives what a function makes of the images; `accepts`: one size only."""

    def __init__(self, make, accepts=None):
        super().__init__()
        self.layer, self.make, self.accepts = nn.Identity(), make, accepts

    def forward(self, images: Tensor) -> Tensor:
        assert self.accepts in (None, tuple(images.shape[-2:]))
        return self.layer(self.make(images)).flatten(1)


def seven_first(images: Tensor) -> Tensor:
    """7 channels of 7 x 7, first, from 224 x 224."""
    return nn.functional.avg_pool2d(images, 32)[:, [0, 1, 2, 0, 1, 2, 0]]


def read(network: nn.Module, layer: str, images: Tensor, spec: object = None) -> Layout | None:
    network.eval()
    found = outputs_of(network, [layer], images)[layer]
    return LayoutReader(network, layer, None if spec is None else LayoutSpec.model_validate(spec))(
        found, images
    )


def test_equal_axes_are_told_by_an_image_of_another_shape():
    images = torch.rand(2, 3, 224, 224)
    assert read(Net(seven_first), "layer", images) == Layout(1, 0, 7, 7)
    assert read(Net(lambda x: seven_first(x).permute(0, 2, 3, 1)), "layer", images) == Layout(-1, 0, 7, 7)


def test_what_cannot_be_told_is_asked_for_and_then_taken():
    images, fixed = torch.rand(1, 3, 224, 224), Net(seven_first, accepts=(224, 224))
    with pytest.raises(LayoutError, match=r"'layer'.*7 channels first or 7 channels last.*`layout: nhwc`"):
        read(fixed, "layer", images)
    assert read(fixed, "layer", images, "nhwc") == Layout(-1, 0, 7, 7)
    assert read(fixed, "layer", images, {"axes": "nchw"}) == Layout(1, 0, 7, 7)
    odd = Net(lambda x: x[:, :, :5, :4].flatten(2).transpose(1, 2), accepts=(224, 224))  # 20 tokens
    with pytest.raises(LayoutError, match=r"no grid of patches.*prefix_tokens"):
        read(
            Net(lambda x: x[:, :, 0, :22].transpose(1, 2)[:, :, [0] * 70], accepts=(224, 224)),
            "layer",
            images,
        )
    assert read(odd, "layer", images, {"axes": "ntc", "grid": [4, 5]}) == Layout(-1, 0, 4, 5)
    assert read(odd, "layer", images, {"axes": "ntc", "grid": [3, 6]}) == Layout(-1, 2, 3, 6)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("ntc", "has 4 axes"),
        ({"axes": "ntc", "prefix_tokens": 2, "grid": [14, 14]}, "has 4 axes"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(spec, said):
    with pytest.raises(LayoutError, match=said):
        read(Net(seven_first), "layer", torch.rand(1, 3, 224, 224), spec)


@pytest.mark.parametrize("grid", [[14, 14], [3, 7]])
def test_declared_tokens_must_be_those_there_are(grid):
    net = Net(lambda x: x[:, :, 0, :20].transpose(1, 2))
    with pytest.raises(LayoutError, match=r"has 20 tokens.*Correct the study's `layout`"):
        read(net, "layer", torch.rand(1, 3, 224, 224), {"axes": "ntc", "grid": grid})


def test_prefix_and_grid_are_for_tokens():
    for spec in (
        {"axes": "nchw", "grid": [2, 2]},
        {"axes": "nhwc", "prefix_tokens": 1},
        "chw",
        {"axes": "ntc", "grid": [0, 2]},
    ):
        with pytest.raises(ValueError, match=r"grid|axes"):
            LayoutSpec.model_validate(spec)


def test_vectors_are_vectors_and_have_no_map():
    network, images = torchvision.models.resnet18(num_classes=3).eval(), torch.rand(2, 3, 64, 64)
    output = outputs_of(network, ["fc"], images)["fc"]
    assert LayoutReader(network, "fc")(output, images) is None
    with pytest.raises(LayoutError, match=r"'fc'.*vectors.*no positions.*such as"):
        LayoutReader(network, "fc").of_maps(output, images)
    assert near_layers(network, "fc", images)[0] == "layer4"
    assert LayoutReader(network, "avgpool").of_maps(torch.rand(2, 512, 1, 1), images) == Layout(1, 0, 1, 1)


def test_an_elongated_image_has_a_pooled_map_of_one_cell():
    network = torchvision.models.resnet18(num_classes=3).eval()
    assert read(network, "avgpool", torch.rand(1, 3, 64, 320)) == Layout(1, 0, 1, 1)
    assert read(network, "layer1", torch.rand(1, 3, 256, 128)) == Layout(1, 0, 64, 32)


def test_windows_that_change_the_batch_axis_are_refused_and_a_layer_around_is_named():
    network = timm.create_model("swin_tiny_patch4_window7_224", num_classes=3).eval()
    images = torch.rand(1, 3, 224, 224)
    with pytest.raises(LayoutError, match=r"4 rows for each image.*batch axis.*layers\.2\.blocks\.0"):
        read(network, "layers.2.blocks.0.attn", images)
    assert read(network, "layers.2.blocks.0", images) == Layout(-1, 0, 14, 14)


def test_a_layer_that_gives_no_tensor_is_refused():
    class Two(nn.Module):
        def forward(self, images: Tensor) -> list[Tensor]:
            return [images, images]

    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.two = nn.Conv2d(3, 4, 3, padding=1), Two()

        def forward(self, images: Tensor) -> Tensor:
            return self.two(self.conv(images))[0].mean((2, 3))

    with pytest.raises(LayoutError, match=r"gives a list, not one tensor.*such as conv"):
        read(Pair(), "two", torch.rand(1, 3, 32, 32))


def test_channels_are_counted_and_not_tokens():
    network = timm.create_model("deit_tiny_distilled_patch16_224", num_classes=3).eval()
    layers = ["blocks.11", "patch_embed", "head"]
    found = list(units_of(network, layers, torch.rand(3, 3, 224, 224), [None] * 3))
    assert found == [(192, Layout(-1, 2, 14, 14)), (192, Layout(-1, 0, 14, 14)), (3, None)]
    with pytest.raises(LayoutError, match="not reached"):
        list(
            units_of(
                network,
                ["head_drop", "norm_pre", "pos_drop", "blocks.0.attn.attn_drop"],
                torch.rand(3, 3, 224, 224),
                [None] * 4,
            )
        )
