"""`xai layers`: which layers of a model a class activation map can be made of, and which one is taken."""

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from xai_assets.cli_look import model_options
from xai_assets.cli_say import say, say_json
from xai_assets.settings import Settings

if TYPE_CHECKING:
    from torch import nn

    from xai_assets.analysis.given_model import GivenModel

NO_LAYER = 1
"""Exit code where no layer has positions that can be read."""

FRESH = ("torchvision/", "timm/")
"""Architectures of which no weights are needed: shapes are those of a network with fresh ones."""

HEADING = f"  {'layer':40} {'kind':7} {'channels':>8} {'grid':>9}  methods"


@click.command(short_help="List the layers of a model that can be explained, and the one that is taken.")
@click.argument("model")
@model_options
@click.option("--all", "every", is_flag=True, help="the insides of blocks as well")
@click.option("--json", "as_json", is_flag=True, help="print JSON: default, and every layer")
def layers(
    model: str,
    checkpoint: str | None,
    classes: str | None,
    architecture: str | None,
    preprocessing: str | None,
    every: bool,
    as_json: bool,
) -> None:
    """List the layers of MODEL (a name of the zoo, or torchvision/NAME or timm/NAME, of which no weights are needed).

    Of each its kind (map, tokens with a grid, vector), channels, grid, and which methods it suits, as an input of noise
    tells; then by which copy of the network the methods compute, and why not by a quicker one. The arrow marks
    the layer that a study takes which names none. Exit code 1 where there is none.
    """
    from xai_assets.analysis.given_model import given_model
    from xai_assets.attribution.cams import SIGNED_ABOVE
    from xai_assets.attribution.target_layers import blocks, candidate_layers, suited

    if checkpoint is None and architecture is None and model.startswith(FRESH):
        network, side = _fresh(model)
    else:
        given = given_model(
            model,
            checkpoint=checkpoint,
            classes=classes,
            architecture=architecture,
            preprocessing=preprocessing,
        )
        network, side = _loaded(given)
    found, default = candidate_layers(network, (side, side))
    passes = _passes(network, side)
    shown = found if every or as_json else blocks(network, found, default)
    rows: list[dict[str, Any]] = [
        {**asdict(one), "methods": "; ".join(suited(one, SIGNED_ABOVE)), "default": one.path == default}
        for one in shown
    ]
    if as_json:
        said = {
            "model": model,
            "input": [side, side],
            "default": default,
            "forward_passes": passes,
            "layers": rows,
        }
        say_json(said)
    else:
        say(HEADING)
        for row in rows:
            grid = "-" if row["kind"] == "vector" else f"{row['height']} x {row['width']}"
            mark = ">" if row["default"] else " "
            say(f"{mark} {row['path']:40} {row['kind']:7} {row['channels']:8} {grid:>9}  {row['methods']}")
        hidden = len(found) - len(rows)
        more = f"; {hidden} layers inside blocks: --all" if hidden else ""
        say(f"forward passes: {passes}")
        say(f"taken where none is named: {default or 'none, no layer has positions'}{more}")
    sys.exit(0 if default else NO_LAYER)


def _passes(network: "nn.Module", side: int) -> str:
    import torch

    from xai_assets.attribution.passes import of_network

    noise = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    of = next(network.parameters(), noise)
    return of_network(network.eval(), noise.to(of.device))[0]


def _fresh(architecture: str) -> tuple["nn.Module", int]:
    from xai_assets.analysis.given_model import IMAGENET
    from xai_assets.attribution.target_layers import SIDE
    from xai_assets.errors import XaiError
    from xai_assets.vision.architectures import build
    from xai_assets.vision.published_preprocessing import published_preprocessing

    network = build(architecture.partition(":")[0], IMAGENET)
    try:
        return network, published_preprocessing(architecture.partition(":")[0]).side or SIDE
    except XaiError:  # a library that does not say the size of the input: the usual one
        return network, SIDE


def _loaded(given: "GivenModel") -> tuple["nn.Module", int]:
    from xai_assets.analysis.look import open_model
    from xai_assets.attribution.target_layers import SIDE

    classifier = open_model(given, Settings.from_environment())
    return classifier.network, classifier.preprocessing.spec.side or SIDE
