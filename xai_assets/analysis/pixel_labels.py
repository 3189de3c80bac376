"""Network Dissection of a study's models: labels read once, overlaps and their null counted in one go, both kept."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xai_assets.analysis.activations import read_activations
from xai_assets.analysis.probe import open_probe, probe_groups, probe_labels
from xai_assets.analysis.shuffled_scores import PartLayer, observed_on_part, shuffled_networks
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection import label_segments
from xai_assets.dissection.activations import Activations
from xai_assets.dissection.concepts import netdissect_table
from xai_assets.dissection.label_segments import LabelSegments
from xai_assets.dissection.netdissect import CODE_VERSION, paired_tallies
from xai_assets.dissection.pixel_significance import image_permutations, pixel_significance
from xai_assets.dissection.tally import Tally
from xai_assets.dissection.thresholds import top_quantile_thresholds
from xai_assets.files import fingerprint
from xai_assets.progress import Progress

COUNTS = "overlaps"
"""The kind of artifact: one model's overlaps with a probe set's labels."""


def pixel_label_tables(
    bench: Workbench, probe_table: pd.DataFrame, activations: pd.DataFrame
) -> list[pd.DataFrame]:
    """One table a layer that has maps, as `netdissect_table` makes them."""
    probe_sha256 = probe_table["sha256"].iloc[0]
    models = list(activations["model"].unique())
    tables = []
    labels = probe_labels(bench, open_probe(bench, probe_sha256), probe_sha256)
    for number, model in enumerate(models):
        found = read_activations(bench, activations, model)
        without = [name for name, layer in found.layers.items() if layer.maps is None]
        if without:
            bench.tally.note(vectors_left_out(model, without))
        if len(without) == len(found.layers):
            continue
        of_model = activations.loc[activations["model"] == model, "artifact"].iloc[0]
        counts = _overlaps(
            bench, found, of_model, probe_sha256, labels, _part(bench, 2 * number, 2 * len(models))
        )
        progress = _part(bench, 2 * number + 1, 2 * len(models))
        networks = shuffled_networks(bench, model, probe_sha256, progress)
        observed = observed_on_part(bench, model, probe_sha256, progress) if networks else {}
        for layer, (thresholds, tally, null) in counts.items():
            dead = found.layers[layer].dead
            trust = pixel_significance(tally.iou.max(axis=1), null, ~dead)
            tables.append(
                netdissect_table(
                    model,
                    layer,
                    tally,
                    thresholds,
                    dead,
                    trust,
                    shuffled=[_best_ious(network[layer]) for network in networks],
                    on_part=observed[layer].iou if networks else None,
                    min_iou=bench.dissection.netdissect.min_iou,
                )
            )
    return tables


def _best_ious(layer: PartLayer) -> np.ndarray:
    """Of the active units."""
    assert layer.iou is not None
    return layer.iou[~layer.dead]


def vectors_left_out(model: str, layers: Sequence[str]) -> str:
    """What is said of layers that Network Dissection cannot score."""
    named = ", ".join(layers)
    return (
        f"Network Dissection leaves out {named} of {model}: vectors have no maps to hold against pixel labels"
    )


Overlaps = tuple[np.ndarray, Tally, np.ndarray]
"""Thresholds (u,), counts, and the best IoU under each permutation (r, u)."""


def _overlaps(
    bench: Workbench,
    found: Activations,
    activations: str,
    probe_sha256: str,
    labels: LabelSegments,
    progress: Progress,
) -> dict[str, Overlaps]:
    """layer -> its overlaps with the probe's labels, counted or read."""
    settings, seed = bench.dissection.netdissect, bench.study.seed
    groups = probe_groups(bench, probe_sha256)
    with_maps = {name: layer for name, layer in found.layers.items() if layer.maps is not None}
    key = fingerprint(
        {
            "code": [CODE_VERSION, label_segments.CODE_VERSION],
            "activations": activations,
            "probe": probe_sha256,
            "quantile": settings.quantile,
            "permutations": settings.permutations,
            "seed": seed,
            **({} if groups is None else {"groups": groups.tolist()}),
        }
    )
    if bench.store.has(COUNTS, key):
        arrays, _ = bench.store.get(COUNTS, key)
        bench.tally.reused += len(with_maps)
    else:
        thresholds = {
            name: top_quantile_thresholds(layer, settings.quantile) for name, layer in with_maps.items()
        }
        images = len(found.ids)
        pairings = np.concatenate(
            [
                np.arange(images)[None],
                image_permutations(images, settings.permutations, seed=seed, groups=groups),
            ]
        )
        maps = {name: layer.maps for name, layer in with_maps.items() if layer.maps is not None}
        counts = paired_tallies(maps, thresholds, labels, pairings, boxes=found.boxes, progress=progress)
        arrays = {}
        for name, (own, *paired) in counts.items():
            arrays |= {
                f"{name}/thresholds": thresholds[name],
                f"{name}/both": own.both,
                f"{name}/unit": own.unit,
                f"{name}/null": np.stack([tally.iou.max(axis=1) for tally in paired]),
                "concept": own.concept,
                "pixels": own.pixels,
            }
        bench.store.put(COUNTS, key, arrays, {"layers": list(maps)})
        bench.tally.computed += len(with_maps)
    return {
        name: (
            arrays[f"{name}/thresholds"],
            Tally(
                labels.concepts, arrays[f"{name}/both"], arrays[f"{name}/unit"], arrays["concept"],
                arrays["pixels"], labels.categories,
            ),
            arrays[f"{name}/null"],
        )
        for name in with_maps
    }  # fmt: skip


def _part(bench: Workbench, number: int, parts: int) -> Progress:
    """The progress of one of several equal parts, shown as that of the whole."""

    def progress(done: int, total: int) -> None:
        bench.progress(number * total + done, parts * total)

    return progress
