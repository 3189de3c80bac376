"""Building a network from its name, with fresh weights that a checkpoint will replace."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from xai_assets.errors import XaiError
from xai_assets.suggest import did_you_mean
from xai_assets.vision import efficientnet_names, published_names
from xai_assets.vision.builder_arguments import ArgumentError, built, check_arguments
from xai_assets.vision.diorama_net import resnet10

DIORAMA = "diorama/resnet10"

HEADS: Mapping[str, tuple[str, ...]] = {"googlenet": ("aux1.", "aux2."), "inception_v3": ("AuxLogits.",)}
"""Parts of the names of auxiliary heads. torchvision builds these families with them unless it is told, and people train
and save them with and without."""


class UnknownArchitecture(XaiError):
    """No library has an architecture of that name."""


def build(
    architecture: str, num_classes: int, *, width: int = 32, arguments: Mapping[str, Any] | None = None
) -> nn.Module:
    """A network of `num_classes` outputs; the global random state is left as it was.

    Args:
        architecture: "torchvision/NAME", "timm/NAME" or "diorama/resnet10". timm's names may have a tag, and may be old
            ones that timm still knows.
        num_classes: outputs.
        width: channels of the stem, for diorama/resnet10 only.
        arguments: further arguments of the library's builder.

    Raises:
        UnknownArchitecture: there is none of that name; the message names close ones.
        ArgumentError: an argument that the builder does not take.
    """
    arguments = dict(arguments or {})
    check_arguments(arguments, architecture)
    library, _, name = architecture.partition("/")
    with torch.random.fork_rng(devices=[]):
        if library == "torchvision":
            import torchvision  # both libraries take seconds, and Diorama's networks do without them

            _known(architecture, name, torchvision.models.list_models(module=torchvision.models))
            fresh = {"init_weights": False} if name in HEADS else {}

            def make(**more: Any) -> nn.Module:
                return torchvision.models.get_model(
                    name, weights=None, num_classes=num_classes, **(fresh | more)
                )

            return built(make, arguments, architecture, torchvision.models.get_model_builder(name))
        if library == "timm":
            import timm

            if not timm.is_model(name):
                _known(architecture, name, timm.list_models())
            return built(
                lambda **more: _timm(architecture, name, num_classes, more),
                arguments,
                architecture,
                timm.models.model_entrypoint(name),
            )
    _known(architecture, architecture, [DIORAMA])
    if arguments:
        raise ArgumentError(
            f"the argument `{next(iter(arguments))}`", f"{DIORAMA} takes none", "Leave `arguments` out."
        )
    with torch.random.fork_rng(devices=[]):
        return resnet10(width, num_classes)


def from_checkpoint(architecture: str, names: Iterable[str]) -> dict[str, Any]:
    """Arguments of the builder that the names in a checkpoint tell: whether there are auxiliary heads."""
    heads = HEADS.get(architecture.removeprefix("torchvision/"))
    if heads is None or not architecture.startswith("torchvision/"):
        return {}
    return {"aux_logits": any(head in name for name in names for head in heads)}


def renaming(
    architecture: str, num_classes: int, arguments: Mapping[str, Any]
) -> published_names.Renaming | None:
    """What translates the names of published files into timm's, see `published_names.timms` and `efficientnet_names`."""
    library, _, name = architecture.partition("/")
    if library != "timm":
        return None

    def rename(network: nn.Module, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        if efficientnet_names.has_such_names(state):
            return efficientnet_names.as_timms(network, state)
        with torch.random.fork_rng(devices=[]):
            found = published_names.timms(name, num_classes=num_classes, **arguments)
        return state if found is None else found(network, state)

    return rename


def _timm(architecture: str, name: str, num_classes: int, arguments: Mapping[str, Any]) -> nn.Module:
    import timm

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a name is an old one, which is what it was asked for by
            return timm.create_model(name, pretrained=False, num_classes=num_classes, **arguments)
    except RuntimeError as error:
        base, _, tag = name.partition(".")
        if tag and "tag" in str(error):
            tags = [known.partition(".")[2] for known in timm.list_models(f"{base}.*", include_tags=True)]
            remedy = f"It has {', '.join(tags) or 'none'}.{did_you_mean(tag, tags)}"
            raise UnknownArchitecture(
                f"the architecture {architecture!r}", f"timm has no tag {tag!r} of {base}", remedy
            ) from error
        raise


def _known(architecture: str, name: str, names: list[str]) -> None:
    if name not in names:
        close = did_you_mean(name, names).strip()
        raise UnknownArchitecture(
            f"the architecture {architecture!r}",
            "there is none of that name",
            close or "Name one of torchvision/, timm/ or diorama/.",
        )
