"""Which labels mean the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dissection.wired import labelled_scenes
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.labels import normalise_label, usual_names
from xai_assets.dissection.presence import word_truth
from xai_assets.errors import XaiError
from xai_assets.world.concepts import concepts
from xai_assets.world.synonyms import surface_forms


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Living_Room", "living room"),
        ("polka-dotted", "polka dotted"),
        ("building/facade", "building facade"),
        ("cars", "car"),
        ("boxes", "box"),
        ("Berries", "berry"),
        ("street-s", "street"),
        ("black-c", "Black"),
        (" traffic  lights ", "traffic-light"),
        ("mountains", "mountain"),
        ("Automobile", "cars"),
    ],
)
def test_the_same_meaning(one, other):
    assert normalise_label(one) == normalise_label(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("car", "cart"), ("red", "red car"), ("sea", "seat"), ("woods", "wood"), ("glasses", "glass"),
        ("leaves", "leaf"), ("news", "new"), ("scales", "scale"), ("clothes", "cloth"),
    ],
)  # fmt: skip
def test_different_meanings(one, other):
    assert normalise_label(one) != normalise_label(other)


@given(st.text(max_size=30))
def test_any_text_is_a_label(text):
    found = normalise_label(text)
    assert not set(found) & set("/-_\n") and found == found.strip() and normalise_label(found) == found


def test_a_name_has_one_meaning():
    with pytest.raises(XaiError, match="two meanings"):
        usual_names(["# a comment", "", "car, auto", "auto, automatic"])


def test_the_worlds_words_are_where_their_own_label_is_and_nowhere_else():
    """Counted anew: every word of the world is a label's very name, but that mountains (a scene) show a mountain."""
    labels = read_labels(labelled_scenes(60))
    words = [concept.name for concept in concepts()]
    forms = {word: surface_forms(word) for word in words}
    found = word_truth(words, labels.shares(), labels.concepts, synonyms=forms, exhaustive=True)
    named = labels.concepts["name"].to_numpy(str)
    shown = labels.shares() > 0
    for at, word in enumerate(words):
        same = ["mountain", "mountains"] if word.startswith("mountain") else [word]
        assert np.array_equal(found.present[:, at], shown[:, np.isin(named, same)].any(axis=1)), word
    assert found.known.all() and found.present.any(axis=0).sum() > 100
