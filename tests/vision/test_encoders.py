"""Image-text encoders against open_clip itself, on a small one made here."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from open_clip.tokenizer import default_bpe
from PIL import Image
from safetensors.torch import load_file, save_file

from xai_assets.errors import XaiError
from xai_assets.settings import Settings
from xai_assets.vision import encoders
from xai_assets.vision.downloads import DownloadError
from xai_assets.vision.encoder_files import UnknownEncoder, resolve_encoder
from xai_assets.vision.encoders import load_encoder
from xai_assets.vision.spec import EncoderSpec
from xai_assets.vision.weights import WeightsError

TEXTS = ["a red bird", "meadow", "a photo of a teapot in a kitchen"]
CONFIG: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 12, "vocab_size": 0, "width": 32, "heads": 2, "layers": 2},
}


@pytest.fixture
def clip(world: Path) -> Path:
    """A world folder with an encoder of the shipped format: configuration, half-precision weights, vocabulary."""
    torch.manual_seed(0)
    folder = world / "clip"
    folder.mkdir()
    merges = gzip.decompress(Path(default_bpe()).read_bytes()).decode().split("\n")[1:301]
    (folder / "bpe_vocab.txt.gz").write_bytes(gzip.compress("\n".join(["#version", *merges]).encode()))
    vocabulary = 2 * 256 + len(merges) + 2
    config = CONFIG | {"text_cfg": CONFIG["text_cfg"] | {"vocab_size": vocabulary}}
    preprocess = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "interpolation": "bilinear"}
    (folder / "open_clip_config.json").write_text(
        json.dumps({"model_cfg": config, "preprocess_cfg": preprocess})
    )
    model = open_clip.create_model(f"local-dir:{folder}", load_weights=False)
    state = {key: value.half().contiguous() for key, value in model.state_dict().items()}
    save_file(state, folder / "open_clip_model.safetensors")
    return folder


def views() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (5, 40, 48, 3), dtype=np.uint8)


def foreign(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}", bpe_path=str(folder / "bpe_vocab.txt.gz"))
    with torch.no_grad():
        images = model.encode_image(
            torch.stack([preprocess(Image.fromarray(v)) for v in views()]), normalize=True
        )
        texts = model.encode_text(tokenizer(TEXTS), normalize=True)
    return images.numpy(), texts.numpy()


@pytest.mark.parametrize("name", ["diorama/clip", "local-dir:clip"])
def test_vectors_are_open_clips_own(
    settings: Settings, clip: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = load_encoder(name, settings, world=clip.parent, base=clip.parent)
    assert "random" not in caplog.text  # open_clip's alarm would be false: the weights are loaded afterwards
    images, texts = foreign(clip)
    assert encoder.image_size == (32, 32)
    own_images, own_texts = (
        encoder.embed_images(views(), batch_size=2),
        encoder.embed_texts(TEXTS, batch_size=2),
    )
    assert own_images.dtype == own_texts.dtype == np.float32
    np.testing.assert_allclose(own_images, images, atol=1e-5)
    np.testing.assert_allclose(own_texts, texts, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(own_images, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(own_texts, axis=1), 1, atol=1e-5)


def test_pictures_of_different_sizes_go_together(settings: Settings, clip: Path) -> None:
    encoder = load_encoder("diorama/clip", settings, world=clip.parent)
    small, large = views()[0], np.zeros((90, 33, 3), dtype=np.uint8)
    seen: list[tuple[int, int]] = []
    both = encoder.embed_images([small, large], progress=lambda done, total: seen.append((done, total)))
    np.testing.assert_allclose(both[:1], encoder.embed_images([small]), atol=1e-5)
    assert seen == [(2, 2)]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 8, 8, 3), dtype=np.float32),
        np.zeros((2, 3, 8, 8), dtype=np.uint8),
        torch.zeros(2, 3, 8, 8),
        [np.zeros((8, 8), dtype=np.uint8)],
        [],
    ],
)
def test_what_was_normalised_for_a_classifier_is_no_picture(
    settings: Settings, clip: Path, wrong: Any
) -> None:
    with pytest.raises(ValueError, match="picture"):
        load_encoder("diorama/clip", settings, world=clip.parent).embed_images(wrong)


@pytest.mark.parametrize("wrong", ["a bird", [], ["a bird", " "]])
def test_texts_are_a_list_of_texts(settings: Settings, clip: Path, wrong: Any) -> None:
    with pytest.raises(ValueError, match="texts"):
        load_encoder("diorama/clip", settings, world=clip.parent).embed_texts(wrong)


def test_the_fingerprint_tells_weights_preprocessing_and_vocabulary(settings: Settings, clip: Path) -> None:
    def mark() -> str:
        return load_encoder("diorama/clip", settings, world=clip.parent).fingerprint()

    marks = [mark()]
    config = json.loads((clip / "open_clip_config.json").read_text())
    config["preprocess_cfg"]["mean"] = [0.1, 0.1, 0.1]
    (clip / "open_clip_config.json").write_text(json.dumps(config))
    marks.append(mark())
    text = gzip.decompress((clip / "bpe_vocab.txt.gz").read_bytes())
    (clip / "bpe_vocab.txt.gz").write_bytes(gzip.compress(text.replace(b"version", b"VERSION")))
    marks.append(mark())
    state = load_file(clip / "open_clip_model.safetensors")
    save_file({key: value * 0.5 for key, value in state.items()}, clip / "open_clip_model.safetensors")
    marks.append(mark())
    assert len(set(marks)) == 4


@pytest.mark.parametrize("file", ["open_clip_model.safetensors", "open_clip_config.json", "bpe_vocab.txt.gz"])
def test_a_missing_part_is_named_and_never_made_up(settings: Settings, clip: Path, file: str) -> None:
    (clip / file).unlink()
    with pytest.raises(WeightsError, match=file):
        load_encoder("diorama/clip", settings, world=clip.parent)


def test_weights_of_another_size_are_refused(settings: Settings, clip: Path) -> None:
    config = json.loads((clip / "open_clip_config.json").read_text())
    config["model_cfg"]["embed_dim"] = 24
    (clip / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=r"open_clip_model.safetensors.*do not fit"):
        load_encoder("diorama/clip", settings, world=clip.parent)


def test_a_broken_configuration_is_named(settings: Settings, clip: Path) -> None:
    (clip / "open_clip_config.json").write_text("{")
    with pytest.raises(XaiError, match="open_clip_config"):
        load_encoder("diorama/clip", settings, world=clip.parent)


@pytest.fixture
def tiny(clip: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An architecture that open_clip knows by name, with one published tag."""
    config = json.loads((clip / "open_clip_config.json").read_text())["model_cfg"]
    config["text_cfg"]["vocab_size"] = 49408
    monkeypatch.setitem(open_clip.factory._MODEL_CONFIGS, "tiny", config)
    published = {
        "hf_hub": "someone/tiny/",
        "mean": (0.1, 0.2, 0.3),
        "std": (0.4, 0.5, 0.6),
        "interpolation": "bilinear",
        "resize_mode": "squash",
        "quick_gelu": True,
    }
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny", {"here": published})
    return "tiny"


