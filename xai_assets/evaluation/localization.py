"""Where a map points, against where the thing truly is: each number with its chance level."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise, density
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.scaling import is_constant
from xai_assets.evaluation.cases import check_case, check_shape
from xai_assets.evaluation.comparison import SCATTERED, TRUTH, in_long_form
from xai_assets.evaluation.controls import ONES, ORACLE, every_control
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.overlap import expected_iou, iou
from xai_assets.evaluation.ranking import average_precision, energy_in_mask, matched_iou, pointing_game
from xai_assets.vision.geometry import Frame

COLUMNS = (
    "image_id",
    "target_index",
    "target_name",
    "truth",
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

MEASURES = COLUMNS[7:]

OBJECT = "object"
"""The truth that every headline is about: the explained object."""

TRUTHS = ("part", OBJECT, "all_objects")
"""Truths that lie in one another: the part that decides the class, the explained object, every target of the image."""


def of_object(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a localisation table that are about the explained object; tables of older runs have no others."""
    return table[table["truth"] == OBJECT] if "truth" in table else table


METRICS_OF: dict[str, tuple[str | None, str]] = {
    "iou": ("policy", "chance_iou"),
    "iou_matched": (None, "chance_ap"),
    "average_precision": (None, "chance_ap"),
    "pointing": (None, "chance_pointing"),
    "energy": (None, "chance_energy"),
}
"""The metrics of the table, with the column that says the variant of each, and that of what scattered pixels give."""


def localization_values(table: pd.DataFrame) -> pd.DataFrame:
    """The table of localisation as `comparison.LONG`, with each value's truth and what scattered pixels give."""
    parts = []
    for metric, (variant, scattered) in METRICS_OF.items():
        part = in_long_form(table, {metric: variant})
        given = table[scattered].astype("float64").to_numpy()
        # Two masks of density d that are scattered: d / (2 - d).
        part[SCATTERED] = given / (2 - given) if metric == "iou_matched" else given
        part[TRUTH] = table["truth"].to_numpy() if "truth" in table else OBJECT
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def localize(values: np.ndarray, mask: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """Every measure, with chance, of a map (h w, raw) and its mask (h w bool) against a true mask (h w bool).

    All are None when the truth is empty (there is nothing to find), and when the map is constant or not
    finite (there is nothing said): such cases are excluded from means and counted, never taken for 0.
    """
    check_shape(values, mask, truth)
    if not truth.any() or is_constant(values) or not np.isfinite(values).all():
        return dict.fromkeys(MEASURES)
    return _measures(values, mask, truth)


def _measures(values: np.ndarray, mask: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
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
    truths: Mapping[str, np.ndarray],
    *,
    view: np.ndarray,
    policy: BinarisationPolicy,
    seed: int = 0,
    truth_frame: Frame | None = None,
) -> pd.DataFrame:
    """The methods' maps of one image and class, and the controls, against what is true of it.

    The control ONES is one everywhere, and its mask the whole frame: it scores the truth's density in IoU, average
    precision and energy, and in the pointing game, where every pixel is highest, as often as a random pixel would.
    ORACLE is the truth itself as a map and as its own mask.

    Args:
        explained: maps with their masks (h w bool), all of one image, class and frame.
        truths: by name (of TRUTHS), h w bool, in the maps' frame; OBJECT has to be among them.
        view: h w 3 uint8, what the model saw, for the controls.
        policy: how the controls' masks are made; the methods' masks should have been made by the same.
        seed: of the random control.
        truth_frame: the frame that the truths were cropped to, where it is known: it must be that of the maps, for
            masks of one shape may show different places.

    Returns:
        One row a truth and map or control, COLUMNS; what could not be measured is None, as `localize` says. A truth of
        which nothing is seen has rows without values, and no oracle.

    Raises:
        EvaluationError: maps of different images, classes or frames; a mask, truth or view of another shape; no OBJECT.
    """
    if not explained:
        return pd.DataFrame(columns=list(COLUMNS))
    first = check_case([found for found, _ in explained])
    if OBJECT not in truths:
        raise EvaluationError(f"the truths of {first.image_id}", f"lack {OBJECT}", "Give the object's mask.")
    check_shape(first.values, view[..., 0], *truths.values())
    if truth_frame is not None and truth_frame != first.frame:
        raise EvaluationError(
            f"the maps and the true mask of {first.image_id}",
            f"lie in different frames: {first.frame} and {truth_frame}",
            "Crop the true mask by the maps' frame (Frame.crop_mask).",
        )
    given = [(found.method, False, found.values, mask) for found, mask in explained]
    for name, values in every_control(view, None, seed=seed, image_id=first.image_id).items():
        # Nothing stands out of what is the same everywhere, so that the policy would cut it to no pixel.
        mask = values > 0 if name == ONES else binarise(values, policy, reference=truths[OBJECT])[0]
        given.append((name, True, values, mask))
    rows = []
    for name, truth in truths.items():
        rows += [
            _row(first, name, method, is_control, policy, _of(method, values, mask, truth))
            for method, is_control, values, mask in given
        ]
        if truth.any():
            oracle = _measures(truth.astype(np.float32), truth, truth)
            rows.append(_row(first, name, ORACLE, True, policy, oracle))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _of(method: str, values: np.ndarray, mask: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """As `localize`; ONES is constant by intent, and is measured."""
    return (_measures if method == ONES and truth.any() else localize)(values, mask, truth)


def _row(
    case: AttributionMap,
    truth: str,
    method: str,
    is_control: bool,
    policy: BinarisationPolicy,
    measures: dict[str, float | None],
) -> dict[str, Any]:
    return {
        "image_id": case.image_id,
        "target_index": case.target,
        "target_name": case.target_name,
        "truth": truth,
        "method": method,
        "is_control": is_control,
        "policy": policy.policy,
        **measures,
    }
