"""What the units do on the probe set: one pass a model, kept by weights, layers and each image's content."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from xai_assets.analysis.activation_store import ActivationStore, Place
from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.probe import open_probe
from xai_assets.analysis.shuffled_scores import observed_on_part, shuffled_networks
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.activations import CODE_VERSION, Activations, collect
from xai_assets.dissection.probe import ProbeSet
from xai_assets.dissection.thresholds import threshold_bounds
from xai_assets.files import fingerprint
from xai_assets.study import DissectedModel
from xai_assets.vision.classifiers import Classifier

BATCH = 64
"""Probe images in a forward pass."""

SETS = "activation_sets"
"""Artifacts that say where each image of a probe set stands among the kept activations."""


def unit_activations(bench: Workbench, probe_table: pd.DataFrame) -> pd.DataFrame:
    """One row a model and layer: units, dead units, and the artifact that says where the activations stand.

    Images whose activations are kept already, from whatever probe set, are not shown to the model again.
    """
    probe = open_probe(bench, probe_table["sha256"].iloc[0])
    hashes = [probe.image_sha256(index) for index in range(len(probe))]
    rows = []
    for entry in bench.dissection.models:
        classifier = open_classifier(bench, entry.model)
        bench.tally.facts += [f"{classifier.name}: {note}" for note in classifier.notes()]
        key, found = _collected(bench, classifier, entry, probe, hashes)
        # Here, where the network is: the two methods of dissection, which may run at once, read them.
        if shuffled_networks(bench, entry.model.name, probe_table["sha256"].iloc[0], bench.progress):
            observed_on_part(bench, entry.model.name, probe_table["sha256"].iloc[0], bench.progress)
        rows += [
            {
                "model": entry.model.name,
                "layer": name,
                "kind": layer.kind,
                "units": layer.pooled.shape[1],
                "dead": int(layer.dead.sum()),
                "model_sha256": classifier.sha256,
                "artifact": key,
            }
            for name, layer in found.layers.items()
        ]
    return pd.DataFrame(rows)


def read_activations(bench: Workbench, table: pd.DataFrame, model: str) -> Activations:
    """The activations of one model, as `unit_activations` kept them."""
    arrays, meta = bench.store.get(SETS, table.loc[table["model"] == model, "artifact"].iloc[0])
    chunks = meta["chunks"]
    places = [Place(chunks[at], int(row)) for at, row in zip(arrays["chunk"], arrays["row"], strict=True)]
    return ActivationStore(bench.store, meta["setting"]).read(places, meta["ids"])


def _collected(
    bench: Workbench, classifier: Classifier, entry: DissectedModel, probe: ProbeSet, hashes: list[str]
) -> tuple[str, Activations]:
    """The model's activations on the probe set and the artifact of kind SETS that says where they stand."""
    quantile = bench.dissection.netdissect.quantile
    kept = ActivationStore(
        bench.store,
        fingerprint(
            {
                "code": CODE_VERSION,
                "weights": classifier.fingerprint,
                "layers": list(entry.layers),
                "layout": {name: spec.model_dump(mode="json") for name, spec in entry.layout.items()},
                "preprocessing": classifier.preprocessing.fingerprint(),
            }
        ),
    )
    places = kept.places()
    first = {name: index for index, name in reversed(list(enumerate(hashes)))}  # an image may be there twice
    fresh = [index for name, index in sorted(first.items(), key=lambda item: item[1]) if name not in places]
    old = [index for index in first.values() if hashes[index] in places]
    known = kept.read([places[hashes[i]] for i in old], [probe.ids[i] for i in old]) if old else None
    hash_of = dict(zip(probe.ids, hashes, strict=True))

    def keep(chunk: Activations) -> Activations:
        return kept.put(chunk, [hash_of[name] for name in chunk.ids])

    size = bench.batch(BATCH)
    if fresh:
        collect(
            classifier, entry.layers, probe, indices=fresh, layouts=entry.layout, quantile=quantile, known=known,
            keep=keep, batch_size=size, progress=bench.progress,
        )  # fmt: skip
        places = kept.places()
    found = kept.read([places[name] for name in hashes], probe.ids)
    key = _set_key(kept.setting, quantile, [places[name] for name in hashes], probe.ids)
    # A set is written once all of it was found to suffice, which takes a look at every cell.
    again, levels = ([], {}) if bench.store.has(SETS, key) else _wanting(found, quantile)
    if again:
        collect(
            classifier,
            entry.layers,
            probe,
            indices=again,
            layouts=entry.layout,
            levels=levels,
            keep=keep,
            batch_size=size,
            progress=bench.progress,
        )
        places = kept.places()
        found = kept.read([places[name] for name in hashes], probe.ids)
        key = _set_key(kept.setting, quantile, [places[name] for name in hashes], probe.ids)
    computed = {hashes[index] for index in [*fresh, *again]}
    bench.tally.computed += len(computed)
    bench.tally.reused += len(first) - len(computed)
    _put_set(bench, key, kept.setting, [places[name] for name in hashes], probe.ids)
    return key, found


def _wanting(found: Activations, quantile: float) -> tuple[list[int], dict[str, np.ndarray]]:
    """Images of which too little was kept for the thresholds, and the levels to keep their maps from.

    The levels are so low that all that was kept of these images is kept again.
    """
    images, levels = np.zeros(len(found.ids), bool), {}
    with_maps = {name: layer for name, layer in found.layers.items() if layer.maps is not None}
    for name, layer in with_maps.items():
        levels[name] = threshold_bounds(layer, quantile)
        images |= layer.wanting(levels[name]).any(axis=1)
    if images.any():
        for name, layer in with_maps.items():
            maps = layer.maps
            assert maps is not None
            mine = images[maps.images]
            np.minimum.at(levels[name], maps.units[mine], maps.floors[mine])
    return np.flatnonzero(images).tolist(), levels


def _set_key(setting: str, quantile: float, places: list[Place], ids: list[str]) -> str:
    return fingerprint(
        {
            "setting": setting,
            "quantile": quantile,
            "ids": list(ids),
            "places": [asdict(place) for place in places],
        }
    )


def _put_set(bench: Workbench, key: str, setting: str, places: list[Place], ids: list[str]) -> None:
    if not bench.store.has(SETS, key):
        chunks = sorted({place.chunk for place in places})
        arrays = {
            "chunk": np.array([chunks.index(place.chunk) for place in places], np.int32),
            "row": np.array([place.row for place in places], np.int32),
        }
        bench.store.put(SETS, key, arrays, {"setting": setting, "chunks": chunks, "ids": list(ids)})
