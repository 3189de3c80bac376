"""Networks and checkpoints as they are published: names, containers, prefixes, heads, arguments of builders."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

from xai_assets.settings import Settings
from xai_assets.vision.architectures import UnknownArchitecture, build
from xai_assets.vision.builder_arguments import ArgumentError
from xai_assets.vision.checkpoints import CheckpointError, CheckpointMismatch, load_weights
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.published_names import timms
from xai_assets.vision.spec import ModelSpec
from xai_assets.vision.zoo import resolve

SHUFFLE = "torchvision/shufflenet_v2_x0_5"


@pytest.fixture
def load(settings: Settings, tmp_path: Path) -> Callable[..., Classifier]:
    """Saves a checkpoint and loads it as a study's own model of three classes."""

    def loaded(architecture: str, saved: object, *, suffix: str = ".pth", **fields: Any) -> Classifier:
        path = tmp_path / f"mine{suffix}"
        save_file(saved, path) if suffix == ".safetensors" else torch.save(saved, path)
        own = {"name": "mine", "architecture": architecture, "checkpoint": str(path), "num_classes": 3}
        preprocessing = {"mode": "native"}
        return load_classifier(
            ModelSpec.model_validate({**own, "preprocessing": preprocessing, **fields}), settings
        )

    return loaded


@pytest.fixture(scope="module")
def shuffle() -> nn.Module:
    torch.manual_seed(0)
    return torchvision.models.shufflenet_v2_x0_5(num_classes=3).eval()


def same(classifier: Classifier, network: nn.Module, side: int = 64) -> bool:
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return torch.equal(classifier.logits(images), network.eval()(images))


def densenets_published_names(network: nn.Module) -> dict[str, Tensor]:
    """As in densenet121-a639ec97.pth: `norm.1`, and no counters."""
    state = network.state_dict()
    return {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])\.", r"\1.\2.", key): value
        for key, value in state.items()
        if "num_batches" not in key
    }


def vits_published_names(network: nn.Module) -> dict[str, Tensor]:
    """As in vit_b_16-c867db91.pth: `mlp.linear_1`, of which the version 1 of the MLP reads."""
    state: Any = network.state_dict()
    names = {".mlp.0.": ".mlp.linear_1.", ".mlp.3.": ".mlp.linear_2."}
    for new, old in names.items():
        state = type(state)((key.replace(new, old), value) for key, value in state.items())
    return dict(state)


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_densenet_is_read_with_its_published_names(load: Callable[..., Classifier], prefix: str) -> None:
    network = torchvision.models.DenseNet(growth_rate=32, block_config=(6, 12, 24, 16), num_classes=3)
    published = {prefix + key: value for key, value in densenets_published_names(network).items()}
    assert any(".norm.1." in key for key in published)
    assert same(load("torchvision/densenet121", published), network)


def test_the_vit_is_read_with_its_published_names() -> None:
    make = {
        "image_size": 32,
        "patch_size": 16,
        "num_layers": 2,
        "num_heads": 2,
        "hidden_dim": 8,
        "mlp_dim": 16,
    }
    network, fresh = (torchvision.models.VisionTransformer(**make, num_classes=3).eval() for _ in range(2))
    published = vits_published_names(network)
    assert any("linear_1" in key for key in published)
    load_weights(fresh, published, name="vit.pth")
    images = torch.rand(1, 3, 32, 32)
    nn.init.normal_(network.heads.head.weight)
    load_weights(fresh, vits_published_names(network), name="vit.pth")
    assert torch.equal(fresh(images), network(images))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_mnasnet_is_read_with_and_without_its_version(load: Callable[..., Classifier], suffix: str) -> None:
    network = torchvision.models.mnasnet0_5(num_classes=3)
    assert same(load("torchvision/mnasnet0_5", network.state_dict(), suffix=suffix), network)


