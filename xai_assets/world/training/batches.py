"""Batches for training: what is drawn when, normalised and slightly varied."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalise(images: Tensor) -> Tensor:
    """uint8 n h w 3 -> float32 n 3 h w, normalised as ImageNet's, in channels-last memory."""
    x = images.permute(0, 3, 1, 2).float() / 255  # n h w 3 -> n 3 h w
    mean = torch.tensor(MEAN, device=x.device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=x.device).view(1, 3, 1, 1)
    return ((x - mean) / std).contiguous(memory_format=torch.channels_last)


def vary(x: Tensor, generator: torch.Generator, *, shift: int, light: float = 0.0) -> Tensor:
    """Mirror half of the pictures, shift the batch by up to `shift` pixels, change gain and offset by `light`.

    Args:
        x: float32 n 3 h w, normalised.
        generator: on the CPU, so that every device draws the same.
        shift: pixels, in both directions; the border is mirrored.
        light: 0 leaves colours alone; 0.2 scales each channel by 0.8 to 1.2.
    """
    count, _, height, width = x.shape
    mirrored = torch.rand(count, generator=generator) < 0.5
    x[mirrored] = x[mirrored].flip(3)
    top, left = torch.randint(0, 2 * shift + 1, (2,), generator=generator).tolist()
    x = F.pad(x, (shift, shift, shift, shift), mode="reflect")[:, :, top : top + height, left : left + width]
    if light:
        gain = 1 + light * (2 * torch.rand(count, 3, 1, 1, generator=generator) - 1)
        offset = 1.5 * light * (torch.rand(count, 3, 1, 1, generator=generator) - 0.5)
        x = x * gain.to(x.device) + offset.to(x.device)
    return x.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True)
class Curriculum:
    """From close views to the world's own scenes.

    Attributes:
        close: rows of close views, int64.
        plain: those of them that stand before a plain backdrop.
        scenes: rows of scenes.
        surfaces: rows of surfaces alone.
        plain_until: share of the training in which plain backdrops are preferred, fading out.
        only_close: share of the training that sees close views and no scenes.
        fade: share of the training over which close views then give way.
        rest: share of close views that stays to the end.
        surface_share: share of every batch that shows a surface alone.
    """

    close: Tensor
    plain: Tensor
    scenes: Tensor
    surfaces: Tensor
    plain_until: float = 0.12
    only_close: float = 0.1
    fade: float = 0.3
    rest: float = 0.0
    surface_share: float = 0.0

    @classmethod
    def of(cls, rows: Mapping[str, np.ndarray]) -> "Curriculum":
        """The curriculum over what `examples.layout` found, its shares as they are by default."""
        close, plain, scenes, surfaces = (
            torch.from_numpy(rows[n]) for n in ("close", "plain", "scenes", "surfaces")
        )
        return cls(close, plain, scenes, surfaces)

    def batches(self, batch_size: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Row numbers, int64 (batch_size,), for each of `steps` steps."""
        of_surfaces = round(batch_size * self.surface_share) if len(self.surfaces) else 0
        for step in range(steps):
            done = step / steps
            share = (
                1.0 if done < self.only_close else max(self.rest, 1.0 - (done - self.only_close) / self.fade)
            )
            of_close = round((batch_size - of_surfaces) * share) if len(self.close) else 0
            prefer_plain = torch.rand(of_close, generator=generator) < 1.0 - done / self.plain_until
            of_plain = int(prefer_plain.sum())
            yield torch.cat(
                [
                    _draw(self.plain, of_plain, generator),
                    _draw(self.close, of_close - of_plain, generator),
                    _draw(self.scenes, batch_size - of_surfaces - of_close, generator),
                    _draw(self.surfaces, of_surfaces, generator),
                ]
            )


def _draw(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return rows[torch.randint(0, max(len(rows), 1), (count,), generator=generator)]
