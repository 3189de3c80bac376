"""Classifiers from files of every format that the zoo reads, made here."""

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import load_file, save_file

from xai_assets.errors import XaiError
from xai_assets.files import sha256_file
from xai_assets.settings import Settings
from xai_assets.vision.architectures import UnknownArchitecture, build
from xai_assets.vision.checkpoints import CheckpointMismatch
from xai_assets.vision.class_matching import UnknownClass
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.downloads import DownloadError
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import ModelSpec, PreprocessingSpec
from xai_assets.vision.weights import WeightsError

SQUASH = PreprocessingSpec(mode="squash", size=64)


def spec(**values: object) -> ModelSpec:
    return ModelSpec.model_validate({"name": "mine", "preprocessing": SQUASH, **values})


def test_the_shipped_format_is_loaded(settings: Settings, world: Path, noise: np.ndarray) -> None:
    classifier = load_classifier("diorama/object", settings, world=world)
    assert classifier.class_names == ("bird", "fish", "dog")
    assert classifier.sha256 == sha256_file(world / "object.safetensors")
    assert not classifier.network.training
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())
    saved = load_file(world / "object.safetensors")
    assert torch.equal(classifier.network.state_dict()["fc.weight"], saved["fc.weight"].float())
    batch = classifier.preprocessing.tensor(noise)[None]
    assert batch.shape == (1, 3, 128, 128)
    logits = classifier.logits(batch)
    with torch.no_grad():
        assert torch.equal(logits, classifier.network(batch))
    assert classifier.probabilities(batch).sum().item() == pytest.approx(1)


def test_grad_cam_works_on_frozen_parameters(settings: Settings, world: Path, noise: np.ndarray) -> None:
    classifier = load_classifier("diorama/object", settings, world=world)
    batch = classifier.preprocessing.tensor(noise)[None].requires_grad_()
    with GradCAM(classifier.network, [classifier.network.layer4]) as cam:
        frozen = cam(batch, targets=[ClassifierOutputTarget(1)])
    classifier.network.requires_grad_(True)
    with GradCAM(classifier.network, [classifier.network.layer4]) as cam:
        assert np.array_equal(frozen, cam(batch.detach(), targets=[ClassifierOutputTarget(1)]))


