"""What the units of a study's networks would do if their weights were shuffled: a control that training has to beat."""

from collections.abc import Mapping, Sequence

import numpy as np

from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.probe import open_probe, probe_labels
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection import activations, label_segments, netdissect
from xai_assets.dissection.shown_part import PartLayer, ShownPart
from xai_assets.files import fingerprint
from xai_assets.progress import Progress

KIND = "shuffled"
CODE_VERSION = 4

PartNetwork = Mapping[str, PartLayer]
"""A network's layers on a part of the probe set, by path."""


def part_of(images: int, count: int) -> list[int]:
    """The images that shuffled networks are shown: at most `count`, evenly spaced."""
    shown = min(count, images)
    return (np.arange(shown) * images // shown).tolist()


def shuffled_networks(
    bench: Workbench, model: str, probe_sha256: str, progress: Progress
) -> list[PartNetwork]:
    """The study's shuffled networks, each shown a part of the probe set once; both methods of dissection read these.

    Each network is kept by itself, so that a study that asks for more of them computes those alone.
    """
    seed = bench.study.seed
    seeds = [seed + number for number in range(bench.dissection.netdissect.shuffles)]
    return _networks(bench, model, probe_sha256, seeds, progress)


def observed_on_part(bench: Workbench, model: str, probe_sha256: str, progress: Progress) -> PartNetwork:
    """The network itself, seen as the shuffled ones are: the same images, thresholds over these, the same labels."""
    return _networks(bench, model, probe_sha256, [None], progress)[0]


def _networks(
    bench: Workbench, model: str, probe_sha256: str, seeds: Sequence[int | None], progress: Progress
) -> list[PartNetwork]:
    """The networks of these seeds; None is the one whose weights are in their own order."""
    settings = bench.dissection.netdissect
    (entry,) = (entry for entry in bench.dissection.models if entry.model.name == model)
    if not seeds:
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
                "seed": seed,
            }
        )
        for seed in seeds
    ]
    wanting = [number for number, key in enumerate(keys) if not bench.store.has(KIND, key)]
    if wanting:
        probe = open_probe(bench, probe_sha256)
        chosen = part_of(len(probe), settings.shuffle_images)
        labels = None
        if probe.concepts is not None:
            labels = probe_labels(bench, probe, probe_sha256).select(chosen)
        part = ShownPart(classifier, entry.layers, probe, chosen, labels, settings.quantile, entry.layout)
        pooling = bench.dissection.clip_dissect.pooling
        for done, number in enumerate(wanting):
            arrays: dict[str, np.ndarray] = {}
            for name, layer in part.of(seeds[number], pooling).items():
                arrays |= {f"{name}/response": layer.response, f"{name}/dead": layer.dead}
                arrays |= {} if layer.iou is None else {f"{name}/iou": layer.iou}
            bench.store.put(KIND, keys[number], arrays, {})
            progress(done + 1, len(wanting))
    return [_network(bench.store.get(KIND, key)[0], entry.layers) for key in keys]


def _network(arrays: Mapping[str, np.ndarray], layers: tuple[str, ...] | list[str]) -> PartNetwork:
    return {
        name: PartLayer(arrays[f"{name}/response"], arrays[f"{name}/dead"], arrays.get(f"{name}/iou"))
        for name in layers
    }
