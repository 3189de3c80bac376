"""Layers inside a transformer's windows, whose rows are not images: refused alike everywhere, near layers named."""

import numpy as np
import pytest
import timm
import torch
import torchvision
from torch import nn

from tests.attribution.networks import swin, timm_swin
from xai_assets.attribution import cams
from xai_assets.attribution.split import LayerSplit
from xai_assets.dissection.activations import collect
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layout_reader import LayoutError, LayoutReader, outputs_of
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec


def mobilevit() -> nn.Module:
    return timm.create_model("mobilevit_xxs", num_classes=5)


def maxvit() -> nn.Module:
    """64 windows of 2 x 2 in one image, kept as two axes."""
    return torchvision.models.MaxVit((64, 64), 8, 2, [8, 16], [1, 1], 8, 0.0, num_classes=5)


def crossvit() -> nn.Module:
    return timm.create_model("crossvit_tiny_240", num_classes=5)


ATTENTION = "blocks.0.layers.0.layers"

REFUSED = [
    (
        mobilevit,
        64,
        "stages.4.1.transformer",
        "4 rows for each image: it changes the batch axis",
        "stages.4.1",
    ),
    (mobilevit, 64, "stages.4.1.transformer.0.attn", "4 rows for each image", "stages.4.1"),
    (timm_swin, 32, "layers.0.blocks.0.attn", "16 rows for each image", "layers.0.blocks.0"),
    (maxvit, 64, f"{ATTENTION}.window_attention.attn_layer", "windows", f"{ATTENTION}.window_attention"),
    (maxvit, 64, f"{ATTENTION}.window_attention.attn_layer.0", "windows", f"{ATTENTION}.window_attention"),
    (maxvit, 64, f"{ATTENTION}.grid_attention.attn_layer.0", "windows", f"{ATTENTION}.grid_attention"),
    (crossvit, 240, "blocks.2", "gives a list, not one tensor", "norm.0"),
]


def classifier_of(network: nn.Module, side: int) -> Classifier:
    preprocessing = Preprocessing(PreprocessingSpec(mode="squash", size=side))
    frozen = network.eval().requires_grad_(False)
    return Classifier("n", "n", frozen, preprocessing, tuple("abcde"), "0" * 64, torch.device("cpu"))


@pytest.mark.parametrize(("make", "side", "layer", "said", "near"), REFUSED)
def test_windows_are_refused_in_the_same_words_everywhere(make, side, layer, said, near):
    classifier = classifier_of(make(), side)
    image = torch.rand(1, 3, side, side)
    split = LayerSplit(classifier.network, layer, classifier.device)
    pixels = [np.full((side, side, 3), value, dtype=np.uint8) for value in (10, 100, 200)]
    ways = [
        lambda: cams.gradcam(classifier, image, [1], layer),
        lambda: cams.scorecam(classifier, image, [1], layer),
        lambda: cams.ablationcam(classifier, image, [1], layer),
        lambda: cams.rehearse(classifier, image, 1, split, method="gradcam"),  # of `xai check`
        lambda: collect(classifier, [layer], ArrayProbe(pixels), batch_size=1),
    ]
    words = set()
    for way in ways:
        with pytest.raises(LayoutError) as refused:
            way()
        words.add(str(refused.value))
    assert len(words) == 1, words
    assert said in str(refused.value)
    assert f" {near} " in f"{refused.value} ".replace(".  ", " ").replace(". ", " ")


@pytest.mark.parametrize(
    ("make", "layer"), [(swin, "features.1.0.attn"), (maxvit, f"{ATTENTION}.window_attention")]
)
def test_attention_that_puts_its_windows_back_gives_maps(make, layer):
    side = 64 if make is maxvit else 32
    network, images = make().eval(), torch.rand(1, 3, side, side)
    layout = LayoutReader(network, layer)(outputs_of(network, [layer], images)[layer], images)
    assert layout is not None
    assert (layout.height, layout.width) == (16, 16)
