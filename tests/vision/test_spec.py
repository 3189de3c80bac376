"""What a study may say about models, and that a wrong word is refused."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from xai_assets.vision.spec import EncoderSpec, ModelSpec, PreprocessingSpec

PREPROCESSING = {"mode": "squash", "size": 32}
OWN = {
    "name": "mine",
    "architecture": "torchvision/resnet18",
    "checkpoint": "mine.pth",
    "num_classes": 3,
    "preprocessing": PREPROCESSING,
}


def test_a_plain_string_is_a_name() -> None:
    assert ModelSpec.model_validate("diorama/object") == ModelSpec(name="diorama/object")
    assert EncoderSpec.model_validate("diorama/clip") == EncoderSpec(name="diorama/clip")


def test_a_model_of_ones_own_is_accepted_whole() -> None:
    spec = ModelSpec.model_validate(OWN)
    assert spec.preprocessing == PreprocessingSpec(mode="squash", size=32)


@pytest.mark.parametrize("absent", ["checkpoint", "preprocessing", "num_classes"])
def test_a_model_of_ones_own_must_be_complete(absent: str) -> None:
    with pytest.raises(ValidationError, match=absent):
        ModelSpec.model_validate({key: value for key, value in OWN.items() if key != absent})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architecture": "keras/resnet18"}, "architecture"),
        ({"sha256": "abc"}, "sha256"),
        ({"nam": "x"}, "nam"),
        ({"architecture": None}, "num_classes"),
    ],
)
def test_a_wrong_word_in_a_model_is_refused(change: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ModelSpec.model_validate(OWN | change)


@pytest.mark.parametrize(
    "value",
    [
        {"mode": "resize_crop", "size": 224},
        {"mode": "resize_crop", "resize": 200, "size": 224},
        {"mode": "squash"},
        {"mode": "squash", "size": 128, "resize": 256},
        {"mode": "native", "resize": 256},
        {"mode": "squash", "size": 128, "std": [1, 0, 1]},
        {"mode": "squash", "size": 128, "mean": [float("nan"), 0, 0]},
        {"mode": "squash", "size": 0},
        {"mode": "stretch", "size": 10},
    ],
)
def test_preprocessing_that_means_nothing_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PreprocessingSpec.model_validate(value)


def test_an_encoder_names_its_weights_unless_it_brings_them() -> None:
    assert EncoderSpec(name="local-dir:clip").pretrained is None
    with pytest.raises(ValidationError, match="pretrained"):
        EncoderSpec.model_validate("ViT-B-16")
    with pytest.raises(ValidationError, match="brings its own"):
        EncoderSpec(name="diorama/clip", pretrained="openai")


def test_the_schema_describes_every_field() -> None:
    for model in (PreprocessingSpec, ModelSpec, EncoderSpec):
        assert all(field.description for field in model.model_fields.values())


def test_reading_a_study_does_not_load_torch() -> None:
    code = "import sys, xai_assets.vision.spec; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "value",
    [
        {"a": None},
        {"a": {"b": 1}},
        {"a": [[1]]},
        {"a": float("nan")},
        {"a": [float("inf")]},
        {"a b": 1},
        {"": 1},
    ],
)
def test_arguments_of_builders_are_plain(value):
    with pytest.raises(ValidationError, match=r"argument|takes a number"):
        ModelSpec.model_validate({"name": "torchvision/resnet50", "arguments": value})


def test_arguments_keep_their_kind():
    given = {"a": True, "b": 1, "c": 0.5, "d": "gelu", "e": [1, 2]}
    assert ModelSpec.model_validate({"name": "torchvision/resnet50", "arguments": given}).arguments == given
