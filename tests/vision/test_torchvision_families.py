"""Every classifier of torchvision, with the names of its published files, goes into the network that it is of."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from xai_assets.settings import Settings
from xai_assets.vision.architectures import from_checkpoint
from xai_assets.vision.checkpoints import load_weights
from xai_assets.vision.classifiers import load_classifier
from xai_assets.vision.fitting import try_on
from xai_assets.vision.published_names import torchvisions
from xai_assets.vision.spec import ModelSpec
from xai_assets.vision.unwrapping import places

ALL = torchvision.models.list_models(module=torchvision.models)

SMALLEST = {
    "shufflenet_v2_x0_5": 64, "densenet121": 64, "mnasnet0_5": 64, "squeezenet1_1": 64, "mobilenet_v3_small": 64,
    "mobilenet_v2": 64, "regnet_y_400mf": 64, "regnet_x_400mf": 64, "efficientnet_b0": 64, "googlenet": 96,
    "inception_v3": 96, "resnet18": 64, "alexnet": 64, "vgg11_bn": 32, "convnext_tiny": 64, "swin_t": 64,
    "swin_v2_t": 64, "maxvit_t": 224, "vit_b_32": 224, "efficientnet_v2_s": 64,
}  # fmt: skip
"""The smallest network of each family, and a side of an image that it takes."""

QUICK = ("shufflenet_v2_x0_5", "mnasnet0_5", "mobilenet_v3_small")
"""Loaded in every run of the suite."""


LARGE = ("alexnet", "vgg11_bn", "vit_b_32")
"""Of hundreds of MB: saved in two ways, not in four."""


def family(name: str) -> str:
    """Networks of one class of torchvision's, the ones whose checkpoints are read alike."""
    name = name.removeprefix("wide_").replace("resnext", "resnet")
    return re.split(r"[\d_]", name.replace("efficientnet_v2", "efficientnetv2").replace("swin_v2", "swinv2"))[
        0
    ]


def test_each_family_has_its_smallest_network_here() -> None:
    assert {family(name) for name in ALL} == {family(name) for name in SMALLEST}


