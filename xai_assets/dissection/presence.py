"""Which probe images truly show a word? Known where the probe has exact labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xai_assets.dissection.labels import normalise_label
from xai_assets.dissection.probe import ProbeError, ProbeSet
from xai_assets.progress import Progress, silent


@dataclass(frozen=True)
class WordTruth:
    """Words against images.

    Attributes:
        present: bool (n, w): the image shows the word.
        known: bool (w,): the labels can tell; columns of `present` are false where they cannot.
    """

    present: np.ndarray
    known: np.ndarray


def concept_pixels(probe: ProbeSet, *, progress: Progress = silent) -> np.ndarray:
    """How much of each image carries each of the probe's concepts: float32 (n, c), shares of its label pixels.

    Raises:
        ProbeError: the probe has no labels.
    """
    if probe.concepts is None:
        raise ProbeError("the probe set", "it has no labels", "Choose one with labels.")
    column = {int(number): at for at, number in enumerate(probe.concepts["number"])}
    shares = np.zeros((len(probe), len(column)), np.float32)
    for index in range(len(probe)):
        found: dict[int, np.ndarray] = {}
        for layers in probe.labels(index).values():
            for layer in layers:
                for number in np.unique(layer[layer > 0]):
                    where = layer == number
                    found[int(number)] = found[int(number)] | where if int(number) in found else where
        for number, where in found.items():
            shares[index, column[number]] = where.mean()
        progress(index + 1, len(probe))
    return shares


def word_truth(
    words: Sequence[str],
    shares: np.ndarray,
    concepts: pd.DataFrame,
    *,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    exhaustive: bool = False,
    min_share: float = 0.0,
) -> WordTruth:
    """Match words of a concept list to the labels of a probe.

    A word is the concepts of any category whose name or synonym is the same normalised label ("sand" is the object
    and the material); an image shows it when any of them covers more than `min_share` of it.

    Args:
        words: the concept list.
        shares: from `concept_pixels`.
        concepts: the probe's concepts.
        synonyms: word -> further names to look for.
        exhaustive: the labels name all there is to see, as in the embedded world: a word without a label is then
            known to be absent from every image. Otherwise nothing is known of it.
        min_share: share of an image's label pixels.
    """
    columns: dict[str, list[int]] = {}
    for at, concept in enumerate(concepts.to_dict("records")):
        for name in (concept["name"], *concept["synonyms"]):
            columns.setdefault(normalise_label(name), []).append(at)
    shown = shares > min_share  # n c
    present = np.zeros((len(shares), len(words)), bool)
    known = np.full(len(words), exhaustive)
    for at, word in enumerate(words):
        names = {normalise_label(name) for name in (word, *(synonyms or {}).get(word, ()))}
        matched = [column for name in names for column in columns.get(name, ())]
        if matched:
            known[at] = True
            present[:, at] = shown[:, matched].any(axis=1)
    return WordTruth(present, known)
