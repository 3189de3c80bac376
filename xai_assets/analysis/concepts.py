"""What each unit stands for: by CLIP-Dissect's words and by Network Dissection's pixel labels."""

import numpy as np
import pandas as pd

from xai_assets.analysis.activations import read_activations
from xai_assets.analysis.pixel_labels import pixel_label_tables
from xai_assets.analysis.probe import open_probe, probe_groups, probe_labels
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.concepts import clip_table
from xai_assets.dissection.exchangeable import enough, too_few
from xai_assets.dissection.presence import WordTruth, word_truth
from xai_assets.dissection.unit_concepts import CLIP_COLUMNS, NET_COLUMNS
from xai_assets.world.synonyms import surface_forms

SHOWN_SHARE = 0.0015
"""A picture shows a word when its labels cover more of it than this: 24 pixels of the embedded world's 128 x 128."""


def clip_dissect_concepts(
    bench: Workbench, probe_table: pd.DataFrame, activations: pd.DataFrame, embeddings: pd.DataFrame
) -> pd.DataFrame:
    """One row a unit, as the warehouse's view `clip_dissect`.

    Softmax statistics and the null's random orderings serve all layers and models; each layer is scored whole.
    """
    arrays, meta = bench.store.get("embeddings", embeddings["artifact"].iloc[0])
    words, categories = zip(*meta["words"], strict=True)
    truth = (
        _truth(bench, list(words), probe_table["sha256"].iloc[0])
        if bool(probe_table["labelled"].iloc[0])
        else None
    )
    parameters = bench.dissection.clip_dissect
    space = ConceptSpace(arrays["images"], arrays["texts"], memory=parameters.memory_mib * 2**20)
    pooled, dead, ids = {}, {}, {}
    for model in activations["model"].unique():
        found = read_activations(bench, activations, model)
        ids[model] = found.ids
        for layer, values in found.layers.items():
            pooled[model, layer] = values.response(parameters.pooling)
            dead[model, layer] = values.dead
    names = next(iter(ids.values()), None)  # one probe set for all models
    groups = probe_groups(bench, probe_table["sha256"].iloc[0])
    concepts = dissect(
        space, pooled, parameters,
        seed=bench.study.seed, ids=names, groups=groups, progress=bench.progress,
    )  # fmt: skip
    bench.tally.computed += len(concepts)
    found = _together(
        CLIP_COLUMNS,
        [
            clip_table(
                *key, concepts[key], pooled[key], dead[key], ids[key[0]], words, categories, truth=truth
            )
            for key in concepts
        ],
    )
    return _decided(bench, found, groups)


def netdissect_concepts(
    bench: Workbench, probe_table: pd.DataFrame, activations: pd.DataFrame
) -> pd.DataFrame:
    """One row a unit of a layer with maps, as the warehouse's view `netdissect`; empty without pixel labels."""
    if not bool(probe_table["labelled"].iloc[0]):
        return _together(NET_COLUMNS, [])
    found = _together(NET_COLUMNS, pixel_label_tables(bench, probe_table, activations))
    return _decided(bench, found, probe_groups(bench, probe_table["sha256"].iloc[0]))


def _decided(bench: Workbench, table: pd.DataFrame, groups: np.ndarray | None) -> pd.DataFrame:
    """The table; without p and q where the images are too few groups for a null."""
    if enough(groups):
        return table
    assert groups is not None
    bench.tally.note(too_few(groups))
    return table.assign(**dict.fromkeys(("null_mean", "null_std", "z", "p", "q"), np.nan))


def _truth(bench: Workbench, words: list[str], probe_sha256: str) -> WordTruth:
    """Which probe images show which word; in the embedded world the labels name all there is to see."""
    labels = probe_labels(bench, open_probe(bench, probe_sha256), probe_sha256)
    embedded = bench.dissection.probe.diorama is not None
    forms = {word: surface_forms(word) for word in words} if embedded else None
    return word_truth(
        words,
        labels.shares(),
        labels.concepts,
        synonyms=forms,
        exhaustive=embedded,
        min_share=SHOWN_SHARE,
    )


def _together(columns: tuple[str, ...], frames: list[pd.DataFrame]) -> pd.DataFrame:
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
    return whole.reindex(columns=list(columns))
