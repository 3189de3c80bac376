"""What units of many networks with one architecture do on the same few images: all that depends on none of them, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xai_assets.dissection.activations import collect
from xai_assets.dissection.held_inputs import HeldInputs
from xai_assets.dissection.label_segments import LabelSegments
from xai_assets.dissection.netdissect import SeenLabels, tally
from xai_assets.dissection.passes import batch_of
from xai_assets.dissection.probe import ProbeSet
from xai_assets.dissection.shuffled import measuring_first, with_shuffled_weights
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.same_scores import channels_last_or_as_usual
from xai_assets.vision.spec import LayoutSpec

CALIBRATED = 64
"""Images, evenly spaced, on which a shuffled network's batch norms are measured: every cell of a map counts. They are
the first batch of those that it is shown, and so many are shown at a time."""


@dataclass(frozen=True)
class PartLayer:
    """One layer of a network, with its own or with shuffled weights, on a part of the probe set.

    Attributes:
        response: float32 (m, u), pooled as CLIP-Dissect pools.
        dead: bool (u,).
        iou: float64 (u,), the largest IoU with a pixel label; None without labels or maps.
    """

    response: np.ndarray
    dead: np.ndarray
    iou: np.ndarray | None


class ShownPart:
    """Images that the same network is shown with its own weights and with shuffled ones.

    Args:
        classifier: the network; it is left as it is.
        layers: module paths.
        probe: the images.
        chosen: which of them, in the order in which they are told of.
        labels: of the chosen ones; None: no overlaps.
        quantile: of the thresholds, which are taken over these images.
        layouts: layer -> how its output is to be read, where it is not read off it.
    """

    def __init__(
        self,
        classifier: Classifier,
        layers: Sequence[str],
        probe: ProbeSet,
        chosen: Sequence[int],
        labels: LabelSegments | None,
        quantile: float,
        layouts: Mapping[str, LayoutSpec] | None = None,
    ) -> None:
        self._classifier, self._layers, self._layouts = classifier, layers, layouts
        self._probe, self._quantile = probe, quantile
        count = len(chosen)
        first = np.arange(min(CALIBRATED, count)) * count // min(CALIBRATED, count)
        order = np.append(first, np.setdiff1d(np.arange(count), first)).tolist()
        self._back = np.argsort(order)
        self._indices = [chosen[at] for at in order]
        image, _ = batch_of(classifier, probe, self._indices[:1])
        self._format = channels_last_or_as_usual(classifier.network, image)
        self._inputs = HeldInputs(classifier, probe, memory_format=self._format)
        self._labels = None if labels is None else labels.select(order)
        self._seen: SeenLabels | None = None

    def of(self, seed: int | None, pooling: Literal["avg", "max"]) -> dict[str, PartLayer]:
        """The layers of the network with weights shuffled by a seed; None: with its own."""
        twin, forward = self._classifier, None
        if seed is not None:
            twin = with_shuffled_weights(self._classifier, seed=seed)
            twin.network.to(memory_format=self._format)
            forward = measuring_first(twin.network)
        found = collect(
            twin,
            self._layers,
            self._probe,
            indices=self._indices,
            layouts=self._layouts,
            quantile=self._quantile,
            with_maps=self._labels is not None,
            alone=True,
            inputs=self._inputs,
            forward=forward,
            batch_size=CALIBRATED,
        )
        best: dict[str, np.ndarray] = {}
        maps = {name: layer.maps for name, layer in found.layers.items() if layer.maps is not None}
        if self._labels is not None and maps:
            self._seen = self._seen or SeenLabels(self._labels, found.boxes)
            thresholds = {name: top_quantile_thresholds(found.layers[name], self._quantile) for name in maps}
            counts = tally(maps, thresholds, self._labels, seen=self._seen)
            best = {name: own.iou.max(axis=1) for name, own in counts.items()}
        return {
            name: PartLayer(layer.response(pooling)[self._back], layer.dead, best.get(name))
            for name, layer in found.layers.items()
        }
