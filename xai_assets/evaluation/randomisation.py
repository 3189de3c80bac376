"""The model parameter randomisation test (Adebayo et al. 2018): a map that stays as the model goes did not look at it.

Layers are randomised from the last one on, each on top of those before it (the paper's cascade). The result is a
veto: a method whose maps outlive the model is not to be trusted. It is no ranking, for a lower similarity is not a
better map: noise has the lowest.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn

from xai_assets.evaluation.comparison import INTERVAL, interval_columns, interval_of
from xai_assets.evaluation.controls import random_smooth
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.ranking import RankedMaps, rank_correlation
from xai_assets.vision.batch_norm import measure_anew, norms_with_statistics

VETO = (
    "method", "is_control", "similarity", *INTERVAL, "above", "vetoed", "alive", "vanished", "constant",
)  # fmt: skip

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


def randomise(network: nn.Module, layers: int, *, seed: int, batches: Sequence[torch.Tensor] = ()) -> Stage:
    """A copy of a network whose last layers are random; the network is left as it is.

    The entries of each parameter are put in another order: sizes and spreads stay, where the paper draws from the
    initialiser. What a layer's parameters become depends on the seed and its path alone, so that each stage of a cascade
    holds the one before it. Statistics of batch normalisation belong to the old weights: those of the random layers are
    measured anew on `batches`, for with the old ones most maps are constant.

    Args:
        network: any.
        layers: how many, from the last.
        seed: of the orders.
        batches: inputs of the network (n c h w, on its device); without any the old statistics stay.
    """
    found = layers_with_parameters(network)
    twin = copy.deepcopy(network).eval()
    modules = dict(twin.named_modules())
    for place, (path, _) in enumerate(found[len(found) - layers :], len(found) - layers):
        generator = torch.Generator().manual_seed(seed * 100_003 + place)
        with torch.no_grad():
            for tensor in modules[path].parameters(recurse=False):
                order = torch.randperm(tensor.numel(), generator=generator).to(tensor.device)
                tensor.copy_(tensor.flatten()[order].view_as(tensor))
    first = found[len(found) - layers][0]

    def run() -> None:
        with torch.no_grad():
            for batch in batches:
                twin(batch)

    if batches:
        measure_anew(norms_with_statistics(twin, first=first), run)
    twin.requires_grad_(False)
    return Stage(layers, first, twin)


def similarity(values: np.ndarray, randomised: np.ndarray) -> float | None:
    """Spearman correlation (-1..1) of the maps of a trained and a randomised network; None where one is constant.

    A constant map of the randomised network is excluded from means, and never taken for 0; see `veto`.
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


def veto(similarity: float | None, *, above: float) -> bool | None:
    """Whether a method is vetoed: the mean similarity under whole randomisation is above the limit.

    Args:
        similarity: mean over images where both maps show something; None where there is none.
        above: the limit.

    Returns:
        None where no map of the randomised network shows anything: that maps vanish with a dead network says nothing
        of the method.
    """
    return None if similarity is None else bool(similarity > above)


def veto_table(whole: pd.DataFrame, *, above: float) -> pd.DataFrame:
    """Which methods' maps outlive the model.

    Args:
        whole: rows of the wholly randomised network: image_id, method, is_control, `value` (similarity, NULL where one of
            the maps is constant) and `chance` (NULL where the map of the trained network is).
        above: the limit.

    Returns:
        VETO, one row a method.
    """
    rows = []
    for (method, is_control), of in whole.groupby(["method", "is_control"], sort=False):
        values = of["value"].astype("float64")
        by_image = values.groupby(of["image_id"], sort=False).mean()
        found = interval_of("randomisation_similarity", by_image.to_numpy())
        rows.append(
            {
                "method": method,
                "is_control": is_control,
                "similarity": found.mean,
                **interval_columns(found),
                "above": above,
                "vetoed": veto(found.mean, above=above),
                "alive": int(values.notna().sum()),
                # A map that shows something has a level of chance, whatever became of it.
                "vanished": int((values.isna() & of["chance"].notna()).sum()),
                "constant": int((values.isna() & of["chance"].isna()).sum()),
            }
        )
    return pd.DataFrame(rows, columns=list(VETO))
