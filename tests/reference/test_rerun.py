"""Published activations scored again with other arithmetic, and on other images: noise is told from change."""

import numpy as np
import pandas as pd
import pytest
import torch

from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import SoftWPMI
from xai_assets.dissection.rerun import RERUN_RATE, compare_runs

LAYERS = ("layer2", "layer3", "layer4")
ORDERS = 6  # of images that drive a unit equally


def unit_length(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def score(reference_data):
    folder = reference_data / "clip_dissect"
    words = folder.joinpath("concepts.txt").read_text().splitlines()

    def load(name):
        return torch.load(folder / f"{name}.pt", weights_only=True, map_location="cpu").float().numpy()

    images, texts = load("image_features_ViT-B16"), load("text_features_ViT-B16")
    activations = {layer: load(f"activations_resnet18_{layer}") for layer in LAYERS}

    def score(dtype=np.float32, images_left=slice(None), order=0):
        def cast(array):
            return array.astype(dtype).astype(np.float32)

        similarity = cast(unit_length(cast(images)) @ unit_length(cast(texts)).T)[images_left]
        found = dissect(
            ConceptSpace.from_similarity(similarity),
            {layer: cast(values)[images_left] for layer, values in activations.items()},
            SoftWPMI(permutations=99),
            ids=[f"{order}/{image}" for image in range(len(similarity))],
        )
        rows = []
        for layer, named in found.items():
            for unit, ((best, _), (top, second)) in enumerate(zip(named.concepts, named.scores, strict=True)):
                rows.append((layer, unit, words[best], top, top - second))
        return pd.DataFrame(rows, columns=["layer", "unit", "concept", "score", "gap"])

    return score


@pytest.fixture(scope="module")
def single(score):
    return score()


def bare(table):
    """As of a run that keeps no gaps: no change is known to be by a near-tie."""
    return table.drop(columns=["gap"])


def test_half_precision_is_noise_however_the_ties_that_it_makes_fall(score, single):
    changed = []
    for order in range(ORDERS):
        half = score(np.float16, order=order)
        found, without = compare_runs(single, half), compare_runs(bare(single), bare(half))
        assert not found.beyond_noise and found.counted <= 2, found.verdict
        assert not without.beyond_noise and without.counted == len(found.changed), without.verdict
        changed.append(len(found.changed))
    assert min(changed) > 0 and np.mean(changed) / len(single) <= RERUN_RATE


def test_half_the_images_are_a_change(score, single):
    others = score(images_left=slice(0, None, 2))
    for found in (compare_runs(single, others), compare_runs(bare(single), bare(others))):
        assert found.beyond_noise and found.counted > 100, found.verdict
