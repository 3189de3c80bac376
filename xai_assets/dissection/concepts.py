"""The concept tables: one row a unit and method."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xai_assets.dissection.clip_dissect import LayerConcepts
from xai_assets.dissection.netdissect import MIN_IOU
from xai_assets.dissection.presence import WordTruth
from xai_assets.dissection.presence_null import PresenceNull
from xai_assets.dissection.ranking import top_images
from xai_assets.dissection.shuffled_null import AgainstShuffled, against_shuffled
from xai_assets.dissection.significance import FALSE_DISCOVERY_RATE, Significance, significance
from xai_assets.dissection.tally import Tally
from xai_assets.dissection.unit_concepts import CLIP_TABLE, NET_TABLE
from xai_assets.dissection.word_control import WordControl
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
    control: WordControl | None = None,
    null: PresenceNull | None = None,
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
        control: the layer against networks with shuffled weights; None: none was asked for.
        null: how often words are present under permutations of the images; None: it cannot be told.

    Returns:
        model, layer, unit (from 0), concept, category, score, runner_up, gap (score less the runner-up's), null_mean,
        null_std, z, p, q (see `significance`; q over the units of the layer that have a concept), dead,
        max_activation (largest pooled one), top_images (five ids as `join_names` joins them, strongest first),
        truth_presence (share of the unit's top images that show the concept), base_rate (share of all images that do),
        chance_presence (mean share for words that are chosen for permuted images in the same way), beyond_chance (q
        below FALSE_DISCOVERY_RATE, and beyond the shuffled networks where there are any); and of the layer, the same in
        all rows: `NETWORK_FACTS` and `PRESENCE_FACTS`. A unit that is dead, or whose pooled activations are all equal,
        has no concept and no numbers but its max_activation. z is None where the null does not vary.

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
        row = dict.fromkeys(CLIP_TABLE) | {
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
                    "base_rate": float(shown.mean()),
                    "chance_presence": None if null is None else null.chance,
                }
        rows.append(row)
    numbers = (
        "score", "gap", "null_mean", "null_std", "z", "p", "q", "truth_presence", "chance_presence", "base_rate",
    )  # fmt: skip
    table = pd.DataFrame(rows, columns=list(CLIP_TABLE)).astype(dict.fromkeys(numbers, "float64"))
    table = _held_against(table, named, None if control is None else control.units)
    facts = {
        "presence_tested": None if null is None else null.observed,
        "p_presence": None if null is None else null.p,
        "presence_seen": None if control is None else control.presence,
        "presence_shuffled": None if control is None else control.presence_shuffled,
        "p_presence_network": None if control is None else control.p_presence,
    }
    return table.assign(**{name: np.nan if value is None else value for name, value in facts.items()})


def _held_against(table: pd.DataFrame, living: np.ndarray, found: AgainstShuffled | None) -> pd.DataFrame:
    """The table with what shuffled networks say of each unit and of the layer, and with `beyond_chance`.

    A unit that stands for nothing in the first place, such as no detector, is not beyond chance.
    """
    networks = 0 if found is None else len(found.found_shuffled)
    nothing = np.full(len(table), np.nan)
    tested = found is not None and networks > 0
    beyond = living & (table["q"] < FALSE_DISCOVERY_RATE).to_numpy(bool)
    if "detector" in table:
        beyond &= table["detector"].to_numpy(bool)
    if found is not None and tested:
        beyond &= found.beyond
    return table.assign(
        p_shuffled=np.where(living, found.p, np.nan) if found is not None and tested else nothing,
        q_shuffled=found.q if found is not None and tested else nothing,
        beyond_chance=beyond,
        networks=networks,
        found_network=found.found if found is not None and tested else np.nan,
        found_shuffled=found.found_shuffled.max() if found is not None and tested else np.nan,
        p_network=found.p_network if found is not None and tested else np.nan,
    )


def netdissect_table(
    model: str,
    layer: str,
    tally: Tally,
    thresholds: np.ndarray,
    dead: np.ndarray,
    trust: Significance | None = None,
    *,
    shuffled: Sequence[np.ndarray] = (),
    on_part: np.ndarray | None = None,
    min_iou: float = MIN_IOU,
) -> pd.DataFrame:
    """The pixel label that each unit of a layer overlaps most.

    Args:
        model, layer: names.
        tally: the layer's counts.
        thresholds: float32 (u,).
        dead: bool (u,).
        trust: from `pixel_significance`; None: its columns are empty.
        shuffled: of each network with shuffled weights, the best IoUs of the same layer's active units (m,); none: the
            columns are empty.
        on_part: float64 (u,), the units' own best IoUs on the images that these networks were shown, which are held
            against theirs; None: they were shown all images.
        min_iou: a unit is a detector above this.

    Returns:
        model, layer, unit (from 0), concept, category, iou, threshold, detector, dead, attainable_iou (the largest
        that the concept's coverage and the unit's area admit), coverage (share of the pixels counted for the
        concept's category that carry it), runner_up (second best concept that is overlapped at all), gap (IoU less
        the runner-up's, which is 0 where there is none), null_mean, null_std, z, p, q (see `Significance`),
        p_shuffled and q_shuffled (see `AgainstShuffled`), beyond_chance (a detector with q below
        FALSE_DISCOVERY_RATE, and beyond the shuffled networks where there are any); and of the layer, the same in all
        rows: networks, found_network, found_shuffled, p_network. The first of equally good concepts is taken. A
        dead unit, and one that overlaps no label at all, has no concept; a dead unit has no IoU and no numbers of trust
        either.
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
    compared = first_iou if on_part is None else on_part
    found = against_shuffled(compared, living, shuffled) if shuffled else None
    return _held_against(pd.DataFrame(columns), living, found).reindex(columns=list(NET_TABLE))
