"""Which probe images truly show a word? Known where the probe has exact labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xai_assets.dissection.labels import normalise_label


@dataclass(frozen=True)
class WordTruth:
    """Words against images.

    Attributes:
        present: bool (n, w): the image shows the word.
        known: bool (w,): the labels can tell; columns of `present` are false where they cannot.
    """

    present: np.ndarray
    known: np.ndarray


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

    A word is the concepts of any category whose name or synonym has its meaning by `labels.normalise_label` ("sand" is
    the object and the material); an image shows it when any of them covers more than `min_share` of it.

    Args:
        words: the concept list.
        shares: (n, c), how much of each image carries each concept: `LabelSegments.shares`.
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


def presence(truth: WordTruth, top: np.ndarray, words: np.ndarray) -> np.ndarray:
    """The share of each unit's top images that show its word: float64 (u,), NaN where the labels cannot tell.

    Args:
        truth: images against words.
        top: int (k, u), each unit's top images.
        words: int (u,), each unit's word.
    """
    shares = truth.present[top, words[None]].mean(axis=0)  # k u -> u
    return np.where(truth.known[words], shares, np.nan)
