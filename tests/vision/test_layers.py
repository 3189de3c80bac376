"""Layers by their path, and what is said of a path that leads nowhere."""

import pytest

from xai_assets.vision.diorama_net import resnet10
from xai_assets.vision.layers import UnknownLayer, get_layer


def test_a_path_leads_to_its_module() -> None:
    network = resnet10(4, 3)
    assert get_layer(network, "layer4") is network.layer4
    assert get_layer(network, "layer3.0.conv2") is network.layer3[0].conv2


@pytest.mark.parametrize(
    ("path", "told"), [("layer5", "layer4"), ("layer4.0.conv3", "layer4.0.conv2"), ("Layer1", "layer1")]
)
def test_a_wrong_path_names_close_ones(path: str, told: str) -> None:
    with pytest.raises(UnknownLayer, match=told) as caught:
        get_layer(resnet10(4, 3), path)
    assert path in caught.value.what


@pytest.mark.parametrize("path", ["", "__class__", "layer4.__init__", "fc.weight", "layer4[0]", "forward"])
def test_only_layers_are_layers(path: str) -> None:
    with pytest.raises(UnknownLayer, match="conv1, bn1, relu"):
        get_layer(resnet10(4, 3), path)
