"""A probe set in order passes; what is wrong with one shows."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from xai_assets.dissection.health import probe_health, zero_shot
from xai_assets.dissection.label_segments import read_labels
from xai_assets.dissection.probe import ArrayProbe, FolderProbe

NAMES = ["dog", "cat", "car", "tea_pot", "beach-s", "street-s", "wood-s", "hill-s"]
CONCEPTS = pd.DataFrame({"number": range(1, 9), "name": NAMES, "category": ["object"] * 4 + ["scene"] * 4})
WORDS = [
    (name, "object") for name in ("dog", "cat", "car", "tea pot", "sun", "cup", "pen", "hat", "key", "box")
]


class Encoder:
    """Each name is an axis of its own."""

    asked: ClassVar[list[str]] = []

    def embed_texts(self, texts):
        self.asked = [*self.asked, *texts]
        spoken = ["dog", "cat", "car", "tea pot", "beach", "street", "wood", "hill"]
        return np.stack([np.eye(8, dtype=np.float32)[spoken.index(text)] for text in texts])


def labelled(count=24):
    rng = np.random.default_rng(0)
    images = list(rng.integers(0, 256, (count, 8, 8, 3), np.uint8))
    labels = []
    for i in range(count):
        objects = np.zeros((1, 4, 4), np.uint16)
        objects[0, :2] = 1 + i % 4
        objects[0, 3, 0] = 1 + (i + 1) % 4  # a smaller object beside it
        labels.append({"object": objects, "scene": np.full((1, 1, 1), 5 + i // 4 % 4, np.uint16)})
    truth = np.array([np.eye(8)[i % 4] + 0.5 * np.eye(8)[4 + i // 4 % 4] for i in range(count)], np.float32)
    return ArrayProbe(images, labels, CONCEPTS), truth


def levels(findings):
    return {key: level for key, _, level in findings}


def test_a_good_probe_passes():
    probe, features = labelled()
    encoder = Encoder()
    findings = probe_health(probe, encoder, WORDS, features)
    values = {key: value for key, value, _ in findings}
    assert set(levels(findings).values()) == {"ok"}
    assert values["zero-shot accuracy, object"] == (
        "100.0% [85.8%, 100.0%] of 24 images, 4 classes (chance 50.0%)"
    )
    assert values["zero-shot accuracy, scene"].startswith("100.0%")
    assert (
        values["images"] == "24"
        and values["sizes"] == "8 x 8 (24)"
        and values["labels"] == "object 4, scene 4"
    )
    assert encoder.asked == ["dog", "cat", "car", "tea pot", "beach", "street", "wood", "hill"]
    assert all(isinstance(value, str) for value in values.values())


def test_an_encoder_that_sees_nothing_warns():
    probe, features = labelled()
    found = levels(probe_health(probe, Encoder(), WORDS, np.roll(features, 1, axis=0)))
    assert found["zero-shot accuracy, object"] == "warn"


def test_duplicates_blanks_and_few_or_double_words_warn():
    images = [np.zeros((4, 4, 3), np.uint8)] * 2 + [np.arange(48, dtype=np.uint8).reshape(4, 4, 3)]
    findings = probe_health(ArrayProbe(images), Encoder(), [("red", ""), ("Red", "")], np.eye(3, 8))
    values = {key: value for key, value, _ in findings}
    assert {key for key, level in levels(findings).items() if level == "warn"} == {
        "duplicates",
        "images of one colour",
        "concepts",
        "concepts that differ in spelling only",
        "zero-shot accuracy",
    }
    assert values["duplicates"] == "1" and values["images of one colour"] == "2: 0, 1"


def test_odd_modes_and_broken_files_warn(tmp_path):
    Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4)).save(tmp_path / "grey.png")
    (tmp_path / "broken.png").write_bytes(b"no")
    (tmp_path / "notes.txt").write_text("not asked for")
    findings = probe_health(FolderProbe(tmp_path), Encoder(), WORDS, np.eye(1, 8))
    found = levels(findings)
    assert found["modes"] == found["unreadable files"] == "warn"
    assert ("files that are no pictures", "1: notes.txt", "ok") in findings


def test_a_picture_may_show_several_labels_and_any_of_them_is_right():
    probe, features = labelled()
    shares = read_labels(probe).shares()
    found = zero_shot(probe, Encoder(), np.roll(features, -1, axis=0), shares, "object")
    assert (found.accuracy, found.chance, found.skill) == (1.0, 0.5, 1.0)  # the smaller object beside it
    wrong = zero_shot(probe, Encoder(), np.roll(features, 1, axis=0), shares, "object")
    assert (wrong.accuracy, wrong.skill) == (0.0, -1.0)
    everything = np.ones_like(shares)
    assert zero_shot(probe, Encoder(), features, everything, "object") is None


def test_one_word_for_all_pictures_warns_without_labels():
    images = list(np.random.default_rng(0).integers(0, 256, (24, 8, 8, 3), np.uint8))
    texts = np.eye(10, dtype=np.float32)

    def found(nearest):
        findings = probe_health(ArrayProbe(images), Encoder(), WORDS, texts[nearest], text_features=texts)
        return {key: (value, level) for key, value, level in findings}["most frequent nearest word"]

    assert found([i % 10 for i in range(24)]) == (
        "dog, of 12% of the images; 10 words are nearest to some",
        "ok",
    )
    assert found([1] * 12 + list(range(10)) + [2, 3])[1] == "warn"
    assert found([1] * 11 + list(range(10)) + [2, 3, 4])[1] == "ok"
    assert found([1] * 24) == ("cat, of 100% of the images; 1 words are nearest to some", "warn")


def test_a_list_of_one_word_and_one_word_twice_are_findings():
    images = [np.arange(48, dtype=np.uint8).reshape(4, 4, 3)] * 30
    one = probe_health(
        ArrayProbe(images), Encoder(), WORDS[:1], np.ones((30, 1)), text_features=np.ones((1, 1))
    )
    assert levels(one)["concepts"] == "warn"
    # one word is nearest to all pictures whatever they are: that says nothing
    assert levels(one)["most frequent nearest word"] == "ok"
    twice = probe_health(ArrayProbe(images), Encoder(), WORDS + WORDS[:1], np.ones((30, 1)))
    found = {key: value for key, value, _ in twice}
    assert found["concepts that differ in spelling only"] == "1: dog" and found["concepts"] == "11"


@pytest.mark.parametrize("change", [slice(0, 9), slice(1, 10)])
def test_the_hash_of_the_concepts_follows_the_list(change):
    probe = ArrayProbe([np.arange(48, dtype=np.uint8).reshape(4, 4, 3)])

    def name(words):
        found = probe_health(probe, Encoder(), words, np.eye(1, 8))
        return {key: value for key, value, _ in found}["hash of the concept list"]

    assert name(WORDS) == name(list(WORDS)) != name(WORDS[change])