def save_tiny(path: Path) -> open_clip.CLIP:
    torch.manual_seed(4)
    model = open_clip.create_model("tiny", force_quick_gelu=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path)
    return model.eval()


def test_a_published_tag_is_run_as_it_was_trained(settings: Settings, tiny: str) -> None:
    """A file handed to open_clip without its tag would lose the activation and the preprocessing."""
    model = save_tiny(settings.models / "open_clip" / "tiny--here" / "open_clip_model.safetensors")
    encoder = load_encoder(EncoderSpec(name=tiny, pretrained="here"), settings)
    assert encoder.name == "tiny:here"
    assert encoder.settings["preprocess"]["mean"] == (0.1, 0.2, 0.3)
    assert encoder.settings["preprocess"]["resize_mode"] == "squash"
    tokens = open_clip.get_tokenizer("tiny")(TEXTS)
    with torch.no_grad():
        np.testing.assert_allclose(
            encoder.embed_texts(TEXTS), model.encode_text(tokens, normalize=True).numpy(), atol=1e-5
        )


def test_a_local_checkpoint_of_a_known_architecture(settings: Settings, tiny: str, tmp_path: Path) -> None:
    save_tiny(tmp_path / "mine.safetensors")
    encoder = load_encoder(EncoderSpec(name=tiny, pretrained="mine.safetensors"), settings, base=tmp_path)
    assert encoder.embed_texts(TEXTS).shape == (3, 16)


def test_without_a_network_a_tag_says_how_to_get_it_by_hand(
    settings: Settings, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(DownloadError) as caught:
        load_encoder(EncoderSpec(name=tiny, pretrained="here"), settings)
    for told in (
        "https://huggingface.co/someone/tiny/resolve/main/open_clip_model.safetensors",
        "tiny--here",
    ):
        assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "pretrained", "told"),
    [("ViT-B-17", "openai", "no such architecture"), ("ViT-B-16", "opanai", "openai")],
)
def test_unknown_encoders(settings: Settings, name: str, pretrained: str, told: str) -> None:
    with pytest.raises(UnknownEncoder, match=told):
        resolve_encoder(EncoderSpec(name=name, pretrained=pretrained), settings)


def test_every_published_tag_has_an_address(settings: Settings) -> None:
    for name, tag in open_clip.list_pretrained():
        entry = resolve_encoder(EncoderSpec(name=name, pretrained=tag), settings)
        assert entry.weights.url is not None
        assert entry.weights.path.suffix in (".safetensors", ".bin", ".pt", ".pth", ".npz")


def test_a_hostile_file_in_the_folder_is_not_run(settings: Settings, clip: Path, tmp_path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "touched",)

    (clip / "open_clip_model.safetensors").unlink()
    torch.save({"a": Hostile()}, clip / "open_clip_pytorch_model.bin")
    with pytest.raises(XaiError, match="code"):
        load_encoder("diorama/clip", settings, world=clip.parent)
    assert not (tmp_path / "touched").exists()


def test_weights_that_are_no_numbers_and_a_vocabulary_without_end_are_refused(
    settings: Settings, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cast would make 1e300 infinite, and some kilobytes of gzip unpack to gigabytes."""
    state = load_file(clip / "open_clip_model.safetensors")
    key = next(key for key, value in state.items() if value.is_floating_point())
    huge = torch.full(state[key].shape, 1e300, dtype=torch.float64)
    save_file({**state, key: huge}, clip / "open_clip_model.safetensors")
    with pytest.raises(XaiError, match=key):
        load_encoder("diorama/clip", settings, world=clip.parent)
    monkeypatch.setattr(encoders, "MAX_VOCABULARY", 100_000)
    (clip / "bpe_vocab.txt.gz").write_bytes(gzip.compress(b"\0" * 200_000))
    with pytest.raises(XaiError, match="unpacks to more than 100,000"):
        load_encoder("diorama/clip", settings, world=clip.parent)
    (clip / "bpe_vocab.txt.gz").write_bytes(gzip.compress(b"words" * 99)[:-9])
    with pytest.raises(XaiError, match="cannot be unpacked"):
        load_encoder("diorama/clip", settings, world=clip.parent)
