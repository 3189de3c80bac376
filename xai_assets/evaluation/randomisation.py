"""The model parameter randomisation test (Adebayo et al. 2018): a map that stays as the model goes did not look at it.

Layers are randomised from the last one on, each on top of those before it (the paper's cascade). The result is a
veto: a method whose maps outlive the model is not to be trusted. It is no ranking, for a lower similarity is not a
better map: noise has the lowest.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from xai_assets.evaluation.controls import random_smooth
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ranking import RankedMaps, rank_correlation

DRAWS = 100
"""Maps of smooth noise that the level of chance is taken from."""


@dataclass(frozen=True)
class Stage:
    """A network of the cascade.

    Attributes:
        layers: how many layers are randomised, counted from the last.
        name: the first of them in the network, from which on all is random.
        network: a copy, in eval mode with frozen parameters.
    """

    layers: int
    name: str
    network: nn.Module


def layers_with_parameters(network: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that own parameters themselves, by path, in order of registration.

    In the networks of torchvision and timm that is the order of the forward pass.
    """
    return [
        (name, module) for name, module in network.named_modules() if list(module.parameters(recurse=False))
    ]


def depths(layers: int, stages: int) -> list[int]:
    """How many layers are random in each network of a cascade: from 1 to all, evenly, rising.

    Raises:
        EvaluationError: no layers, or fewer than two stages.
    """
    if layers < 1 or stages < 2:
        raise EvaluationError(
            "a cascade of randomised networks",
            f"cannot have {stages} stages of {layers} layers",
            "Give at least two stages, and a network with parameters.",
        )
    return sorted({round(depth) for depth in np.linspace(1, layers, stages)})


def randomise(network: nn.Module, layers: int, *, seed: int) -> Stage:
    """A copy of a network whose last layers are random; the network is left as it is.

    The entries of each tensor, of batch normalisation's statistics as well, are put in another order: sizes and
    spreads stay, so that activations keep their scale and maps do not vanish for want of it, where the paper draws
    from the initialiser. What a layer becomes depends on the seed and its path alone, so that each stage of a
    cascade holds the one before it.

    Args:
        network: any.
        layers: how many, from the last.
        seed: of the orders.
    """
    found = layers_with_parameters(network)
    twin = copy.deepcopy(network)
    modules = dict(twin.named_modules())
    for place, (path, _) in enumerate(found[len(found) - layers :], len(found) - layers):
        generator = torch.Generator().manual_seed(seed * 100_003 + place)
        tensors = [*modules[path].parameters(recurse=False), *modules[path].buffers(recurse=False)]
        with torch.no_grad():
            for tensor in tensors:
                order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
                tensor.copy_(tensor.flatten()[order].view_as(tensor))
    twin.eval().requires_grad_(False)
    return Stage(layers, found[len(found) - layers][0], twin)


def similarity(values: np.ndarray, randomised: np.ndarray) -> float | None:
    """Spearman correlation (-1..1) of the maps of a trained and a randomised network; None where one is constant.

    A constant map of the randomised network has nothing of the other: it is excluded from means, which can only make
    a veto likelier, and never taken for 0; see `veto`.
    """
    return rank_correlation(values, randomised)


def smooth_noise(shape: tuple[int, int], *, seed: int) -> list[np.ndarray]:
    """Maps of smooth noise of a shape (h w), DRAWS of them: what `chance_similarity` compares with."""
    view = np.zeros((*shape, 3), dtype=np.uint8)
    return [random_smooth(view, seed=seed, image_id=f"chance {draw}") for draw in range(DRAWS)]


def chance_similarity(values: np.ndarray, noise: RankedMaps) -> float | None:
    """What a map's absolute correlation with smooth noise stays below in 95 of 100 draws, 0..1.

    Smooth maps correlate by chance: a similarity below this level cannot be told from none. None as for `similarity`.

    Args:
        values: h w float.
        noise: of `smooth_noise`, put in ranks once for many maps.
    """
    found = noise.correlations(values)
    return None if found is None else float(np.quantile(np.abs(found), 0.95))


def veto(similarities: Sequence[float | None], *, vanished: int, above: float) -> bool | None:
    """Whether a method is vetoed: the mean similarity under whole randomisation is above the limit.

    Args:
        similarities: one a case, None where it could not be measured.
        vanished: of these, how many because the randomised network's map is constant, though the trained one's is
            not: nothing of the map outlived the model.
        above: the limit.

    Returns:
        None where no case says anything: nothing was measured, and no map vanished.
    """
    measured = [one for one in similarities if one is not None]
    if not measured:
        return False if vanished else None
    return bool(np.mean(measured) > above)
