"""Class scores of one image seen through many masks: the engine of every method that hides parts of an image.

    x = base + mask · (image - base)

Masked images are written into one buffer, channels last, and only the scores leave the device, once at the end.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def masked_scores(
    network: Callable[[Tensor], Tensor],
    image: Tensor,
    masks: Iterable[Tensor],
    *,
    base: Tensor | None = None,
    columns: list[int] | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """The network's scores of an image behind every mask.

    Args:
        network: n 3 h w -> n k.
        image: 1 3 h w float32, normalised.
        masks: batches of n 1 h w float32, 1 where the image shows and 0 where the base does.
        base: 1 3 h w; none: 0, the mean colour of the normalisation.
        columns: the classes that are wanted; none: all.
        dtype: what the network computes in.

    Returns:
        Float32 (masks, columns), on the image's device.
    """
    found: list[Tensor] = []
    buffer: Tensor | None = None
    with torch.inference_mode():
        shown = image if base is None else image - base
        for batch in masks:
            if buffer is None or len(buffer) < len(batch):
                buffer = torch.empty(
                    (len(batch), *image.shape[1:]), device=image.device, memory_format=torch.channels_last
                )
            masked = buffer[: len(batch)]
            torch.mul(batch, shown, out=masked)  # n 1 h w, 1 3 h w -> n 3 h w
            if base is not None:
                masked += base
            # The network may write into its input: that is this buffer, which is filled anew each time.
            scores = network(masked if dtype == torch.float32 else masked.to(dtype))
            found.append((scores if columns is None else scores[:, columns]).float())
    return torch.cat(found)
