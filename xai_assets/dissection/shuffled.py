"""Networks whose weights were shuffled: what units of the same architecture detect without having been trained to.

A unit of an untrained network follows the pictures too: a random filter is a texture filter of sorts, and where a
label covers the right kind of pixels it overlaps more than pictures in another order would. Only such a network says
how much of that training explains. (Randomising parameters as a control: Adebayo et al. 2018.)
"""

import copy
import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from xai_assets.dissection.passes import batch_of
from xai_assets.dissection.probe import ProbeSet
from xai_assets.vision.batch_norm import measure_anew, norms_with_statistics
from xai_assets.vision.classifiers import Classifier

BATCH = 64


def shuffled_twin(
    classifier: Classifier, probe: ProbeSet, indices: Sequence[int], *, seed: int
) -> Classifier:
    """A copy of the classifier with the entries of every parameter in another order, each tensor on its own.

    Sizes and spreads of the weights stay; what they had learned to do together does not. Statistics of batch
    normalisation belong to the old order and are measured again on the given images, so that units neither die nor
    saturate for want of it.

    Args:
        classifier: left as it is.
        probe: pictures for the statistics.
        indices: which of them.
        seed: of the order.
    """
    twin = with_shuffled_weights(classifier, seed=seed)
    calibrate(twin, probe, indices)
    return twin


def with_shuffled_weights(classifier: Classifier, *, seed: int) -> Classifier:
    """As `shuffled_twin`, with statistics of batch normalisation that are still those of the old order."""
    network = copy.deepcopy(classifier.network)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return dataclasses.replace(classifier, network=network)


def calibrate(classifier: Classifier, probe: ProbeSet, indices: Sequence[int]) -> None:
    """Measure the statistics of batch normalisation anew on these images, in place: their mean over batches."""

    def run() -> None:
        with torch.no_grad():
            for start in range(0, len(indices), BATCH):
                classifier.network(batch_of(classifier, probe, indices[start : start + BATCH])[0])

    measure_anew(norms_with_statistics(classifier.network), run)


def measuring_first(network: nn.Module) -> Callable[[Tensor], object]:
    """A pass through the network that measures the statistics of batch normalisation on the first batch it is given.

    What the layers give for that batch stands: it was normalised by the batch's own mean and variance, which the network
    has from then on. (Its running variance is the unbiased one, larger by 1 / (values a channel - 1): with 64 images of
    8 x 8 cells a scale that differs by 0.01 %.)
    """
    norms, first = norms_with_statistics(network), True

    def forward(batch: Tensor) -> object:
        nonlocal first
        if not first:
            return network(batch)
        first, outputs = False, []
        if not norms:
            return network(batch)
        measure_anew(norms, lambda: outputs.append(network(batch)))
        return outputs[0]

    return forward
