"""Soft-WPMI against the published answers and against its formula."""

import csv

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.dissection.clip_dissect import best_two, concept_similarity, soft_wpmi, top_images
from xai_assets.errors import XaiError


def formula(similarity, activations, top_k=100, a=10.0, lam=1.0):
    """The published formula, unit by unit, in float64."""
    weights = np.exp(a * similarity.astype(np.float64))
    probability = weights / weights.sum(1, keepdims=True)
    inside = 0.998 - np.arange(top_k) / top_k * (0.998 - 0.97)
    given = []
    for unit in range(activations.shape[1]):
        order = np.argsort(-activations[:, unit], kind="stable")[:top_k]
        given.append(np.log(1 + inside[:, None] * (probability[order] - 1) + 1e-7).sum(0))
    given = np.array(given)
    return given - lam * np.log(np.exp(given - given.max(0)).mean(0)) - lam * given.max(0)


def test_words_scores_and_images_are_the_published_ones(reference_data):
    folder = reference_data / "clip_dissect"
    concepts = folder.joinpath("concepts.txt").read_text().splitlines()
    images = folder.joinpath("images.txt").read_text().splitlines()

    def load(name):
        return torch.load(folder / f"{name}.pt", weights_only=True, map_location="cpu").float().numpy()

    similarity = concept_similarity(load("image_features_ViT-B16"), load("text_features_ViT-B16"))
    with folder.joinpath("descriptions_resnet18.csv").open() as file:
        published = list(csv.DictReader(file))
    words, closest, ordered = 0, 0.0, 0
    for layer in ("layer2", "layer3", "layer4"):
        activations = load(f"activations_resnet18_{layer}")
        scores = soft_wpmi(similarity, activations)
        best, _ = best_two(scores)
        top = top_images(activations, 5)
        for row in (row for row in published if row["layer"] == layer):
            unit = int(row["unit"])
            words += concepts[best[unit]] == row["description"]
            closest = max(closest, abs(float(scores[unit, best[unit]]) - float(row["similarity"])))
            ordered += [images[i] for i in top[:, unit]] == row["top_images"].split("|")
    assert len(published) == words == ordered == 896
    assert closest <= 2e-4


@pytest.mark.parametrize("lam", [0.0, 0.6, 1.0])
def test_scores_follow_the_formula(lam):
    rng = np.random.default_rng(3)
    similarity = rng.normal(0.2, 0.05, (60, 17)).astype(np.float32)
    activations = rng.random((60, 9)).astype(np.float32)
    found = soft_wpmi(similarity, activations, top_k=20, a=7.0, lam=lam)
    assert found.dtype == np.float32 and found.shape == (9, 17)
    np.testing.assert_allclose(found, formula(similarity, activations, 20, 7.0, lam), atol=2e-5)


@given(st.integers(1, 5000))
def test_the_block_size_changes_nothing(block):
    rng = np.random.default_rng(0)
    similarity, activations = rng.random((30, 23), np.float32), rng.random((30, 5), np.float32)
    whole = soft_wpmi(similarity, activations, top_k=10)
    np.testing.assert_array_equal(soft_wpmi(similarity, activations, top_k=10, block_bytes=block), whole)


def test_equal_activations_are_taken_in_image_order():
    np.testing.assert_array_equal(
        top_images(np.array([[1.0], [2.0], [2.0], [0.0], [2.0]]), 4)[:, 0], [1, 2, 4, 0]
    )


def test_equal_scores_name_the_earlier_concept():
    best, second = best_two(np.array([[0.0, 5.0, 5.0], [1.0, 1.0, 1.0]], np.float32))
    assert best.tolist() == [1, 0] and second.tolist() == [2, 1]


def test_similarity_is_the_cosine():
    images, texts = np.array([[3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])
    np.testing.assert_allclose(concept_similarity(images, texts), [[0.6, 0.8]], rtol=1e-6)


def fails(change, match):
    arguments = {"similarity": np.full((12, 3), 0.1), "activations": np.ones((12, 4)), "top_k": 10} | change
    with pytest.raises(XaiError, match=match):
        soft_wpmi(**arguments)


def test_unfit_input_is_named():
    fails({"top_k": 13}, "12 probe images")
    fails({"similarity": np.full((12, 1), 0.1)}, "1 concept")
    fails({"activations": np.full((12, 4), np.nan)}, "activations.*not finite")
    fails({"similarity": np.full((11, 3), 0.1)}, "11 and 12 images")
    with pytest.raises(XaiError, match="text embedding 1"):
        concept_similarity(np.ones((2, 3)), np.array([[1.0, 1, 1], [0, 0, 0]]))
    with pytest.raises(XaiError, match="3 and 4 dimensions"):
        concept_similarity(np.ones((2, 3)), np.ones((2, 4)))
