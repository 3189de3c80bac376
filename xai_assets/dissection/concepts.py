"""The concept tables: one row a unit and method."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xai_assets.dissection.clip_dissect import LayerConcepts
from xai_assets.dissection.netdissect import MIN_IOU
from xai_assets.dissection.presence import WordTruth
from xai_assets.dissection.ranking import top_images
from xai_assets.dissection.significance import (
    Significance,
    false_discovery_q,
    permutation_p,
    significance,
)
from xai_assets.dissection.tally import Tally
from xai_assets.dissection.unit_concepts import CLIP_COLUMNS
from xai_assets.errors import XaiError
from xai_assets.joined import join_names

TOP_IMAGES = 5
"""Images listed a unit."""

TRUTH_TOP_K = 20
"""Images a unit over which `truth_presence` is taken."""


def clip_table(
    model: str,
    layer: str,
    found: LayerConcepts,
    activations: np.ndarray,
    dead: np.ndarray,
    ids: Sequence[str],
    words: Sequence[str],
    categories: Sequence[str] | None = None,
    *,
    truth: WordTruth | None = None,
    truth_top_k: int = TRUTH_TOP_K,
) -> pd.DataFrame:
    """CLIP-Dissect's concept of every unit of a layer.

    Args:
        model, layer: names.
        found: from `dissect`.
        activations: (n, u), those that `found` was scored on; images are ranked by them.
        dead: bool (u,).
        ids: n image ids.
        words: c concepts.
        categories: c categories, "" where there is none.
        truth: which images show which word, where labels can tell.
        truth_top_k: images a unit over which `truth_presence` is taken.

    Returns:
        model, layer, unit (from 0), concept, category, score, runner_up, gap (score less the runner-up's), null_mean,
        null_std, z, p, q (see `significance`; q over the units of the layer that have a concept), dead,
        max_activation (largest pooled one), top_images (five ids as `join_names` joins them, strongest first),
        truth_presence (share of the unit's top images that show the concept), chance_presence (share of all images that
        do). A unit that is dead, or whose pooled activations are all equal, has no concept and no numbers but its
        max_activation. z is None where the null does not vary.

    Raises:
        XaiError: `found` has no null.
    """
    if found.null is None:
        raise XaiError(f"the concepts of {model} {layer}", "they have no null", "Ask for permutations.")
    named = found.ranked & ~dead
    trust = significance(found.scores[:, 0], found.null, named)
    top = top_images(activations, max(TOP_IMAGES, truth_top_k), ids=ids)  # k u
    rows = []
    for unit in range(len(named)):
        row = dict.fromkeys(CLIP_COLUMNS) | {
            "model": model,
            "layer": layer,
            "unit": unit,
            "dead": bool(dead[unit]),
            "max_activation": float(activations[:, unit].max()),
            "top_images": join_names(ids[image] for image in top[:TOP_IMAGES, unit]),
        }
        if named[unit]:
            word, next_word = (int(concept) for concept in found.concepts[unit])
            score, next_score = (float(value) for value in found.scores[unit])
            row |= {
                "concept": words[word],
                "category": categories[word] if categories else "",
                "score": score,
                "runner_up": words[next_word],
                "gap": score - next_score,
                "null_mean": trust.null_mean[unit],
                "null_std": trust.null_std[unit],
                "z": trust.z[unit],
                "p": trust.p[unit],
                "q": trust.q[unit],
            }
            if truth is not None and truth.known[word]:
                shown = truth.present[:, word]
                row |= {
                    "truth_presence": float(shown[top[:truth_top_k, unit]].mean()),
                    "chance_presence": float(shown.mean()),
                }
        rows.append(row)
    numbers = ("score", "gap", "null_mean", "null_std", "z", "p", "q", "truth_presence", "chance_presence")
    return pd.DataFrame(rows, columns=list(CLIP_COLUMNS)).astype(dict.fromkeys(numbers, "float64"))


def netdissect_table(
    model: str,
    layer: str,
    tally: Tally,
    thresholds: np.ndarray,
    dead: np.ndarray,
    trust: Significance | None = None,
    *,
    shuffled: np.ndarray | None = None,
    min_iou: float = MIN_IOU,
) -> pd.DataFrame:
    """The pixel label that each unit of a layer overlaps most.

    Args:
        model, layer: names.
        tally: the layer's counts.
        thresholds: float32 (u,).
        dead: bool (u,).
        trust: from `pixel_significance`; None: its columns are empty.
        shuffled: float (m,), the best IoU of units of the same layer in networks whose weights were shuffled; None:
            the columns are empty.
        min_iou: a unit is a detector above this.

    Returns:
        model, layer, unit (from 0), concept, category, iou, threshold, detector, dead, attainable_iou (the largest
        that the concept's coverage and the unit's area admit), coverage (share of the pixels counted for the
        concept's category that carry it), runner_up (second best concept that is overlapped at all), gap (IoU less
        the runner-up's, which is 0 where there is none), null_mean, null_std, z, p, q (see `Significance`),
        p_shuffled and q_shuffled (the same against `shuffled`, one null for all units of the layer). The first of
        equally good concepts is taken. A dead unit, and one that overlaps no label at all, has no concept; a
        dead unit has no IoU and no numbers of trust either.
    """
    iou, attainable, coverage = tally.iou, tally.attainable_iou, tally.coverage
    ranked = np.argsort(-iou, axis=1, kind="stable")  # u c
    best, second = ranked[:, 0], ranked[:, min(1, iou.shape[1] - 1)]
    names, categories = (tally.concepts[column].to_numpy(object) for column in ("name", "category"))
    each = np.arange(len(iou))
    first_iou = iou[each, best]
    second_iou = np.where(second == best, 0.0, iou[each, second])  # a list of one concept has no second
    living = ~np.asarray(dead, bool)
    named = living & (first_iou > 0)

    def text(values: np.ndarray, where: np.ndarray) -> np.ndarray:
        found = values.copy()
        found[~where] = None
        return found

    def real(values: np.ndarray, where: np.ndarray) -> np.ndarray:
        return np.where(where, np.asarray(values, np.float64), np.nan)

    columns = {
        "model": model,
        "layer": layer,
        "unit": each,
        "concept": text(names[best], named),
        "category": text(categories[best], named),
        "iou": real(first_iou, living),
        "threshold": np.asarray(thresholds, np.float64),
        "detector": named & (first_iou > min_iou),
        "dead": ~living,
        "attainable_iou": real(attainable[each, best], named),
        "coverage": real(coverage[best], named),
        "runner_up": text(names[second], named & (second_iou > 0)),
        "gap": real(first_iou - second_iou, named),
    }
    for name in ("null_mean", "null_std", "z", "p", "q"):
        values = np.full(len(iou), np.nan) if trust is None else getattr(trust, name)
        columns[name] = real(values, living)
    of_shuffled = np.full((2, len(iou)), np.nan)
    if shuffled is not None and len(shuffled) > 1:
        of_shuffled[0] = permutation_p(first_iou, shuffled)
        of_shuffled[1] = false_discovery_q(of_shuffled[0], living)
    columns["p_shuffled"], columns["q_shuffled"] = (real(values, living) for values in of_shuffled)
    return pd.DataFrame(columns)
