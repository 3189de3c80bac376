"""What the units of a study's networks would do if their weights were shuffled: a control that training has to beat."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.probe import open_probe, probe_labels
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection import activations, label_segments, netdissect
from xai_assets.dissection.activations import collect
from xai_assets.dissection.held_probe import HeldProbe
from xai_assets.dissection.label_segments import LabelSegments
from xai_assets.dissection.netdissect import tally
from xai_assets.dissection.shuffled import shuffled_twin
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.files import fingerprint
from xai_assets.progress import Progress
from xai_assets.study import DissectedModel
from xai_assets.vision.classifiers import Classifier

KIND = "shuffled"
CODE_VERSION = 3

CALIBRATED = 64
"""Images, evenly spaced, on which a shuffled network's batch norms are measured: every cell of a map counts."""


@dataclass(frozen=True)
class ShuffledLayer:
    """One layer of a network with shuffled weights, on a part of the probe set.

    Attributes:
        response: float32 (m, u), pooled as the study's CLIP-Dissect pools.
        dead: bool (u,).
        iou: float64 (u,), the largest IoU with a pixel label; None without labels or maps.
    """

    response: np.ndarray
    dead: np.ndarray
    iou: np.ndarray | None


ShuffledNetwork = Mapping[str, ShuffledLayer]
"""Its layers, by path."""


def part_of(images: int, count: int) -> list[int]:
    """The images that shuffled networks are shown: at most `count`, evenly spaced."""
    shown = min(count, images)
    return (np.arange(shown) * images // shown).tolist()


def shuffled_networks(
    bench: Workbench, model: str, probe_sha256: str, progress: Progress
) -> list[ShuffledNetwork]:
    """The study's shuffled networks, each shown a part of the probe set once; both methods of dissection read these.

    Each network is kept by itself, so that a study that asks for more of them computes those alone.
    """
    settings, seed = bench.dissection.netdissect, bench.study.seed
    (entry,) = (entry for entry in bench.dissection.models if entry.model.name == model)
    if not settings.shuffles:
        return []
    classifier = open_classifier(bench, entry.model)
    keys = [
        fingerprint(
            {
                "code": [
                    CODE_VERSION,
                    activations.CODE_VERSION,
                    netdissect.CODE_VERSION,
                    label_segments.CODE_VERSION,
                ],
                "weights": classifier.fingerprint,
                "preprocessing": classifier.preprocessing.fingerprint(),
                "layers": list(entry.layers),
                "layout": {name: spec.model_dump(mode="json") for name, spec in entry.layout.items()},
                "probe": probe_sha256,
                "quantile": settings.quantile,
                "pooling": bench.dissection.clip_dissect.pooling,
                "images": settings.shuffle_images,
                "seed": seed + number,
            }
        )
        for number in range(settings.shuffles)
    ]
    wanting = [number for number, key in enumerate(keys) if not bench.store.has(KIND, key)]
    computed = _computed(bench, classifier, entry, probe_sha256, [seed + number for number in wanting])
    for done, (number, arrays) in enumerate(zip(wanting, computed, strict=True)):
        bench.store.put(KIND, keys[number], arrays, {})
        progress(done + 1, len(wanting))
    return [_network(bench.store.get(KIND, key)[0], entry.layers) for key in keys]


def _computed(
    bench: Workbench, classifier: Classifier, entry: DissectedModel, probe_sha256: str, seeds: list[int]
) -> Iterator[dict[str, np.ndarray]]:
    """The arrays of the networks of these seeds, one after the other."""
    if not seeds:
        return
    settings, pooling = bench.dissection.netdissect, bench.dissection.clip_dissect.pooling
    probe = HeldProbe(open_probe(bench, probe_sha256))
    chosen = part_of(len(probe), settings.shuffle_images)
    few = chosen[:: max(1, len(chosen) // CALIBRATED)][:CALIBRATED]
    labels: LabelSegments | None = None
    if probe.concepts is not None:
        labels = probe_labels(bench, probe.of, probe_sha256).select(chosen)
    for seed in seeds:
        twin = shuffled_twin(classifier, probe, few, seed=seed)
        found = collect(
            twin,
            entry.layers,
            probe,
            indices=chosen,
            layouts=entry.layout,
            quantile=settings.quantile,
            with_maps=labels is not None,
        )
        arrays: dict[str, np.ndarray] = {}
        for name, layer in found.layers.items():
            arrays |= {f"{name}/response": layer.response(pooling), f"{name}/dead": layer.dead}
        maps = {name: layer.maps for name, layer in found.layers.items() if layer.maps is not None}
        if labels is not None and maps:
            thresholds = {
                name: top_quantile_thresholds(found.layers[name], settings.quantile) for name in maps
            }
            for name, counts in tally(maps, thresholds, labels, boxes=found.boxes).items():
                arrays[f"{name}/iou"] = counts.iou.max(axis=1)
        yield arrays


def _network(arrays: Mapping[str, np.ndarray], layers: tuple[str, ...] | list[str]) -> ShuffledNetwork:
    return {
        name: ShuffledLayer(arrays[f"{name}/response"], arrays[f"{name}/dead"], arrays.get(f"{name}/iou"))
        for name in layers
    }
