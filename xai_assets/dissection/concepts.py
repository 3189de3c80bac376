"""The concept tables: one row a unit and method."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xai_assets.dissection.activations import LayerActivations
from xai_assets.dissection.clip_dissect import best_two, top_images
from xai_assets.dissection.netdissect import MIN_IOU, Tally
from xai_assets.dissection.presence import WordTruth
from xai_assets.errors import XaiError

TOP_IMAGES = 5
"""Images listed a unit."""

TRUTH_TOP_K = 20
"""Images a unit over which `truth_presence` is taken."""


def checked_words(words: Sequence[str]) -> list[str]:
    """The concept list as it stands; raises XaiError when it is empty, has a blank or names a concept twice."""
    stripped = [word.strip() for word in words]
    blank = [at for at, word in enumerate(stripped, 1) if not word]
    if not stripped or blank:
        raise XaiError(
            "the concept list",
            f"line {blank[0]} is blank" if blank else "it is empty",
            "Give one concept a line.",
        )
    twice = pd.Series(stripped)[pd.Series(stripped).duplicated()]
    if len(twice):
        raise XaiError(
            "the concept list",
            f"it names {twice.iloc[0]!r} twice (line {twice.index[0] + 1})",
            "Name each concept once.",
        )
    return stripped


def clip_table(
    model: str,
    layer: str,
    scores: np.ndarray,
    activations: LayerActivations,
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
        scores: (u, c), from `soft_wpmi`.
        activations: of the layer; images are ranked by its `pooled`.
        ids: n image ids.
        words: c concepts.
        categories: c categories, "" where there is none.
        truth: which images show which word, where labels can tell.
        truth_top_k: images a unit over which `truth_presence` is taken.

    Returns:
        model, layer, unit (from 0), concept, category, score, runner_up, gap (score less the runner-up's), dead,
        max_activation (largest pooled one), top_images (five ids joined by ';', strongest first), truth_presence
        (share of the unit's top images that show the concept), chance_presence (share of all images that do). A
        dead unit has no concept and no numbers but its max_activation.
    """
    best, second = best_two(scores)
    top = top_images(activations.pooled, max(TOP_IMAGES, truth_top_k))  # k u
    rows = []
    for unit, dead in enumerate(activations.dead):
        row = {
            "model": model,
            "layer": layer,
            "unit": unit,
            "concept": None,
            "category": None,
            "score": None,
            "runner_up": None,
            "gap": None,
            "dead": bool(dead),
            "max_activation": float(activations.pooled[:, unit].max()),
            "top_images": ";".join(ids[image] for image in top[:TOP_IMAGES, unit]),
            "truth_presence": None,
            "chance_presence": None,
        }
        if not dead:
            word, next_word = int(best[unit]), int(second[unit])
            score = float(scores[unit, word])
            row |= {
                "concept": words[word],
                "category": categories[word] if categories else "",
                "score": score,
                "runner_up": words[next_word],
                "gap": score - float(scores[unit, next_word]),
            }
            if truth is not None and truth.known[word]:
                shown = truth.present[:, word]
                row |= {
                    "truth_presence": float(shown[top[:truth_top_k, unit]].mean()),
                    "chance_presence": float(shown.mean()),
                }
        rows.append(row)
    numbers = ("score", "gap", "truth_presence", "chance_presence")
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))


def netdissect_table(
    model: str,
    layer: str,
    tally: Tally,
    thresholds: np.ndarray,
    dead: np.ndarray,
    *,
    min_iou: float = MIN_IOU,
) -> pd.DataFrame:
    """The pixel label that each unit of a layer overlaps most.

    Args:
        model, layer: names.
        tally: the layer's counts.
        thresholds: float32 (u,).
        dead: bool (u,).
        min_iou: a unit is a detector above this.

    Returns:
        model, layer, unit (from 0), concept, category, iou, threshold, detector, dead, attainable_iou (the largest
        that the concept's coverage and the unit's area admit), coverage (share of the pixels counted for the
        concept's category that carry it). The first of equally good concepts is taken. A dead unit, and one that
        overlaps no label at all, has no concept; a dead unit has no IoU either.
    """
    iou, attainable, coverage = tally.iou, tally.attainable_iou, tally.coverage
    rows = []
    for unit, best in enumerate(iou.argmax(axis=1)):
        row = {
            "model": model,
            "layer": layer,
            "unit": unit,
            "concept": None,
            "category": None,
            "iou": None,
            "threshold": float(thresholds[unit]),
            "detector": False,
            "dead": bool(dead[unit]),
            "attainable_iou": None,
            "coverage": None,
        }
        if not dead[unit]:
            row["iou"] = float(iou[unit, best])
            if iou[unit, best] > 0:
                concept = tally.concepts.iloc[int(best)]
                row |= {
                    "concept": concept["name"],
                    "category": concept["category"],
                    "detector": bool(iou[unit, best] > min_iou),
                    "attainable_iou": float(attainable[unit, best]),
                    "coverage": float(coverage[best]),
                }
        rows.append(row)
    return pd.DataFrame(rows).astype(
        dict.fromkeys(("iou", "threshold", "attainable_iou", "coverage"), "float64")
    )