def test_mnasnets_version_is_kept_behind_a_prefix_and_in_a_container(load: Callable[..., Classifier]) -> None:
    wrapped = nn.DataParallel(torchvision.models.mnasnet0_5(num_classes=3))
    assert same(load("torchvision/mnasnet0_5", {"net": wrapped.state_dict()}), wrapped.module)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ((), ""),
        (("state_dict",), "under 'state_dict'"),
        (("net",), "under 'net'"),
        (("model_ema",), "under 'model_ema'"),
        (("model", "state_dict"), "under 'model.state_dict'"),
        (("checkpoint", "params", "weights"), "under 'checkpoint.params.weights'"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "module._orig_mod.", "_orig_mod.module.", "model.", "backbone.net."])
def test_containers_and_prefixes_are_found_and_said(
    shuffle: nn.Module, keys: tuple[str, ...], said: str, prefix: str
) -> None:
    saved: Any = {prefix + key: value for key, value in shuffle.state_dict().items()}
    for key in reversed(keys):
        saved = {"epoch": 3, key: saved, "acc": torch.tensor(0.9), "optimizer": {"state": {0: {"step": 1}}}}
    fresh = torchvision.models.shufflenet_v2_x0_5(num_classes=3).eval()
    taken = load_weights(fresh, saved, name="x.pth")
    assert (taken.container, taken.prefix) == (".".join(keys), prefix)
    assert said in str(taken)
    assert (f"'{prefix}'" in str(taken)) == bool(prefix)
    assert torch.equal(fresh.fc.weight, shuffle.fc.weight)


def test_what_is_beside_the_prefix_is_left_out_and_said(shuffle: nn.Module) -> None:
    averaged = torch.optim.swa_utils.AveragedModel(shuffle).state_dict()
    fresh = torchvision.models.shufflenet_v2_x0_5(num_classes=3)
    taken = load_weights(fresh, averaged, name="x.pth")
    assert taken.beside == ("n_averaged",)
    assert "left out: n_averaged" in str(taken)


def test_which_of_several_weights_is_meant_is_asked_for(
    load: Callable[..., Classifier], shuffle: nn.Module
) -> None:
    other = torchvision.models.shufflenet_v2_x0_5(num_classes=3)
    saved = {"model": shuffle.state_dict(), "model_ema": other.state_dict(), "same": shuffle.state_dict()}
    with pytest.raises(CheckpointMismatch, match=r"model, model_ema.*checkpoint_key"):
        load(SHUFFLE, saved)
    ema, plain = (load(SHUFFLE, saved, checkpoint_key=key) for key in ("model_ema", "model"))
    assert same(ema, other)
    assert same(plain, shuffle)
    assert ema.fingerprint != plain.fingerprint  # results of one are none of the other
    with pytest.raises(CheckpointError, match=r"'modelema'.*Did you mean 'model_ema'"):
        load(SHUFFLE, saved, checkpoint_key="modelema")
    del saved["model_ema"]
    assert load(SHUFFLE, saved).taken.others == ("same",)  # equal weights are no question


def test_a_mismatch_says_where_it_looked_and_what_differs(
    load: Callable[..., Classifier], shuffle: nn.Module, tmp_path: Path
) -> None:
    saved = {"net": {f"model.{key}": value for key, value in shuffle.state_dict().items()}}
    with pytest.raises(CheckpointMismatch, match=r"3 outputs.*gives 4 classes.*under 'net'.*'model\.'"):
        load(SHUFFLE, saved, num_classes=4)
    (tmp_path / "names.txt").write_text("a\nb\n")
    with pytest.raises(
        CheckpointMismatch, match=r"mine\.pth: it has 3 outputs, and .*names\.txt gives 2 classes"
    ):
        load(SHUFFLE, saved, num_classes=None, class_names=str(tmp_path / "names.txt"))
    foreign = {f"tower.{index}": torch.zeros(1) for index in range(3)}
    with pytest.raises(CheckpointMismatch, match=r"all have the prefix 'tower\.'"):
        load(SHUFFLE, foreign)


