"""A classifier made ready for many altered pictures: class probabilities from a quick copy that agrees with it."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from xai_assets.attribution.guard import untouched
from xai_assets.attribution.quick_network import quick_network
from xai_assets.attribution.targets import Asked, as_target
from xai_assets.evaluation.perturbation_curves import Score
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.pass_memory import Bounded

BATCH = {"cpu": 32, "cuda": 128}
"""Pictures in a forward pass. On a CPU a picture costs the same in 8 as in 48; where others use its cores, each pass
waits for its slowest thread, and few passes wait less often."""


class QuickScores:
    """A classifier as a function from pictures to probabilities; its weights must not change meanwhile.

    Args:
        classifier: the model.
    """

    def __init__(self, classifier: Classifier) -> None:
        self._classifier = classifier
        self._networks: dict[tuple[int, ...], Callable[[Tensor], Tensor]] = {}

    def of(self, target: Asked) -> Score:
        """The probability of a class, or of the one class among the two: n h w 3 float32, normalised -> n float64."""
        asked = as_target(target)
        return lambda pictures: asked.probability(self._logits(pictures)).numpy()

    def _logits(self, pictures: np.ndarray) -> Tensor:
        """All classes: n h w 3 float32 -> n k float64, on the CPU."""
        device = self._classifier.device
        batches = torch.from_numpy(pictures).split(BATCH.get(device.type, BATCH["cpu"]))
        found = []
        with torch.inference_mode(), torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
            for batch in batches:
                # A copy, which a network may write into; n h w 3 seen as n 3 h w lies channels last.
                images = batch.to(device, copy=True).permute(0, 3, 1, 2)
                found.append(self._network(images)(images).float())  # n 3 h w -> n k
            return torch.cat(found).double().cpu()

    def _network(self, images: Tensor) -> Callable[[Tensor], Tensor]:
        shape = tuple(images.shape[1:])
        if shape not in self._networks:
            with untouched(self._classifier.network) as network:
                score, kind = quick_network(network, images[:1].contiguous())
            chosen = self._as_it_is if kind.startswith("as it is") else score
            memory = self._classifier.memory_mib
            self._networks[shape] = Bounded(chosen, images[:1], memory_mib=memory)
        return self._networks[shape]

    def _as_it_is(self, images: Tensor) -> Tensor:
        with untouched(self._classifier.network):
            # A network of one's own may ask for the usual layout.
            return self._classifier.logits(images.contiguous())
