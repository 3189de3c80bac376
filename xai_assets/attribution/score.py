"""ScoreCAM's weights (Wang et al. 2020): the class score of the image seen through each channel.

    m_k = up(A_k), scaled to 0..1;   s_k = f(x · m_k)

How scores become weights is named:

- `softmax`, the library's: a softmax over the scores of all channels. On logits that is close to one channel
  alone where they differ by more than a few units.
- `increase`: how much more probable the class is than for the base alone, p(x · m_k) - p(0). It follows the
  paper's "increase of confidence" without a softmax on top, is in units of probability, and takes no side between
  channels that differ little.

Of the difference of two classes (see `targets`) `softmax` takes the difference of their logits, as the library does
with a target of one's own, and `increase` how much more probable the one is of the two, which is in 0..1 as well.

A channel that is the same everywhere hides all of the image: such channels are scored once, together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from xai_assets.attribution.masked_forward import masked_scores
from xai_assets.attribution.parameters import ScoreCAMParameters
from xai_assets.attribution.score_fast import fast_weights
from xai_assets.attribution.targets import Asked, Target, as_target

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


class ScoreMemory(Protocol):
    """The scores of batches of masks that an interrupted computation of the same map has left."""

    def get(self, batch: int) -> np.ndarray | None:
        """The scores (m k) float32 of that batch; None where it was not reached."""

    def put(self, batch: int, scores: np.ndarray) -> None:
        """Keep the scores of a batch that was just computed."""


class LastScores:
    """The scores of the last image, of all classes: another target of it costs no pass."""

    def __init__(self) -> None:
        self._image: bytes | None = None
        self._batches: dict[int, np.ndarray] = {}
        self._kept: ScoreMemory | None = None

    def of(self, image: Tensor, kept: ScoreMemory | None = None) -> ScoreMemory:
        """A memory for an image (1 3 h w): of the same network, layer and parameters as for the image before.

        Args:
            image: normalised.
            kept: where an interrupted computation of this map has left scores, and where new ones are put as well.
        """
        content = image.detach().cpu().contiguous().numpy().tobytes()
        if content != self._image:
            self._image, self._batches = content, {}
        self._kept = kept
        return self

    def get(self, batch: int) -> np.ndarray | None:
        """The scores (m k) float32 of that batch; None where it was not reached."""
        kept = self._kept.get(batch) if self._kept is not None and batch not in self._batches else None
        if kept is not None:
            self._batches[batch] = kept
        return self._batches.get(batch)

    def put(self, batch: int, scores: np.ndarray) -> None:
        """Keep the scores of a batch that was just computed."""
        self._batches[batch] = scores
        if self._kept is not None:
            self._kept.put(batch, scores)


def score_weights(
    scorer: Scorer,
    image: Tensor,
    maps: Tensor,
    target: Asked,
    parameters: ScoreCAMParameters,
    memory: ScoreMemory | None = None,
    *,
    seed: int = 0,
) -> tuple[np.ndarray, dict[str, float | int | str]]:
    """The weight of each channel (c float32), and what it took.

    Args:
        scorer: scores masked images.
        image: 1 3 h w float32, normalised.
        maps: c h' w' float32, the layer's channels.
        target: the class, or the difference of two.
        parameters: batch size, how scores become weights, and whether all channels are scored.
        memory: batches that are known already, and where new ones are kept; the weights are the same.
        seed: of fast mode, which draws its first channels.

    Returns:
        The weights; `scored` (masked images evaluated), `constant` (channels scored together), and with reduced
        precision `score_error`: the largest difference of the target's score over a sample of the masks. Of fast mode
        also `mode`, `channels` (how many there are), `expected_iou` and `claimed_iou` (see `score_fast`).
    """
    size, asked = (image.shape[-2], image.shape[-1]), as_target(target)
    constant = _constant(maps, size)
    if parameters.mode == "fast":
        return _fast(scorer, image, maps, constant, asked, parameters, memory, seed)
    varied = torch.nonzero(~constant).flatten()
    together = bool(constant.any()) or parameters.weighting == "increase"

    def base() -> Tensor:
        return torch.zeros(1, 1, *size, device=image.device)

    def seen_through(channels: Tensor) -> list[Callable[[], Tensor]]:
        return [partial(_masks, maps, chosen, size) for chosen in channels.split(parameters.batch_size)]

    batches = ([base] if together else []) + seen_through(varied)
    scores = torch.cat(
        [_scored(scorer, image, number, of, memory) for number, of in enumerate(batches)]
    )  # m k
    found: dict[str, float | int | str] = {"scored": len(scores), "constant": int(constant.sum())}
    if scorer.exact is not None and len(varied):
        step = max(1, len(varied) // _SAMPLED)
        sample = (masks() for masks in seen_through(varied[::step]))
        exact = masked_scores(scorer.exact, image, sample)
        reduced = scores[int(together) :][::step]
        found["score_error"] = float(asked.score(exact - reduced).abs().max())
    answers = asked.score(scores) if parameters.weighting == "softmax" else asked.probability(scores)
    hidden = answers[0]
    every = hidden.expand(len(maps)).clone()
    every[varied] = answers[int(together) :]
    weights = torch.softmax(every, dim=0) if parameters.weighting == "softmax" else every - hidden
    return weights.cpu().numpy(), found


def _fast(
    scorer: Scorer,
    image: Tensor,
    maps: Tensor,
    constant: Tensor,
    target: Target,
    parameters: ScoreCAMParameters,
    memory: ScoreMemory | None,
    seed: int,
) -> tuple[np.ndarray, dict[str, float | int | str]]:
    """As `score_weights`, in fast mode. The first channels do not depend on the target: memory keeps their scores."""
    size = (image.shape[-2], image.shape[-1])
    asked: list[np.ndarray] = []

    def masks(channels: np.ndarray) -> list[Callable[[], Tensor]]:
        chosen = torch.from_numpy(channels).to(image.device)
        return [partial(_masks, maps, some, size) for some in chosen.split(parameters.batch_size)]

    def score(channels: np.ndarray) -> np.ndarray:
        batches = enumerate(masks(channels))
        known = None if asked else memory
        asked.append(channels)
        scores = torch.cat([_scored(scorer, image, number, of, known) for number, of in batches])
        return target.score(scores).double().cpu().numpy()

    hidden = None
    if bool(constant.any()):
        base = torch.zeros(1, 1, *size, device=image.device)
        hidden = float(target.score(masked_scores(scorer.network, image, [base], dtype=scorer.dtype))[0])
    fast = fast_weights(
        maps.cpu().numpy(),
        constant.cpu().numpy(),
        hidden,
        size,
        score,
        iou=parameters.iou,
        most=parameters.passes,
        seed=seed,
    )
    found: dict[str, float | int | str] = {
        "mode": "fast",
        "channels": len(maps),
        "scored": len(fast.scored) + (hidden is not None),
        "constant": int(constant.sum()),
        "expected_iou": fast.expected_iou,
        "claimed_iou": fast.claimed_iou,
    }
    if scorer.exact is not None and asked:
        some = asked[0][:_SAMPLED]
        exact = masked_scores(scorer.exact, image, [of() for of in masks(some)])
        reduced = masked_scores(scorer.network, image, [of() for of in masks(some)], dtype=scorer.dtype)
        found["score_error"] = float(target.score(exact - reduced).abs().max())
    return fast.weights.astype(np.float32), found


def _scored(
    scorer: Scorer, image: Tensor, number: int, masks: Callable[[], Tensor], memory: ScoreMemory | None
) -> Tensor:
    """The scores (m k) of one batch, as they are known or computed."""
    known = memory.get(number) if memory is not None else None
    if known is not None:
        return torch.from_numpy(known).to(image.device)
    scores = masked_scores(scorer.network, image, [masks()], dtype=scorer.dtype)
    if memory is not None:
        memory.put(number, scores.cpu().numpy())
    return scores


def _masks(maps: Tensor, channels: Tensor, size: tuple[int, int]) -> Tensor:
    return enlarged(maps[channels], size)


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