@pytest.mark.parametrize("saved", [[], {}, {"epoch": 3}, {"state": [torch.zeros(1)]}])
def test_a_file_without_weights_is_said_to_have_none(load: Callable[..., Classifier], saved: object) -> None:
    with pytest.raises(CheckpointError, match="where a state dict was expected"):
        load(SHUFFLE, saved)


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
@pytest.mark.parametrize("heads", [True, False])
def test_auxiliary_heads_are_as_in_the_file(load: Callable[..., Classifier], name: str, heads: bool) -> None:
    torch.manual_seed(0)
    network = torchvision.models.get_model(
        name, weights=None, num_classes=3, aux_logits=heads, init_weights=False
    )
    classifier = load(f"torchvision/{name}", network.state_dict())
    assert classifier.arguments == {"aux_logits": heads, "transform_input": False}
    assert same(classifier, network, 96)
    assert any("transform_input: true" in note for note in classifier.notes())
    other = load(f"torchvision/{name}", network.state_dict(), arguments={"transform_input": True})
    network.transform_input = True
    assert same(other, network, 96)
    assert other.fingerprint != classifier.fingerprint


@pytest.mark.parametrize("name", ["torchvision/googlenet", "torchvision/inception_v3"])
def test_published_weights_are_normalised_again_inside_the_network(settings: Settings, name: str) -> None:
    assert resolve(name, settings).arguments == {"transform_input": True}


def test_arguments_reach_the_builder_and_the_key(load: Callable[..., Classifier]) -> None:
    network = timm.create_model("vit_tiny_patch16_224", num_classes=3, img_size=160)
    with pytest.raises(CheckpointMismatch, match=r"arguments: \{img_size: 160\}"):
        load("timm/vit_tiny_patch16_224", network.state_dict())
    classifier = load("timm/vit_tiny_patch16_224", network.state_dict(), arguments={"img_size": 160})
    assert same(classifier, network, 160)
    assert classifier.arguments == {"img_size": 160}


def test_torchvisions_size_is_named_by_its_own_argument() -> None:
    make = {"patch_size": 16, "num_layers": 1, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 16}
    small, large = (torchvision.models.VisionTransformer(image_size=side, **make) for side in (32, 64))
    with pytest.raises(CheckpointMismatch, match=r"arguments: \{image_size: 64\}"):
        load_weights(small, large.state_dict(), name="vit.pth")


@pytest.mark.parametrize(
    ("architecture", "arguments", "said"),
    [
        ("timm/vit_tiny_patch16_224", {"image_size": 160}, "Did you mean 'img_size'"),
        ("torchvision/resnet18", {"groops": 2}, "Did you mean 'groups'"),
        ("torchvision/resnet18", {"layers": [1, 1]}, "does not take these values"),
        ("timm/vit_tiny_patch16_224", {"img_size": "large"}, "does not take these values"),
        ("timm/resnet18", {"checkpoint_path": "/etc/passwd"}, "read or download a file"),
        ("timm/resnet18", {"pretrained": True}, "read or download a file"),
        ("torchvision/resnet18", {"weights": "DEFAULT"}, "checkpoint"),
        ("torchvision/resnet18", {"num_classes": 5}, "class_names"),
        ("timm/resnet18", {"in_chans": 1}, "three channels"),
        ("timm/vit_tiny_patch16_224", {"depth": 10**9}, "beyond 65,536"),
        ("diorama/resnet10", {"width": 8}, "takes none"),
    ],
)
def test_arguments_that_a_builder_does_not_take(
    architecture: str, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ArgumentError, match=said):
        build(architecture, 3, arguments=arguments)


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "tf_efficientnet_b0_ns", "vit_tiny_patch16_224_in21k"])
def test_timm_is_asked_for_tags_and_old_names(name: str) -> None:
    assert build(f"timm/{name}", 3).num_classes == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet18.a1_in1", "no tag 'a1_in1' of resnet18.*Did you mean 'a1_in1k'"),
        ("resnet18x", "Did you mean"),
        ("hf-hub:timm/resnet18", "none of that name"),
        ("local-dir:/tmp", "none of that name"),
    ],
)
def test_a_name_that_timm_does_not_know(name: str, said: str) -> None:
    with pytest.raises(UnknownArchitecture, match=said):
        build(f"timm/{name}", 3)


