"""The arguments that a study gives to a library's builder of networks, checked against what the builder takes."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import nn

from xai_assets.errors import XaiError
from xai_assets.suggest import did_you_mean

Argument = bool | int | float | str | Sequence[bool | int | float | str]

LARGEST = 65_536
"""Above it no number is a size, a depth or a width of an image classifier."""

_FIXED = {
    "num_classes": "the study's `num_classes` or `class_names` say it",
    "weights": "the study's `checkpoint` is the weights",
    "progress": "nothing is downloaded",
    "in_chans": "images have three channels, R, G and B",
    "features_only": "a classifier is explained, not its features",
    "cache_dir": "nothing is downloaded",
    "scriptable": "networks are not scripted",
    "exportable": "networks are not exported",
    "no_jit": "networks are not scripted",
    "quantize": "quantised networks have no gradients",
}
"""Arguments that a study says in another way, or that change what the platform relies on."""

_LOADING = ("pretrained", "checkpoint", "weights")
"""Parts of the names of arguments by which builders read or download files."""


class ArgumentError(XaiError):
    """An argument that a builder does not take."""


def check_arguments(arguments: Mapping[str, Any], architecture: str) -> None:
    """Refuse arguments that the study says elsewhere, that load files, and numbers of no network.

    Raises:
        ArgumentError: with the argument's name.
    """
    for name, value in arguments.items():
        reason = _FIXED.get(name)
        if reason is None and any(part in name for part in _LOADING):
            reason = "it makes the builder read or download a file"
        if reason is not None:
            raise _refused(name, architecture, reason, "Leave it out.")
        values = value if isinstance(value, (list, tuple)) else [value]
        if any(isinstance(number, (int, float)) and not abs(number) <= LARGEST for number in values):
            why = f"{value} is beyond {LARGEST:,}, more than any size of an image classifier"
            raise _refused(name, architecture, why, "Give a smaller number.")


def built(
    make: Callable[..., nn.Module],
    arguments: Mapping[str, Any],
    architecture: str,
    builder: Callable[..., Any],
) -> nn.Module:
    """What `make` builds with these arguments.

    Args:
        make: takes the arguments by name.
        arguments: of the study.
        architecture: for errors.
        builder: the library's function of the architecture; with the network's class it says which names there are.

    Raises:
        ArgumentError: a name that the builder does not take, or a value that it refuses.
    """
    try:
        network = make(**arguments)
    except XaiError:
        raise
    except Exception as error:  # builders are the libraries' code and raise anything
        if not arguments:
            raise
        plain = make()
        for name in arguments:
            if name not in _names(builder, plain):
                raise _unknown(name, architecture, builder, plain) from error
        given = ", ".join(f"{name}: {value}" for name, value in arguments.items())
        why = f"the builder of {architecture} does not take these values"
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        remedy = f"Look at what {type(plain).__name__} expects ({said})."
        raise ArgumentError(f"`arguments` ({given})", why, remedy) from error
    for name in arguments:
        if _swallows(type(network).__init__) and name not in _names(builder, network):
            raise _unknown(name, architecture, builder, network)
    return network


def _names(builder: Callable[..., Any], network: nn.Module) -> list[str]:
    """The names that a builder and the class of its network take, without those that the study says elsewhere."""
    found = {
        name: None
        for function in (builder, type(network).__init__)
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and name != "self"
        and name not in _FIXED
        and not any(part in name for part in _LOADING)
    }
    return list(found)


def _swallows(function: Callable[..., Any]) -> bool:
    return any(each.kind is each.VAR_KEYWORD for each in inspect.signature(function).parameters.values())


def _unknown(name: str, architecture: str, builder: Callable[..., Any], network: nn.Module) -> ArgumentError:
    names = _names(builder, network)
    close = did_you_mean(name, names).strip()
    return _refused(
        name,
        architecture,
        "the builder has no argument of that name",
        close or f"It takes {', '.join(names)}.",
    )


def _refused(name: str, architecture: str, why: str, remedy: str) -> ArgumentError:
    return ArgumentError(f"the argument `{name}` of {architecture}", why, remedy)
