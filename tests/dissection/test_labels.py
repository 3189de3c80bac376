"""Which spellings are one word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.dissection.labels import normalise_label


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
        ("glasses", "glass"),
        ("mountains", "mountain"),
    ],
)
def test_the_same_word(one, other):
    assert normalise_label(one) == normalise_label(other)


@pytest.mark.parametrize("word", ["bus", "glass", "cactus", "gas", "iris", "car", "s", "c"])
def test_these_are_no_plurals(word):
    assert normalise_label(word) == word


@pytest.mark.parametrize(("one", "other"), [("car", "cart"), ("red", "red car"), ("sea", "seat")])
def test_different_words(one, other):
    assert normalise_label(one) != normalise_label(other)


@given(st.text(max_size=30))
def test_any_text_is_a_label(text):
    found = normalise_label(text)
    assert not set(found) & set("/-_\n") and found == found.strip()
