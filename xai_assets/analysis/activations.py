"""What the units do on the probe set: one pass a model, kept by weights, probe and layers."""

import pandas as pd

from xai_assets.analysis.probe import open_probe
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.activations import CODE_VERSION, Activations, collect
from xai_assets.files import fingerprint
from xai_assets.study import DissectedModel
from xai_assets.vision.classifiers import load_classifier

KIND = "activations"


def unit_activations(bench: Workbench, probe_table: pd.DataFrame) -> pd.DataFrame:
    """One row a model and layer: units, dead units, and the artifact with pooled activations and maps."""
    rows = []
    for entry in bench.dissection.models:
        key, sha256, found = _collected(bench, entry, probe_table["sha256"].iloc[0])
        rows += [
            {
                "model": entry.model.name,
                "layer": name,
                "kind": layer.kind,
                "units": layer.pooled.shape[1],
                "dead": int(layer.dead.sum()),
                "model_sha256": sha256,
                "artifact": key,
            }
            for name, layer in found.layers.items()
        ]
    return pd.DataFrame(rows)


def read_activations(bench: Workbench, table: pd.DataFrame, model: str) -> Activations:
    """The activations of one model, as `unit_activations` kept them."""
    key = table.loc[table["model"] == model, "artifact"].iloc[0]
    return Activations.from_arrays(*bench.store.get(KIND, key))


def _collected(bench: Workbench, entry: DissectedModel, probe_sha256: str) -> tuple[str, str, Activations]:
    classifier = load_classifier(entry.model, bench.settings, base=bench.file.path.parent)
    key = fingerprint(
        {
            "code": CODE_VERSION,
            "weights": classifier.sha256,
            "layers": list(entry.layers),
            "preprocessing": classifier.preprocessing.fingerprint(),
            "probe": probe_sha256,
        }
    )
    if bench.store.has(KIND, key):
        bench.tally.reused += 1
        return key, classifier.sha256, Activations.from_arrays(*bench.store.get(KIND, key))
    work = bench.settings.artifacts / "work" / key
    try:
        found = collect(classifier, entry.layers, open_probe(bench), folder=work, progress=bench.progress)
        bench.store.put(KIND, key, found.to_arrays(), found.to_meta())
    finally:
        for file in work.glob("*.npy"):
            file.unlink()
    bench.tally.computed += 1
    return key, classifier.sha256, found