class WithoutValues(TorchFunctionMode):
    """Networks are built with parameters on the device meta; what is counted out while building stays real."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.empty:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def made(name: str, **arguments: Any) -> nn.Module:
    """torchvision's network, three classes; every value of its state is another number, and of no special kind."""
    torch.manual_seed(0)
    arguments |= {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = torchvision.models.get_model(name, weights=None, num_classes=3, **arguments)
    with torch.no_grad():
        for (
            value
        ) in network.parameters():  # heads and biases that start at 0 would hide that they were not loaded
            value += 0.02 * torch.randn_like(value)
        for key, value in network.named_buffers():
            if key.endswith(("running_mean", "running_var")):
                value += 0.1 * torch.rand_like(value)
    return network.eval()


def published(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state dict with the names that torchvision's file of this network has; torch's versions go with it."""
    pairs = {
        "densenet": [(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.")],
        "vit": [(r"\.mlp\.0\.", ".mlp.linear_1."), (r"\.mlp\.3\.", ".mlp.linear_2.")],
    }.get(family(name), [])
    found = type(state)()
    for key, value in state.items():
        for new, old in pairs:
            key = re.sub(new, old, key)
        if not (
            key.endswith("num_batches_tracked") and family(name) in ("densenet", "resnet", "vgg", "inception")
        ):
            found[key] = value
    metadata = getattr(state, "_metadata", None)
    if metadata is not None:
        found._metadata = {key: dict(versions) for key, versions in metadata.items()}  # type: ignore[attr-defined]
        for path, versions in found._metadata.items():  # type: ignore[attr-defined]
            if family(name) == "vit" and path.endswith(".mlp"):
                versions["version"] = 1
    return found


def wrapped(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """As DataParallel or Lightning save it: a prefix of every name and of every path of a module."""
    found = type(state)((prefix + key, value) for key, value in state.items())
    metadata = getattr(state, "_metadata", None)
    if metadata is not None:
        found._metadata = {  # type: ignore[attr-defined]
            "": {"version": 1},
            **{f"{prefix}{path}".strip("."): versions for path, versions in metadata.items()},
        }
    return found


def save_pth(state: dict[str, Tensor], path: Path) -> Path:
    torch.save(state, path.with_suffix(".pth"))
    return path.with_suffix(".pth")


def save_lightning(state: dict[str, Tensor], path: Path) -> Path:
    saved = {"epoch": 3, "pytorch-lightning_version": "2.4.0", "state_dict": wrapped(state, "model.")}
    torch.save(saved, path.with_suffix(".ckpt"))
    return path.with_suffix(".ckpt")


def save_parallel(state: dict[str, Tensor], path: Path) -> Path:
    torch.save(wrapped(state, "module."), path.with_suffix(".pt"))
    return path.with_suffix(".pt")


def save_safe(state: dict[str, Tensor], path: Path) -> Path:
    save_file({key: value.contiguous() for key, value in state.items()}, path.with_suffix(".safetensors"))
    return path.with_suffix(".safetensors")


SAVES: list[Callable[[dict[str, Tensor], Path], Path]] = [save_pth, save_lightning, save_parallel, save_safe]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[] if n in QUICK else pytest.mark.slow) for n in SMALLEST]
)
def test_each_family_answers_as_it_was_saved(name: str, settings: Settings, tmp_path: Path) -> None:
    network, side = made(name), SMALLEST[name]
    images = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        wanted = network(images)
    assert len(set(wanted.flatten().tolist())) == 3
    for save in SAVES[1::2] if name in LARGE else SAVES:
        path = save(published(name, network.state_dict()), tmp_path / name)
        own = {
            "name": "mine",
            "architecture": f"torchvision/{name}",
            "checkpoint": str(path),
            "num_classes": 3,
            "preprocessing": {"mode": "native"},
        }
        classifier = load_classifier(ModelSpec.model_validate(own), settings)
        path.unlink()
        assert torch.equal(classifier.logits(images), wanted), save.__name__


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_published_name_leads_to_its_own_parameter(name: str) -> None:
    """Of all sizes: memory is reserved for their tensors and never written, so that the largest takes none."""
    heads = {"aux_logits": True, "init_weights": False} if name in ("googlenet", "inception_v3") else {}
    with WithoutValues():
        network = torchvision.models.get_model(name, weights=None, num_classes=3, **heads)
    own = {key: torch.empty(value.shape, dtype=value.dtype) for key, value in network.state_dict().items()}
    saved = published(name, own)
    assert from_checkpoint(f"torchvision/{name}", saved).get("aux_logits", True)
    place = places(saved, list(network.state_dict()))[0]
    trial = try_on(network, torchvisions(network, dict(place.tensors)), place.metadata)
    assert not trial.differences, str(trial.differences)
    assert all(value.data_ptr() == own[key].data_ptr() for key, value in trial.tensors.items())
    assert {key for key in own if key not in trial.tensors} <= {key for key in own if "num_batches" in key}


@pytest.mark.filterwarnings("ignore:A new version of MNASNet")
@pytest.mark.parametrize("name", [n for n in ALL if n.startswith("mnasnet")])
@pytest.mark.parametrize("told", [True, False])
def test_mnasnets_first_version_has_a_stem_of_its_own(name: str, told: bool) -> None:
    """Files of version 1 have 32 channels in the stem whatever the network's width."""
    older, network = made(name), made(name)
    versions = {"": {"version": 1}}
    stem = {
        f"layers.{at}.{key}": value
        for at, module in enumerate(first_stem(older))
        for key, value in module.state_dict().items()
    }
    state = older.state_dict() | stem
    older.load_state_dict(with_versions(state, versions))
    saved = older.state_dict()
    assert saved["layers.0.weight"].shape[0] == 32
    load_weights(network, saved if told else dict(saved), name="mnasnet.pth")
    images = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(network.eval()(images), older.eval()(images))


def with_versions(state: dict[str, Tensor], versions: dict[str, dict[str, int]]) -> dict[str, Tensor]:
    found = torch.nn.Module().state_dict()
    found.update(state)
    found._metadata = versions
    return found


def first_stem(network: nn.Module) -> list[nn.Module]:
    """The layers that version 1 has at the network's front, of random values: torchvision's `_load_from_state_dict`."""
    width = network.layers[8][0].layers[6].weight.shape[0]  # type: ignore[index, union-attr]
    block = torchvision.models.mnasnet._stack(16, width, 3, 2, 3, 3, 0.1)
    return [
        nn.Conv2d(3, 32, 3, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 32, 3, groups=32, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 16, 1, bias=False), nn.BatchNorm2d(16), block,
    ]  # fmt: skip
