"""Where a map points, against where the thing truly is: each number with its chance level."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise, density
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.scaling import is_constant
from xai_assets.evaluation.cases import check_case, check_shape
from xai_assets.evaluation.controls import CONTROLS, control
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.overlap import expected_iou, iou
from xai_assets.evaluation.ranking import average_precision, energy_in_mask, matched_iou, pointing_game
from xai_assets.vision.geometry import Frame

COLUMNS = (
    "image_id",
    "target_index",
    "target_name",
    "method",
    "is_control",
    "policy",
    "iou",
    "chance_iou",
    "iou_matched",
    "average_precision",
    "chance_ap",
    "pointing",
    "chance_pointing",
    "energy",
    "chance_energy",
)
"""Of the table, in order."""

MEASURES = COLUMNS[6:]


def localize(values: np.ndarray, mask: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """Every measure, with chance, of a map (h w, raw) and its mask (h w bool) against a true mask (h w bool).

    All are None when the truth is empty (there is nothing to find), and when the map is constant or not
    finite (there is nothing said): such cases are excluded from means and counted, never taken for 0.
    """
    check_shape(values, mask, truth)
    if not truth.any() or is_constant(values) or not np.isfinite(values).all():
        return dict.fromkeys(MEASURES)
    share = density(truth)
    return {
        "iou": iou(mask, truth),
        "chance_iou": expected_iou(density(mask), share),
        "iou_matched": matched_iou(values, truth),
        "average_precision": average_precision(values, truth),
        "chance_ap": share,
        "pointing": pointing_game(values, truth),
        "chance_pointing": share,
        "energy": energy_in_mask(values, truth),
        "chance_energy": share,
    }


def localization_table(
    explained: Sequence[tuple[AttributionMap, np.ndarray]],
    truth: np.ndarray,
    *,
    view: np.ndarray,
    policy: BinarisationPolicy,
    seed: int = 0,
    truth_frame: Frame | None = None,
) -> pd.DataFrame:
    """The methods' maps of one image and class, and the controls, against the truth.

    Args:
        explained: maps with their masks (h w bool), all of one image, class and frame.
        truth: h w bool, in the maps' frame.
        view: h w 3 uint8, what the model saw, for the controls.
        policy: how the controls' masks are made; the methods' masks should have been made by the same.
        seed: of the random control.
        truth_frame: the frame that the truth was cropped to, where it is known: it must be that of the maps, for
            masks of one shape may show different places.

    Returns:
        One row a map and control, COLUMNS; what could not be measured is None, as `localize` says.

    Raises:
        EvaluationError: maps of different images, classes or frames; a mask, truth or view of another shape.
    """
    if not explained:
        return pd.DataFrame(columns=list(COLUMNS))
    first = check_case([found for found, _ in explained])
    check_shape(first.values, truth, view[..., 0])
    if truth_frame is not None and truth_frame != first.frame:
        raise EvaluationError(
            f"the maps and the true mask of {first.image_id}",
            f"lie in different frames: {first.frame} and {truth_frame}",
            "Crop the true mask by the maps' frame (Frame.crop_mask).",
        )
    rows = [
        _row(first, found.method, False, policy, localize(found.values, mask, truth))
        for found, mask in explained
    ]
    for name in CONTROLS:
        values = control(name, view, seed=seed, image_id=first.image_id)
        mask, _ = binarise(values, policy, reference=truth)
        rows.append(_row(first, name, True, policy, localize(values, mask, truth)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(
    case: AttributionMap,
    method: str,
    is_control: bool,
    policy: BinarisationPolicy,
    measures: dict[str, float | None],
) -> dict[str, Any]:
    return {
        "image_id": case.image_id,
        "target_index": case.target,
        "target_name": case.target_name,
        "method": method,
        "is_control": is_control,
        "policy": policy.policy,
        **measures,
    }
