"""Soft-WPMI against what the authors' own program answered for ResNet-18 of ImageNet: 896 units of three layers."""

import csv

import pytest
import torch

from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import SoftWPMI
from xai_assets.dissection.ranking import top_images

LAYERS = ("layer2", "layer3", "layer4")


@pytest.fixture(scope="module")
def folder(reference_data):
    return reference_data / "clip_dissect"


@pytest.fixture(scope="module")
def published(folder):
    with folder.joinpath("descriptions_resnet18.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def activations(folder):
    return {layer: load(folder, f"activations_resnet18_{layer}") for layer in LAYERS}


def load(folder, name):
    return torch.load(folder / f"{name}.pt", weights_only=True, map_location="cpu").float().numpy()


def lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_words_and_similarities_are_the_published_ones(folder, published, activations):
    concepts = lines(folder / "concepts.txt")
    space = ConceptSpace(load(folder, "image_features_ViT-B16"), load(folder, "text_features_ViT-B16"))
    found = dissect(space, activations, SoftWPMI(top_k=100, a=10, lam=1, permutations=99))
    words, furthest = 0, 0.0
    for row in published:
        layer, unit = found[row["layer"]], int(row["unit"])
        words += concepts[layer.concepts[unit, 0]] == row["description"]
        furthest = max(furthest, abs(float(layer.scores[unit, 0]) - float(row["similarity"])))
    assert words == len(published) == 896
    assert furthest <= 2e-4


def test_the_five_top_images_are_the_published_ones_in_order(folder, published, activations):
    images = lines(folder / "images.txt")
    top = {layer: top_images(values, 5) for layer, values in activations.items()}
    same = [
        [images[image] for image in top[row["layer"]][:, int(row["unit"])]] == row["top_images"].split("|")
        for row in published
    ]
    assert sum(same) == len(same) == 896
