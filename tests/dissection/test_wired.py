"""A network whose every unit is known: what is found of what was wired, and what is claimed that was not."""

import numpy as np
import pytest
import torch
from scipy.stats import binom

from tests.conftest import CHECKOUT
from tests.dissection.wired import BOTH, wired_scenes, wired_units
from xai_assets.dissection.activations import collect
from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.concepts import clip_table, netdissect_table
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.netdissect import paired_tallies
from xai_assets.dissection.parameters import SoftWPMI
from xai_assets.dissection.pixel_significance import image_permutations, pixel_significance
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.settings import Settings
from xai_assets.vision.encoders import load_encoder
from xai_assets.world.concepts import concepts

SCENES = 300
LEVEL = 0.05
WHOLES = {"wheel": ("car", "truck"), "sail": ("boat",), "roof": ("house",), "petal": ("flower",)}


@pytest.fixture(scope="module")
def scenes():
    torch.set_num_threads(1)
    return wired_scenes(SCENES)


@pytest.fixture(scope="module")
def layer(scenes):
    classifier, coded, _ = scenes
    return collect(classifier, ["units"], coded).layers["units"]


@pytest.fixture(scope="module")
def by_labels(scenes, layer):
    _, coded, _ = scenes
    thresholds = {"units": top_quantile_thresholds(layer)}
    own = np.arange(SCENES)[None]
    pairings = np.concatenate([own, image_permutations(SCENES, 20, seed=0)])
    found, *null = paired_tallies({"units": layer.maps}, thresholds, read_labels(coded), pairings)["units"]
    best = np.stack([tally.iou.max(axis=1) for tally in null])
    trust = pixel_significance(found.iou.max(axis=1), best, ~layer.dead)
    return netdissect_table("wired", "units", found, thresholds["units"], layer.dead, trust)


@pytest.fixture(scope="module")
def by_words(scenes, layer):
    _, coded, pictures = scenes
    encoder = load_encoder(
        "diorama/clip", Settings.from_environment(), world=CHECKOUT / "data" / "world", device="cpu"
    )
    words, categories = zip(*((concept.name, concept.category) for concept in concepts()), strict=True)
    images = np.concatenate([encoder.embed_images(pictures[at : at + 50]) for at in range(0, SCENES, 50)])
    space = ConceptSpace(images, encoder.embed_texts(list(words)))
    # A class is in 25 of the 300 scenes: more top images would be filled up with scenes that do not show it.
    parameters = SoftWPMI(top_k=20, a=0.5, permutations=1000)
    found = dissect(space, {"units": layer.pooled}, parameters, seed=0)["units"]
    return clip_table("wired", "units", found, layer.pooled, layer.dead, coded.ids, words, categories)


def right(concept, wired):
    return concept == wired or (isinstance(wired, tuple) and concept in wired)


def test_the_dead_are_found_and_nobody_else(layer):
    assert list(layer.dead) == [wired is None for wired in wired_units()]


def test_every_wired_label_is_found_and_no_noise_is_called_one(by_labels):
    called = by_labels["detector"] & (by_labels["q"] < LEVEL)
    hits = [right(concept, wired) for concept, wired in zip(by_labels["concept"], wired_units(), strict=True)]
    wired = np.array([bool(what) for what in wired_units()])
    precision, recall = np.mean(np.array(hits)[called]), np.mean(np.array(hits)[wired] & called[wired])
    print(f"pixel labels: precision {precision:.3f} of {called.sum()}, recall {recall:.3f} of {wired.sum()}")
    assert (precision, recall) == (1.0, 1.0)


def test_copies_of_a_unit_get_the_same_concept_and_score(by_labels):
    units = wired_units()
    for word in ("dog", "wheel"):
        rows = by_labels.iloc[[at for at, wired in enumerate(units) if wired == word]]
        assert len(rows) == 2
        assert rows["concept"].nunique() == rows["iou"].nunique() == 1


def test_a_unit_for_two_concepts_names_one_of_them_and_reaches_less_than_a_unit_for_one(by_labels):
    row = by_labels.iloc[wired_units().index(BOTH)]
    assert row["concept"] in BOTH
    single = by_labels[[isinstance(wired, str) and wired != "" for wired in wired_units()]]
    assert row["iou"] / row["attainable_iou"] < (single["iou"] / single["attainable_iou"]).min()


def test_words_beyond_chance_are_what_was_wired_or_the_whole_that_it_is_part_of(by_words):
    """CLIP-Dissect sees whole pictures: the pictures with a sail are those with a boat, and either word is right."""
    called = (by_words["q"] < LEVEL).to_numpy()
    units = wired_units()
    wired, noise = np.array([bool(what) for what in units]), np.array([what == "" for what in units])
    pairs = list(zip(by_words["concept"], units, strict=True))
    exact = np.array([right(concept, what) for concept, what in pairs])
    whole = exact | np.array([concept in WHOLES.get(what, ()) for concept, what in pairs])
    print(
        f"words: precision {whole[called].mean():.3f} of {called.sum()}, recall {(whole & called)[wired].mean():.3f} "
        f"of {wired.sum()} (by the very word {(exact & called)[wired].mean():.3f}); "
        f"noise called {called[noise].sum()} of {noise.sum()}"
    )
    assert whole[called].mean() >= 0.9
    assert (whole & called)[wired].mean() >= 0.9
    # The rate is of false discoveries among all, on average; so many of them lie within what 95 % of such cases show.
    assert called[noise].sum() <= binom.ppf(0.95, called.sum(), LEVEL)
