"""AblationCAM's weights (Ramaswamy & Desai 2020): how far the class score falls without a channel.

    w_k = (s - s_k) / s,    s_k: the score when channel k of the layer is replaced by a value

The score is the logit of a class, or the difference of two (see `targets`), which falls as a class's logit does.

Only what lies behind the layer is computed. Where that is affine the fall is <ds/dA_k, A_k - value>, and one
gradient gives all the weights.

Two choices of the library are its names here, each with an alternative:

- it divides by the score itself, so that every weight changes sign where the score (a logit) is negative and the
  map shows what speaks against the class (`denominator: score`); `magnitude` divides by |score|.
- a channel is replaced by 0 where the layer's smallest value is exactly 0, as the paper has it, and elsewhere by
  that smallest value less 10 million times its place in a batch of 32 (`value: library`), which no layer behind
  was ever trained to see; `zero` is the paper's 0 everywhere.
"""

import numpy as np
import torch
from torch import Tensor

from xai_assets.attribution.parameters import AblationCAMParameters
from xai_assets.attribution.split import Behind
from xai_assets.attribution.targets import Asked, Target, as_target
from xai_assets.vision.pass_memory import bytes_held, within
from xai_assets.vision.spec import MEMORY_MIB

_LIBRARY_STEP = 1e7
_LIBRARY_BATCH = 32


def ablation_weights(
    behind: Behind, target: Asked, parameters: AblationCAMParameters, *, memory_mib: int = MEMORY_MIB
) -> tuple[np.ndarray, int]:
    """The weight of each channel (c float32), and how many ablated outputs were evaluated.

    Infinite or NaN where the score is exactly 0.
    """
    asked = as_target(target)
    values = ablation_values(behind, parameters.value)
    if behind.gradient is None:
        fitting = parameters.batch_size
        if behind.output.device.type == "cpu":
            fitting = min(fitting, within(memory_mib, _bytes_of_one(behind)))
        score, drops, evaluated = _by_evaluation(behind, asked, values, fitting)
    else:
        score = float(asked.score(behind.evaluate(behind.output)[0]))
        change = _channels(behind, behind.output)[0] - _as_columns(values, behind.output.ndim - 2)  # c ...
        drops = (_channels(behind, behind.gradient(asked))[0] * change).flatten(1).sum(dim=1)  # c
        evaluated = 0
    denominator = score if parameters.denominator == "score" else abs(score)
    with np.errstate(divide="ignore", invalid="ignore"):  # a score of 0; the map is flagged
        return drops.cpu().numpy() / np.float32(denominator), evaluated


def ablation_values(behind: Behind, rule: str) -> Tensor:
    """What each channel (c) is replaced by, float32."""
    count = behind.output.shape[behind.layout.channel_axis]
    smallest = behind.output.min()
    if rule == "zero" or bool(smallest == 0):
        return torch.zeros(count, device=behind.output.device)
    # The library takes the minimum of a batch that it has already written to: each is 1e7 below the one before.
    lower, values = smallest.clone(), []
    for _ in range(min(_LIBRARY_BATCH, count)):
        lower = lower - _LIBRARY_STEP
        values.append(lower)
    return torch.stack(values).repeat(-(-count // _LIBRARY_BATCH))[:count]


def _bytes_of_one(behind: Behind) -> int:
    """What one ablated output takes, the values behind it included."""
    if behind.ablate is None:
        return bytes_held(lambda: behind.evaluate(behind.output.clone()))
    ablate, none = behind.ablate, torch.zeros(1, dtype=torch.int64, device=behind.output.device)
    return bytes_held(lambda: ablate(none, none.to(behind.output.dtype)))


def _by_evaluation(
    behind: Behind, target: Target, values: Tensor, batch_size: int
) -> tuple[float, Tensor, int]:
    score = target.score(behind.evaluate(behind.output)[0])
    channels = _channels(behind, behind.output)[0].flatten(1)  # c ...
    changed = torch.nonzero((channels != values[:, None]).any(dim=1)).flatten()
    drops = torch.zeros(len(values), device=behind.output.device)  # nothing changes: no fall
    for chosen in changed.split(batch_size):
        if behind.ablate is not None:
            drops[chosen] = score - target.score(behind.ablate(chosen, values[chosen]))
            continue
        ablated = behind.output.expand(len(chosen), *behind.output.shape[1:]).clone()
        written = _channels(behind, ablated)  # a view: b c ...
        rows = torch.arange(len(chosen), device=chosen.device)
        written[rows, chosen] = _as_columns(values[chosen], written.ndim - 2)
        drops[chosen] = score - target.score(behind.evaluate(ablated))
    return float(score), drops, len(changed)


def _channels(behind: Behind, output: Tensor) -> Tensor:
    return output.movedim(behind.layout.channel_axis, 1)


def _as_columns(values: Tensor, axes: int) -> Tensor:
    return values.reshape(-1, *[1] * axes)  # c -> c 1 1
