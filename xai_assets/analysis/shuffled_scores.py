"""What the units of a study's networks would detect if their weights were shuffled: a null that training has to beat."""

from collections.abc import Sequence

import numpy as np

from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.probe import open_probe
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection import activations, label_segments, netdissect
from xai_assets.dissection.activations import collect
from xai_assets.dissection.label_segments import LabelSegments
from xai_assets.dissection.netdissect import tally
from xai_assets.dissection.shuffled import shuffled_twin
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.files import fingerprint
from xai_assets.progress import Progress

KIND = "shuffled"
CODE_VERSION = 2

CALIBRATED = 64
"""Images, evenly spaced, on which a shuffled network's batch norms are measured: every cell of a map counts."""


def shuffled_scores(
    bench: Workbench,
    model: str,
    layers: Sequence[str],
    probe_sha256: str,
    labels: LabelSegments,
    progress: Progress,
) -> dict[str, np.ndarray]:
    """layer -> best IoU of its living units in all the shuffled networks, float64 (m,); empty where none is asked for.

    The networks see a part of the probe set only. Fewer images let chance reach a little higher, so that the null is
    rather too strict than too mild.
    """
    settings, seed = bench.dissection.netdissect, bench.study.seed
    if not settings.shuffles or not layers:
        return {}
    (entry,) = (entry for entry in bench.dissection.models if entry.model.name == model)
    classifier = open_classifier(bench, entry.model)
    key = fingerprint(
        {
            "code": [
                CODE_VERSION,
                activations.CODE_VERSION,
                netdissect.CODE_VERSION,
                label_segments.CODE_VERSION,
            ],
            "weights": classifier.fingerprint,
            "preprocessing": classifier.preprocessing.fingerprint(),
            "layers": list(layers),
            "layout": {name: spec.model_dump(mode="json") for name, spec in entry.layout.items()},
            "probe": probe_sha256,
            "quantile": settings.quantile,
            "shuffles": [settings.shuffles, settings.shuffle_images],
            "seed": seed,
        }
    )
    if bench.store.has(KIND, key):
        return bench.store.get(KIND, key)[0]
    probe = open_probe(bench, probe_sha256)
    count = min(settings.shuffle_images, len(probe))
    chosen = (np.arange(count) * len(probe) // count).tolist()
    few = chosen[:: max(1, len(chosen) // CALIBRATED)][:CALIBRATED]
    own = labels.select(chosen)
    scores: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    for number in range(settings.shuffles):
        twin = shuffled_twin(classifier, probe, few, seed=seed + number)
        layouts = {name: spec for name, spec in entry.layout.items() if name in layers}
        found = collect(twin, layers, probe, indices=chosen, layouts=layouts, quantile=settings.quantile)
        maps = {name: layer.maps for name, layer in found.layers.items() if layer.maps is not None}
        thresholds = {name: top_quantile_thresholds(found.layers[name], settings.quantile) for name in maps}
        for name, counts in tally(maps, thresholds, own, boxes=found.boxes).items():
            scores[name].append(counts.iou.max(axis=1)[~found.layers[name].dead])
        progress(number + 1, settings.shuffles)
    arrays = {name: np.concatenate(found) for name, found in scores.items()}
    bench.store.put(KIND, key, arrays, {})
    return arrays
