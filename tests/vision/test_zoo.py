"""What names stand for: files, addresses, hashes and preprocessing, without reading a file."""

from pathlib import Path

import pytest
import torchvision

from xai_assets.settings import Settings
from xai_assets.vision.encoder_files import UnknownEncoder, resolve_encoder
from xai_assets.vision.missing import missing_files
from xai_assets.vision.spec import EncoderSpec, ModelSpec, PreprocessingSpec
from xai_assets.vision.zoo import UnknownModel, resolve


def test_every_classifier_of_torchvision_is_known_with_its_address_and_hash(settings: Settings) -> None:
    for name in torchvision.models.list_models(module=torchvision.models):
        for tag, weights in torchvision.models.get_model_weights(name).__members__.items():
            if tag == "IMAGENET1K_FEATURES":
                continue
            entry = resolve(f"torchvision/{name}:{tag}", settings)
            transforms, spec = weights.transforms(), entry.preprocessing
            assert entry.weights.url == weights.url
            assert entry.weights.sha256 is not None
            assert entry.weights.path == settings.models / weights.url.rsplit("/", 1)[1]
            assert entry.class_names == tuple(weights.meta["categories"])
            assert ([spec.resize], [spec.size]) == (transforms.resize_size, transforms.crop_size)
            assert (list(spec.mean), list(spec.std)) == (transforms.mean, transforms.std)


def test_without_a_tag_it_is_torchvisions_default(settings: Settings) -> None:
    weights = resolve("torchvision/resnet50", settings).weights
    assert weights.url == "https://download.pytorch.org/models/resnet50-11ad3fa6.pth"
    assert weights.path == settings.models / "resnet50-11ad3fa6.pth"
    assert weights.sha256 == "11ad3fa6"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("torchvision/resnet51", "resnet50"),
        ("torchvision/resnet50:IMAGENET21K", "IMAGENET1K_V1"),
        ("torchvision/vgg16:IMAGENET1K_FEATURES", "without classes"),
        ("torchvision/fasterrcnn_resnet50_fpn", "no classifier"),
        ("diorama/objects", "diorama/object"),
        ("my-model", "architecture"),
    ],
)
def test_unknown_names_are_met_with_known_ones(settings: Settings, name: str, told: str) -> None:
    with pytest.raises(UnknownModel, match=told):
        resolve(name, settings)


def test_a_study_may_replace_file_names_and_preprocessing(settings: Settings, tmp_path: Path) -> None:
    own = PreprocessingSpec(mode="squash", size=224)
    spec = ModelSpec(
        name="torchvision/resnet18",
        checkpoint="tuned.pth",
        sha256="a" * 64,
        class_names="names.txt",
        preprocessing=own,
    )
    entry = resolve(spec, settings, base=tmp_path)
    assert (entry.weights.path, entry.weights.url) == (tmp_path / "tuned.pth", None)
    assert entry.weights.sha256 == "a" * 64
    assert entry.names_file is not None
    assert entry.names_file.path == tmp_path / "names.txt"
    assert entry.preprocessing == own


def test_every_missing_file_is_listed_once_with_address_and_place(settings: Settings, tmp_path: Path) -> None:
    specs = [
        ModelSpec(name="diorama/scene"),
        ModelSpec(name="torchvision/resnet18"),
        ModelSpec(name="torchvision/resnet18:IMAGENET1K_V1"),
        ModelSpec(name="places365/resnet18"),
        EncoderSpec(name="ViT-B-16", pretrained="openai"),
        EncoderSpec(name="diorama/clip"),
    ]
    found = missing_files(specs, settings, world=tmp_path)
    assert [(file.address, file.place) for file in found] == [
        (None, tmp_path / "scene.safetensors"),
        (
            "https://download.pytorch.org/models/resnet18-f37072fd.pth",
            settings.models / "resnet18-f37072fd.pth",
        ),
        (
            "http://places2.csail.mit.edu/models_places365/resnet18_places365.pth.tar",
            settings.models / "resnet18_places365.pth.tar",
        ),
        (
            "https://raw.githubusercontent.com/csailvision/places365/master/categories_places365.txt",
            settings.models / "categories_places365.txt",
        ),
        (
            "https://huggingface.co/timm/vit_base_patch16_clip_224.openai/resolve/main/open_clip_model.safetensors",
            settings.models / "open_clip" / "ViT-B-16--openai" / "open_clip_model.safetensors",
        ),
        (None, tmp_path / "clip" / "open_clip_model.safetensors"),
        (None, tmp_path / "clip" / "open_clip_config.json"),
        (None, tmp_path / "clip" / "bpe_vocab.txt.gz"),
    ]
    assert not settings.models.exists()  # nothing half-written


def test_what_is_there_is_not_missing(settings: Settings, world: Path) -> None:
    assert missing_files([ModelSpec(name="diorama/object")], settings, world=world) == ()
    folder = settings.models / "open_clip" / "ViT-B-16--openai"
    folder.mkdir(parents=True)
    (folder / "open_clip_pytorch_model.bin").write_bytes(b"x")  # the other format serves as well
    assert missing_files([EncoderSpec(name="ViT-B-16", pretrained="openai")], settings) == ()


def test_an_encoders_file_does_not_tell_its_activation(settings: Settings, tmp_path: Path) -> None:
    """GELU and QuickGELU have the same weights: what is not said is said to the owner."""
    given = {"name": "ViT-B-32", "pretrained": str(tmp_path / "mine.pt")}
    silent = resolve_encoder(EncoderSpec(**given), settings)
    assert "quick_gelu: true" in silent.notes[0] and silent.arguments == {}
    quick = resolve_encoder(EncoderSpec(**given, quick_gelu=True), settings)
    assert quick.arguments == {"force_quick_gelu": True} and not quick.notes
    assert not resolve_encoder(EncoderSpec(**given, quick_gelu=False), settings).notes
    tagged = resolve_encoder(EncoderSpec(name="ViT-B-32", pretrained="openai"), settings)
    assert tagged.arguments["force_quick_gelu"] and not tagged.notes
    with pytest.raises(UnknownEncoder, match="says itself"):
        resolve_encoder(EncoderSpec(name="ViT-B-32", pretrained="openai", quick_gelu=True), settings)
    with pytest.raises(ValueError, match="says itself"):
        EncoderSpec(name="diorama/clip", quick_gelu=True)
