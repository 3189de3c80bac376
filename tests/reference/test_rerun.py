"""Published activations scored again with other arithmetic, and on other images: noise is told from change."""

import numpy as np
import pandas as pd
import pytest
import torch

from xai_assets.dissection.clip_dissect import similarity_scores
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.parameters import SoftWPMI
from xai_assets.dissection.rerun import compare_runs


def unit_length(features):
    return features / np.linalg.norm(features, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def score(reference_data):
    folder = reference_data / "clip_dissect"
    words = folder.joinpath("concepts.txt").read_text().splitlines()

    def load(name):
        return torch.load(folder / f"{name}.pt", weights_only=True, map_location="cpu").float().numpy()

    images, texts = load("image_features_ViT-B16"), load("text_features_ViT-B16")

    def score(dtype=np.float32, images_left=slice(None)):
        def cast(array):
            return array.astype(dtype).astype(np.float32)

        similarity = cast(unit_length(cast(images)) @ unit_length(cast(texts)).T)[images_left]
        space = ConceptSpace.from_similarity(similarity)
        rows = []
        for layer in ("layer2", "layer3", "layer4"):
            activations = cast(load(f"activations_resnet18_{layer}"))[images_left]
            scores = similarity_scores(space, activations, SoftWPMI())
            for unit, (best, second) in enumerate(np.argsort(-scores, axis=1, kind="stable")[:, :2]):
                top = scores[unit, best]
                rows.append((layer, unit, words[best], top, top - scores[unit, second]))
        return pd.DataFrame(rows, columns=["layer", "unit", "concept", "score", "gap"])

    return score


def test_half_precision_is_noise_and_half_the_images_are_not(score):
    single = score()
    half = compare_runs(single, score(np.float16))
    assert 0 < len(half.changed) <= 12 and half.counted <= 1 and not half.beyond_noise, half.verdict
    # Half precision makes activations equal that were not, and equal ones are put in a random order.
    bare = single.drop(columns=["gap"])
    without = compare_runs(bare, score(np.float16).drop(columns=["gap"]))
    assert without.counted == len(half.changed)  # without gaps no change is known to be by a near-tie
    others = compare_runs(single, score(images_left=slice(0, None, 2)))
    assert others.beyond_noise and others.counted > 100, others.verdict
