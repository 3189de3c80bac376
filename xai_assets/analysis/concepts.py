"""What each unit stands for: by CLIP-Dissect's words and by Network Dissection's pixel labels."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from xai_assets.analysis.activations import read_activations
from xai_assets.analysis.pixel_labels import pixel_label_tables
from xai_assets.analysis.probe import open_probe, probe_groups, probe_labels
from xai_assets.analysis.shuffled_scores import part_of, shuffled_networks
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.clip_dissect import dissect
from xai_assets.dissection.concept_space import ConceptSpace
from xai_assets.dissection.concepts import TRUTH_TOP_K, clip_table
from xai_assets.dissection.exchangeable import enough, too_few
from xai_assets.dissection.presence import WordTruth, word_truth
from xai_assets.dissection.presence_null import permutations_for, presence_null
from xai_assets.dissection.unit_concepts import CLIP_TABLE, NET_TABLE
from xai_assets.dissection.word_control import FEWEST_SHOWN, WordControl, on_part, word_control
from xai_assets.world.synonyms import surface_forms

SHOWN_SHARE = 0.0015
"""A picture shows a word when its labels cover more of it than this: 24 pixels of the embedded world's 128 x 128."""

UNTESTED = ("null_mean", "null_std", "z", "p", "q", "p_presence")
"""Columns that need a null of permuted images."""

Key = tuple[str, str]
"""A model and a layer."""


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
    controls = _controls(bench, probe_table["sha256"].iloc[0], arrays, pooled, dead, ids, truth)
    tables = []
    for key, named in concepts.items():
        null = None
        if truth is not None:
            null = presence_null(
                space,
                pooled[key],
                named.ranked & ~dead[key],
                truth,
                parameters,
                top_k=TRUTH_TOP_K,
                permutations=permutations_for(sum(model == key[0] for model, _ in concepts)),
                seed=bench.study.seed,
                ids=names,
                groups=groups,
            )
        tables.append(
            clip_table(
                *key, named, pooled[key], dead[key], ids[key[0]], words, categories,
                truth=truth, control=controls.get(key), null=null,
            )
        )  # fmt: skip
    return _decided(bench, _together(CLIP_TABLE, tables), groups)


def _controls(
    bench: Workbench,
    probe_sha256: str,
    embedded: Mapping[str, np.ndarray],
    pooled: Mapping[Key, np.ndarray],
    dead: Mapping[Key, np.ndarray],
    ids: Mapping[str, Sequence[str]],
    truth: WordTruth | None,
) -> dict[Key, WordControl]:
    """Each layer's words against those of its shuffled networks, on the images that these were shown."""
    found: dict[Key, WordControl] = {}
    parameters = bench.dissection.clip_dissect
    for model in ids:
        networks = shuffled_networks(bench, model, probe_sha256, bench.progress)
        if not networks:
            continue
        images = len(ids[model])
        chosen = part_of(images, bench.dissection.netdissect.shuffle_images)
        share = len(chosen) / images
        space = ConceptSpace(
            embedded["images"][chosen], embedded["texts"], memory=parameters.memory_mib * 2**20
        )
        seen = None if truth is None else WordTruth(truth.present[chosen], truth.known)
        for key in (key for key in pooled if key[0] == model):
            found[key] = word_control(
                space,
                (pooled[key][chosen], dead[key]),
                [(network[key[1]].response, network[key[1]].dead) for network in networks],
                on_part(parameters, share),
                ids=[ids[model][image] for image in chosen],
                truth=seen,
                truth_top_k=max(FEWEST_SHOWN, round(TRUTH_TOP_K * share)),
                seed=bench.study.seed,
            )
    return found


def netdissect_concepts(
    bench: Workbench, probe_table: pd.DataFrame, activations: pd.DataFrame
) -> pd.DataFrame:
    """One row a unit of a layer with maps, as the warehouse's view `netdissect`; empty without pixel labels."""
    if not bool(probe_table["labelled"].iloc[0]):
        return _together(NET_TABLE, [])
    found = _together(NET_TABLE, pixel_label_tables(bench, probe_table, activations))
    return _decided(bench, found, probe_groups(bench, probe_table["sha256"].iloc[0]))


def _decided(bench: Workbench, table: pd.DataFrame, groups: np.ndarray | None) -> pd.DataFrame:
    """The table; with nothing tested and nothing beyond chance where the images are too few groups for a null."""
    if enough(groups):
        return table
    assert groups is not None
    bench.tally.note(too_few(groups))
    untested = [name for name in UNTESTED if name in table]
    return table.assign(beyond_chance=False, **dict.fromkeys(untested, np.nan))


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