def test_loading_leaves_the_random_numbers_alone(settings: Settings, world: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    load_classifier("diorama/object", settings, world=world)
    assert torch.equal(torch.rand(4), expected)


def test_torchvisions_file_is_checked_by_its_name_and_loaded(settings: Settings) -> None:
    settings.models.mkdir(parents=True)
    path = settings.models / "resnet18-f37072fd.pth"
    torch.save(torchvision.models.resnet18().state_dict(), path)
    with pytest.raises(WeightsError, match="expected f37072fd"):
        load_classifier("torchvision/resnet18", settings)
    with pytest.raises(
        DownloadError, match=r"resnet50-11ad3fa6\.pth"
    ) as caught:  # no network in a test's folder
        _without_network(lambda: load_classifier("torchvision/resnet50", settings))
    assert str(settings.models) in str(caught.value)
    loaded = load_classifier(
        spec(name="torchvision/resnet18", checkpoint=str(path), preprocessing=None), settings
    )
    assert len(loaded.class_names) == 1000
    assert loaded.class_index("goldfish") == 1


def _without_network(call: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("https_proxy", "http://127.0.0.1:9")
        call()  # type: ignore[operator]


def test_places365_in_its_published_format(settings: Settings, noise: np.ndarray) -> None:
    settings.models.mkdir(parents=True)
    network = torchvision.models.resnet18(num_classes=365).eval()
    state = {
        f"module.{k}": v for k, v in network.state_dict().items() if not k.endswith("num_batches_tracked")
    }
    torch.save(
        {"epoch": 90, "arch": "resnet18", "state_dict": state, "best_prec1": 54.2},
        settings.models / "resnet18_places365.pth.tar",
        _use_new_zipfile_serialization=False,
    )
    names = "".join(f"/{chr(97 + i % 26)}/place_{i}/outdoor {i}\n" for i in range(365))
    (settings.models / "categories_places365.txt").write_text(names)
    classifier = load_classifier("places365/resnet18", settings)
    batch = classifier.preprocessing.tensor(noise)[None]
    with torch.inference_mode():
        assert torch.equal(classifier.logits(batch), network(batch))
    assert classifier.class_names[30] == "place_30/outdoor"
    assert (settings.models / "resnet18_places365.pth.tar.sha256").is_file()  # trusted on first use
    (settings.models / "categories_places365.txt").write_text(names + "/z/more 365\n")
    (settings.models / "categories_places365.txt.sha256").unlink()
    with pytest.raises(WeightsError, match="366 classes"):
        load_classifier("places365/resnet18", settings)


@pytest.mark.parametrize(
    "architecture", ["torchvision/mobilenet_v3_small", "timm/resnet10t", "diorama/resnet10"]
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_model_of_ones_own(settings: Settings, tmp_path: Path, architecture: str, suffix: str) -> None:
    foreign = {
        "torchvision/mobilenet_v3_small": lambda: torchvision.models.mobilenet_v3_small(num_classes=5),
        "timm/resnet10t": lambda: timm.create_model("resnet10t", num_classes=5),
        "diorama/resnet10": lambda: build("diorama/resnet10", 5),
    }[architecture]()
    foreign.eval()
    path = tmp_path / f"mine{suffix}"
    state = foreign.state_dict()
    torch.save(state, path) if suffix == ".pth" else save_file(state, path)
    (tmp_path / "names.txt").write_text("a\nb\nc\nd\ne\n")
    own = spec(
        architecture=architecture, checkpoint=path.name, class_names="names.txt", sha256=sha256_file(path)
    )
    classifier = load_classifier(own, settings, base=tmp_path)
    batch = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(classifier.logits(batch), foreign(batch))
    assert classifier.class_index("c") == 2


def test_a_checkpoint_that_does_not_fit_is_told_apart(settings: Settings, tmp_path: Path) -> None:
    torch.save(build("diorama/resnet10", 5).state_dict(), tmp_path / "mine.pth")
    six = spec(architecture="diorama/resnet10", checkpoint="mine.pth", num_classes=6)
    with pytest.raises(
        CheckpointMismatch, match=r"mine\.pth.*fc\.weight: checkpoint \(5, 256\), network \(6, 256\)"
    ):
        load_classifier(six, settings, base=tmp_path)
    other = spec(architecture="torchvision/resnet18", checkpoint="mine.pth", num_classes=5)
    with pytest.raises(CheckpointMismatch, match="missing"):
        load_classifier(other, settings, base=tmp_path)


def test_the_hash_is_checked_before_the_file_is_opened(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(b"not even a checkpoint")
    own = spec(architecture="diorama/resnet10", checkpoint="mine.pth", num_classes=5, sha256="0" * 64)
    with pytest.raises(WeightsError, match="expected 0000"):
        load_classifier(own, settings, base=tmp_path)


def test_names_and_number_of_classes_must_agree(settings: Settings, tmp_path: Path) -> None:
    torch.save(build("diorama/resnet10", 2).state_dict(), tmp_path / "mine.pth")
    (tmp_path / "names.txt").write_text("a\nb\n")
    own = {"architecture": "diorama/resnet10", "checkpoint": "mine.pth", "class_names": "names.txt"}
    assert load_classifier(spec(**own, num_classes=2), settings, base=tmp_path).class_names == ("a", "b")
    with pytest.raises(WeightsError, match=r"names\.txt.*2 classes"):
        load_classifier(spec(**own, num_classes=3), settings, base=tmp_path)


def test_a_missing_shipped_file_says_how_to_make_it(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="xai world train"):
        load_classifier("diorama/scene", settings, world=tmp_path)


def test_a_shipped_file_without_class_names_is_refused(settings: Settings, world: Path) -> None:
    path = world / "object.safetensors"
    save_file(load_file(path), path, metadata={"width": "4"})
    with pytest.raises(XaiError, match="class_names"):
        load_classifier("diorama/object", settings, world=world)
    save_file(load_file(path), path, metadata={"width": "4e9", "class_names": json.dumps(["a"])})
    with pytest.raises(WeightsError, match="4e9"):
        load_classifier("diorama/object", settings, world=world)


@pytest.mark.parametrize(("asked", "index"), [("bird", 0), ("Dog", 2), (1, 1), ("1", 1)])
def test_a_class_by_name_or_number(settings: Settings, world: Path, asked: str | int, index: int) -> None:
    assert load_classifier("diorama/object", settings, world=world).class_index(asked) == index


@pytest.mark.parametrize(
    ("asked", "told"), [("brid", "bird"), (3, "0 to 2"), (-1, "0 to 2"), ("99", "0 to 2"), ("", "3")]
)
def test_a_class_that_is_none(settings: Settings, world: Path, asked: str | int, told: str) -> None:
    with pytest.raises(UnknownClass, match=told):
        load_classifier("diorama/object", settings, world=world).class_index(asked)


def test_a_name_that_two_classes_bear_needs_its_number(settings: Settings, tmp_path: Path) -> None:
    torch.save(build("diorama/resnet10", 3).state_dict(), tmp_path / "mine.pth")
    (tmp_path / "names.txt").write_text("crane\ndog\ncrane\n")
    own = spec(architecture="diorama/resnet10", checkpoint="mine.pth", class_names="names.txt")
    with pytest.raises(UnknownClass, match="0 or 2"):
        load_classifier(own, settings, base=tmp_path).class_index("crane")


def test_a_batch_of_another_shape_is_refused(settings: Settings, world: Path) -> None:
    classifier = load_classifier("diorama/object", settings, world=world)
    for wrong in (torch.zeros(3, 64, 64), torch.zeros(1, 64, 64, 3)):
        with pytest.raises(ValueError, match="n, 3, h, w"):
            classifier.logits(wrong)


def test_cuda_is_not_replaced_by_the_cpu(
    settings: Settings, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(XaiError, match="0 CUDA devices"):
        load_classifier("diorama/object", settings, world=world, device="cuda")
    with pytest.raises(XaiError, match="no such device"):
        load_classifier("diorama/object", settings, world=world, device="abacus")


@pytest.mark.parametrize(
    "name", ["torchvision/resnet19", "timm/resnet10", "diorama/resnet11", "torchvision/fcn_resnet50"]
)
def test_an_unknown_architecture_is_named(name: str) -> None:
    with pytest.raises(UnknownArchitecture, match=name):
        build(name, 3)


class Wrapped(torch.nn.Module):
    """A network whose answer is changed."""

    def __init__(self, change):
        super().__init__()
        self.net, self.change = build("diorama/resnet10", 3, width=4), change

    def forward(self, images):
        return self.change(self.net(images))


@pytest.mark.parametrize(
    ("network", "said"),
    [
        (Wrapped(lambda scores: (scores,)), "answers with a tuple"),
        (Wrapped(lambda scores: {"logits": scores}), "answers with a dict"),
        (Wrapped(lambda scores: scores[0]), r"answered \(3,\)"),
        (Wrapped(lambda scores: scores[:, :, None, None]), r"answered \(2, 3, 1, 1\)"),
        (Wrapped(lambda scores: scores.argmax(dim=1)), r"answered \(2,\)"),
        (Wrapped(lambda scores: scores.round().long()), "scores are torch.int64"),
        (build("diorama/resnet10", 3, width=4).half(), "parameters are float16"),
        (build("diorama/resnet10", 3, width=4).bfloat16(), "parameters are bfloat16"),
        (build("diorama/resnet10", 3, width=4).double(), "parameters are float64"),
    ],
)
def test_a_network_of_ones_own_whose_answer_is_none_is_told_so(network, said):
    preprocessing = Preprocessing(PreprocessingSpec(mode="native"))
    own = Classifier(
        "mine", "mine", network.eval(), preprocessing, ("a", "b", "c"), "0" * 64, torch.device("cpu")
    )
    with pytest.raises(XaiError, match=said):
        own.logits(torch.rand(2, 3, 32, 32))
