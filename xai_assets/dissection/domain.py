"""Are the images what a network was trained on? Its batch normalisation tells, without labels or training images.

Every batch-normalised network keeps the mean and the variance that each channel had in training. Images of another
domain give others.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

FEWEST_IMAGES = 8
"""Below, the spread over images is not known well enough: of 6 photographs more than 5 % lie 0.5 away."""

ENOUGH_IMAGES = 20
"""From here on the limit is the narrow one."""

ASKED_IMAGES = 24
"""Images that are shown, evenly spaced."""

MAX_SHIFT = 0.2
MAX_SHIFT_OF_FEW = 0.5
"""Above these the images are not of the training's domain, from ENOUGH_IMAGES on and below. In EfficientNet-Lite0, 1 and
2 of ImageNet, at most 5 % of samples of 24, 12 and 8 crops of 19 photographs are false alarms; scenes of the embedded
world are found in at least 95 % of samples of 24, 12 and 8, microscopy, text and textures in as many of 24, in a part
of 12 and 8. Networks that know scenes at hand are asked with those (`domain_reference`): by this measure, mixed
photographs, whose own spread hides how far they lie, would be found in less than half the samples. So silence proves
nothing."""


class Shift(NamedTuple):
    """How far images lie from a network's training.

    Attributes:
        value: squared distance in standard deviations of the images, about 0 for the training's own.
        images, layers: that it was taken over.
    """

    value: float
    images: int
    layers: int

    @property
    def known(self) -> bool:
        """Whether the images can be of the domain that the network was trained on."""
        return self.value <= self.limit

    @property
    def limit(self) -> float:
        """What happens to images of the same domain."""
        return MAX_SHIFT if self.images >= ENOUGH_IMAGES else MAX_SHIFT_OF_FEW


class Norms:
    """What a network's batch normalisations were given, image by image."""

    def __init__(self, network: nn.Module) -> None:
        self.modules = {
            name: module
            for name, module in network.named_modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None
        }
        self._heard: dict[str, list[Tensor]] = {}

    def hear(self, name: str, given: Tensor) -> None:
        """Keep mean and mean square of each image's channels: (b, c, ...)."""
        values = given.detach().double().flatten(2) if given.ndim > 2 else given.detach().double()[..., None]
        moments = torch.stack([values.mean(2), (values**2).mean(2)], dim=-1)  # b c 2
        self._heard.setdefault(name, []).append(moments.cpu())

    def moments(self) -> dict[str, np.ndarray]:
        """layer -> float64 (n, c, 2): mean and mean square of each image's channels, in the order of the images."""
        return {name: torch.cat(parts).numpy() for name, parts in self._heard.items()}

    def shift(self) -> Shift | None:
        """See `shift_of`; None for a network without such statistics, or too few images."""
        return shift_of(self.modules, self.moments())


@contextmanager
def norms_of(network: nn.Module) -> Iterator[Norms]:
    """Listens to the batch normalisations of a network in evaluation mode; the hooks are removed whatever happens."""
    norms = Norms(network)
    handles = [
        module.register_forward_pre_hook(lambda _, given, name=name: norms.hear(name, given[0]))
        for name, module in norms.modules.items()
    ]
    try:
        yield norms
    finally:
        for handle in handles:
            handle.remove()


def shift_of(modules: Mapping[str, nn.Module], moments: Mapping[str, np.ndarray]) -> Shift | None:
    """How far the images' channels lie from the statistics of training.

    For each channel, the images' mean less the running mean, squared and in units of the variance over images, less
    1 / n, which is what n images of the training's own domain give on average; and the same of the mean squared
    distance from the running mean and the running variance. Of each the median over a layer's channels (for the
    training's own domain about half a 1 / n below 0) and the mean over layers; their sum. So it does not grow with the
    number of images, and few images do not look foreign.

    Args:
        modules: layer -> its batch normalisation.
        moments: layer -> float64 (n, c, 2), as `Norms.moments`.

    Returns:
        None where there is no layer, or fewer than FEWEST_IMAGES images.
    """
    found = []
    for name, of_images in moments.items():
        images = len(of_images)
        if images < FEWEST_IMAGES:
            return None
        mean, variance = (
            np.asarray(getattr(modules[name], statistic).cpu(), np.float64)
            for statistic in ("running_mean", "running_var")
        )
        means, squares = of_images[..., 0], of_images[..., 1]  # n c
        spreads = squares - 2 * means * mean + mean**2
        found.append(sum(_apart(values, at) for values, at in ((means, mean), (spreads, variance))))
    return Shift(float(np.mean(found)), images, len(found)) if found else None


def _apart(values: np.ndarray, at: np.ndarray) -> float:
    """Squared distance of the mean of (n, c) from (c,) in the variance of its rows, less 1 / n: median over c."""
    spread = values.var(axis=0, ddof=1)
    varied = spread > 0
    if not varied.any():
        return 0.0
    apart = (values.mean(axis=0) - at)[varied] ** 2 / spread[varied]
    return float(np.median(apart)) - 1 / len(values)


def said_of(shift: Shift | None) -> tuple[str, bool | None]:
    """What is said of a shift, and whether the images can be of the training's domain; None where it is not known."""
    if shift is None:
        return (
            f"not known: no batch normalisation that tells of its training, or fewer than {FEWEST_IMAGES} images",
            None,
        )
    said = (
        f"{shift.images} images lie {shift.value:.2f} from what {shift.layers} batch normalisations saw in training "
        f"(0 is the same, up to {shift.limit:g} happens to images of the same domain)"
    )
    if shift.known:
        return said, True
    return (
        f"{said}: these are not the images that it was trained on, and its answers on them may mean little",
        False,
    )


def evenly(images: int, most: int = ASKED_IMAGES) -> list[int]:
    """At most so many of the images, evenly spaced."""
    count = min(images, most)
    return [int(at) for at in np.arange(count) * images // max(count, 1)]
