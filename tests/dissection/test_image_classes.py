"""The class that a folder's image shows, by its name or a table; the encoder is judged by it."""

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from xai_assets.dissection.class_pattern import class_pattern
from xai_assets.dissection.health import probe_health
from xai_assets.dissection.image_classes import by_pattern, by_table
from xai_assets.dissection.probe import FolderProbe, ProbeError
from xai_assets.study import ProbeSource

IMAGENET = ["n01443537_goldfish.JPEG", "n01484850_great_white_shark.JPEG", "readme.JPEG"]


@pytest.mark.parametrize(
    ("pattern", "names", "classes"),
    [
        ("n#_{class}.JPEG", IMAGENET, ["goldfish", "great_white_shark", None]),
        ("*_{class}.*", IMAGENET, ["goldfish", "great_white_shark", None]),
        ("{class}_#.*", ["dog_001.jpg", "great_dane_12.png", "dog.jpg"], ["dog", "great_dane", None]),
        ("{class}.#.jpg", ["cat.1.jpg", "c(a.2.jpg"], ["cat", "c(a"]),
        ("[a].{class}", ["[a].x", "a.x"], ["x", None]),
    ],
)
def test_a_pattern_says_the_class(pattern, names, classes):
    found = by_pattern(pattern, names)
    assert [found.get(name) for name in names] == classes


def test_a_pattern_that_fits_nothing_is_refused_with_a_name():
    with pytest.raises(ProbeError, match=r"fits none of the 3 image names, such as n01443537_goldfish\.JPEG"):
        by_pattern("{class}-#.png", IMAGENET)


@pytest.mark.parametrize("pattern", ["{class}{class}", "****{class}"])
def test_patterns_without_end_are_refused(pattern):
    with pytest.raises(ValueError, match="the pattern"):
        class_pattern(pattern)
    with pytest.raises(ValidationError):
        ProbeSource(folder="x", classes=pattern)


def test_classes_are_of_a_folder():
    with pytest.raises(ValidationError, match="for a folder"):
        ProbeSource.model_validate({"diorama": {"count": 100}, "classes": "{class}.png"})


def test_a_table_says_the_class(tmp_path):
    (tmp_path / "c.csv").write_text("image,class\ntrain/a.png,dog\nb.png, cat \nbad\n", encoding="utf-8")
    assert by_table(tmp_path / "c.csv", ["a.png", "b.png", "c.png"]) == {"a.png": "dog", "b.png": "cat"}
    with pytest.raises(ProbeError, match="names no image"):
        by_table(tmp_path / "c.csv", ["c.png"])


class Encoder:
    """Names in alphabetical order lie on the axes of the space."""

    def embed_texts(self, texts):
        assert list(texts) == ["cat", "great dane"]
        return np.eye(2, dtype=np.float32)


def test_the_encoder_is_judged_by_the_classes(tmp_path):
    for name in ("cat_1", "cat_2", "great_dane_1", "other"):
        Image.new("RGB", (8, 8), (len(name), 9, ord(name[-1]))).save(tmp_path / f"{name}.png")
    probe = FolderProbe(tmp_path)
    probe.classes = by_pattern("{class}_#.png", probe.ids)
    features = np.array([[1, 0], [0, 1], [0, 1], [1, 0]], np.float32)  # cat, wrong, dane, not asked
    health = {found.key: found for found in probe_health(probe, Encoder(), [("a", ""), ("b", "")], features)}
    assert (
        health["zero-shot accuracy, class"].value
        == "66.7% [9.4%, 99.2%] of 3 images, 2 classes (chance 50.0%)"
    )
    assert health["images without a class"][1:] == ("1", "warn")
    probe.classes = {}
    without = {found.key: found for found in probe_health(probe, Encoder(), [("a", ""), ("b", "")], features)}
    assert (
        "not known" in without["zero-shot accuracy"].value
        and "probe.classes" in without["zero-shot accuracy"].value
    )
