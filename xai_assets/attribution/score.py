"""ScoreCAM's weights (Wang et al. 2020): the class score of the image seen through each channel.

    m_k = up(A_k), scaled to 0..1;   s_k = f(x · m_k)

How scores become weights is named:

- `softmax`, the library's: a softmax over the scores of all channels. On logits that is close to one channel
  alone where they differ by more than a few units.
- `increase`: how much more probable the class is than for the base alone, p(x · m_k) - p(0). It follows the
  paper's "increase of confidence" without a softmax on top, is in units of probability, and takes no side between
  channels that differ little.

A channel that is the same everywhere hides all of the image: such channels are scored once, together.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from xai_assets.attribution.masked_forward import masked_scores
from xai_assets.attribution.parameters import ScoreCAMParameters

_SAMPLED = 16
"""How many masks tell the error of reduced precision."""


@dataclass(frozen=True)
class Scorer:
    """A network for the masked images, and one in float32 to hold reduced precision against (None: it is that).

    Attributes:
        network: n 3 h w of `dtype` -> n k.
        exact: the same in float32, where `dtype` is another.
        dtype: what `network` computes in.
        details: what it is, for the record.
    """

    network: Callable[[Tensor], Tensor]
    exact: Callable[[Tensor], Tensor] | None = None
    dtype: torch.dtype = torch.float32
    details: Mapping[str, Any] = field(default_factory=dict)


def score_weights(
    scorer: Scorer, image: Tensor, maps: Tensor, target: int, parameters: ScoreCAMParameters
) -> tuple[np.ndarray, dict[str, float | int]]:
    """The weight of each channel (c float32), and what it took.

    Args:
        scorer: scores masked images.
        image: 1 3 h w float32, normalised.
        maps: c h' w' float32, the layer's channels.
        target: class index.
        parameters: batch size, and how scores become weights.

    Returns:
        The weights; `scored` (masked images evaluated), `constant` (channels scored together), and with reduced
        precision `score_error`: the largest difference of a logit over a sample of the masks.
    """
    size = (image.shape[-2], image.shape[-1])
    constant = _constant(maps, size)
    varied = torch.nonzero(~constant).flatten()
    together = bool(constant.any()) or parameters.weighting == "increase"

    def masks(channels: Tensor, with_base: bool) -> Iterator[Tensor]:
        if with_base:
            yield torch.zeros(1, 1, *size, device=image.device)
        for chosen in channels.split(parameters.batch_size):
            yield enlarged(maps[chosen], size)

    scores = masked_scores(scorer.network, image, masks(varied, together), dtype=scorer.dtype)  # m k
    found: dict[str, float | int] = {"scored": len(scores), "constant": int(constant.sum())}
    if scorer.exact is not None and len(varied):
        step = max(1, len(varied) // _SAMPLED)
        exact = masked_scores(scorer.exact, image, masks(varied[::step], False))
        reduced = scores[int(together) :][::step]
        found["score_error"] = float((exact - reduced)[:, target].abs().max())
    of_class = scores[:, target] if parameters.weighting == "softmax" else scores.softmax(dim=1)[:, target]
    base = of_class[0]
    every = base.expand(len(maps)).clone()
    every[varied] = of_class[int(together) :]
    weights = torch.softmax(every, dim=0) if parameters.weighting == "softmax" else every - base
    return weights.cpu().numpy(), found


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Channels (c h' w') at the image's size and scaled to 0..1, as the library has it: c 1 h w."""
    up = F.interpolate(maps[:, None], size, mode="bilinear", align_corners=True)  # c h' w' -> c 1 h w
    low, high = up.amin(dim=(1, 2, 3), keepdim=True), up.amax(dim=(1, 2, 3), keepdim=True)
    return up.sub_(low).div_(high - low + 1e-8)


def negative_share(maps: Tensor) -> float:
    """How much of the channels' energy (sum of squares) lies in negative values, 0 to 1."""
    total = maps.double().square().sum()
    return float(maps.double().clamp(max=0).square().sum() / total) if total > 0 else 0.0


def _constant(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Which channels are the same everywhere; rounding may make one uneven when it is enlarged (c bool)."""
    constant = maps.amin(dim=(1, 2)) == maps.amax(dim=(1, 2))
    for channel in torch.nonzero(constant & (maps[:, 0, 0] != 0)).flatten():
        up = F.interpolate(maps[channel][None, None], size, mode="bilinear", align_corners=True)
        constant[channel] = up.min() == up.max()
    return constant