def test_timms_published_names_are_translated_by_timm(load: Callable[..., Classifier]) -> None:
    """ConvNeXt's authors publish `downsample_layers.0.0`, `stages.0.0.pwconv1`, `norm`; timm's filter renames them."""
    network = timm.create_model("convnext_atto", num_classes=3)
    published = {}
    for key, value in network.state_dict().items():
        name = re.sub(r"^stem\.", "downsample_layers.0.", key)
        name = re.sub(r"stages\.(\d)\.downsample\.", r"downsample_layers.\1.", name)
        name = re.sub(r"stages\.(\d)\.blocks\.(\d+)\.", r"stages.\1.\2.", name)
        name = name.replace("conv_dw.", "dwconv.").replace("mlp.fc1", "pwconv1").replace("mlp.fc2", "pwconv2")
        published[name.replace("head.norm.", "norm.").replace("head.fc.", "head.")] = value
    assert "downsample_layers.0.0.weight" in published
    classifier = load("timm/convnext_atto", {"model": published})
    assert same(classifier, network)
    assert "published names were translated" in str(classifier.taken)


def test_position_embeddings_are_not_resampled_in_silence() -> None:
    """timm's filter would make weights for another image size, which answer otherwise."""
    fresh, network = (
        timm.create_model("vit_tiny_patch16_224", num_classes=3, img_size=s) for s in (224, 160)
    )
    with pytest.raises(CheckpointMismatch, match="pos_embed"):
        load_weights(
            fresh, network.state_dict(), name="v.pth", renaming=timms("vit_tiny_patch16_224", num_classes=3)
        )


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ("0", "1")),
        ({"class_names": "dog\n"}, ("not dog", "dog")),
        ({"class_names": "cat\ndog\n"}, ("cat", "dog")),
    ],
)
def test_a_single_output_is_the_sigmoid_of_two_classes(
    load: Callable[..., Classifier], tmp_path: Path, fields: dict[str, str], names: tuple[str, ...]
) -> None:
    torch.manual_seed(0)
    network = torchvision.models.shufflenet_v2_x0_5(num_classes=1).eval()
    if "class_names" in fields:
        (tmp_path / "names.txt").write_text(fields["class_names"])
        fields = {"class_names": str(tmp_path / "names.txt")}
    classifier = load(SHUFFLE, network.state_dict(), num_classes=1, **fields)
    assert classifier.class_names == names
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        wanted = torch.sigmoid(network(images))[:, 0]
    found = classifier.probabilities(images)
    torch.testing.assert_close(found[:, 1], wanted)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(2))
    assert any("single output" in note for note in classifier.notes())
    assert classifier.network.get_submodule("conv5") is not None  # paths of layers are the network's own


def test_two_names_for_a_single_output_are_met_with_the_field_that_says_so(
    load: Callable[..., Classifier], tmp_path: Path
) -> None:
    network = torchvision.models.shufflenet_v2_x0_5(num_classes=1)
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    with pytest.raises(CheckpointMismatch, match=r"1 outputs.*num_classes: 1"):
        load(SHUFFLE, network.state_dict(), num_classes=None, class_names=str(tmp_path / "names.txt"))


def test_the_key_of_results_follows_the_architecture(load: Callable[..., Classifier]) -> None:
    """CLIP's ViT with GELU and with QuickGELU have the same names and shapes, and other answers."""
    from dataclasses import replace

    network = torchvision.models.shufflenet_v2_x0_5(num_classes=3)
    classifier = load(SHUFFLE, network.state_dict())
    assert replace(classifier, architecture="timm/other").fingerprint != classifier.fingerprint
    assert replace(classifier, own=False).fingerprint == classifier.sha256
