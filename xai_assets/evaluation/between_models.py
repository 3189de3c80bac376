"""How far the maps of two models agree on one image: in the part of the original that both of them see.

The models may have different inputs: a crop of another size, a squashed image. A map is therefore brought into the common
part of both frames, through the original's coordinates, before it is compared (`Frame.bring`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.attribution.maps import AttributionMap, flags_of
from xai_assets.evaluation.agreement import agreement_table
from xai_assets.evaluation.agreement_summary import COLUMNS as OF_METHODS
from xai_assets.evaluation.agreement_summary import agreement_summary
from xai_assets.evaluation.chance import OF_PAIRS
from xai_assets.evaluation.evidence_centre import evidence_centre, moved_share

SAME_CLASS, OWN_ANSWER = "same_class", "own_answer"
"""What two maps are of: one class, or of each model the class that it answers."""

PAIR = ("model_a", "model_b")
MEASURED = (
    "iou", "chance_iou", "attainable_iou", "iou_matched", "chance_iou_matched", "dice", "density_a", "density_b",
    "rank_correlation",
)  # fmt: skip
"""Of `agreement.agreement_table`."""

COLUMNS = (
    "question", "image_id", "method", *PAIR, "class_a", "class_b", *MEASURED, "moved_share", "shift_x", "shift_y",
)  # fmt: skip

SUMMARY = ("method", *PAIR, *(name for name in OF_METHODS if name not in ("method_a", "method_b", "area")))

_BETWEEN = "\x1f"
"""Between a method and a model where both are one name."""


@dataclass(frozen=True)
class ModelMap:
    """One model's map of an image, with its mask.

    Attributes:
        model: its name in the study.
        explained: the class, as the first model names it.
        found: the map, in the model's frame.
        mask: h w bool, in the same frame.
    """

    model: str
    explained: str
    found: AttributionMap
    mask: np.ndarray


def in_common(a: ModelMap, b: ModelMap) -> tuple[ModelMap, ModelMap] | None:
    """Both maps and masks in the common part of their frames; None where the two see nothing of the image in common.

    A pixel there is in the mask where at least half of it is.
    """
    frame = a.found.frame.common(b.found.frame)
    return None if frame is None else (_brought(a, frame), _brought(b, frame))


def _brought(one: ModelMap, frame: Any) -> ModelMap:
    own = one.found.frame
    if frame == own:
        return one
    mask = own.bring(one.mask.astype(np.float32), frame) >= 0.5
    if not np.isfinite(one.found.values).all():
        empty = np.full(frame.size, np.nan, np.float32)
        return replace(
            one, found=replace(one.found, values=empty, frame=frame, flags=flags_of(empty)), mask=mask
        )
    return replace(one, found=one.found.in_frame(frame), mask=mask)


def agreement_row(
    question: str, method: str, a: ModelMap, b: ModelMap, common: tuple[ModelMap, ModelMap]
) -> dict[str, Any]:
    """The row of COLUMNS of two maps of one image.

    Args:
        question: SAME_CLASS or OWN_ANSWER.
        method: of both.
        a, b: as the models made them.
        common: as `in_common` gives them.
    """
    places = [
        replace(one.found, method=side, target=0, target_name="")
        for side, one in zip("ab", common, strict=True)
    ]
    (measured,) = agreement_table(
        [(found, one.mask) for found, one in zip(places, common, strict=True)], policy=""
    ).to_dict("records")
    centres = [evidence_centre(one.found) for one in (a, b)]
    shift = (
        [None, None]
        if centres[0] is None or centres[1] is None
        else [after - before for before, after in zip(*centres, strict=True)]
    )
    return {
        "question": question,
        "image_id": a.found.image_id,
        "method": method,
        "model_a": a.model,
        "model_b": b.model,
        "class_a": a.explained,
        "class_b": b.explained,
        **{name: measured[name] for name in MEASURED},
        "moved_share": moved_share(places[0].values, places[1].values)
        if all(found.usable for found in places)
        else None,
        "shift_x": shift[0],
        "shift_y": shift[1],
    }


def model_agreement_summary(agreement: pd.DataFrame, chance: pd.DataFrame) -> pd.DataFrame:
    """One row a method, pair of models and metric: mean over images, what other images give, and what is decided.

    The questions of all methods and pairs about one metric are a family.

    Args:
        agreement: COLUMNS; the rows of SAME_CLASS are taken.
        chance: `method`, PAIR, and `chance.OF_PAIRS` from `metric` on.

    Returns:
        SUMMARY.
    """
    rows = agreement[agreement["question"] == SAME_CLASS]
    sweep = pd.DataFrame(columns=["area", "iou", "chance_iou", "method_a", "method_b", "image_id"])
    found = agreement_summary(_as_methods(rows), sweep, _as_methods(chance))
    named = [
        (a.split(_BETWEEN)[0], a.split(_BETWEEN)[1], b.split(_BETWEEN)[1])
        for a, b in zip(found["method_a"], found["method_b"], strict=True)
    ]
    names = pd.DataFrame(named, columns=["method", *PAIR], index=found.index)
    return pd.concat([names, found], axis=1)[list(SUMMARY)]


def _as_methods(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a model's maps by a method as those of one `method_a` or `method_b`."""
    named = {f"method_{side}": table["method"] + _BETWEEN + table[f"model_{side}"] for side in "ab"}
    return table.assign(**named)


def pairs_of(models: Sequence[str]) -> list[tuple[str, str]]:
    """Every two models, the earlier of the study first."""
    return list(combinations(models, 2))


CHANCE = ("method", *PAIR, *OF_PAIRS[2:])
"""Of what other images give, in order."""
