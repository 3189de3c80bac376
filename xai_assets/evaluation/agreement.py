"""How far the methods agree with each other on one image and class."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from xai_assets.attribution.binarisation import density
from xai_assets.attribution.maps import AttributionMap
from xai_assets.evaluation.cases import check_case, check_shape
from xai_assets.evaluation.equal_area import iou_at_area, sweep
from xai_assets.evaluation.overlap import dice, expected_iou, iou, max_attainable
from xai_assets.evaluation.ranking import rank_correlation

COLUMNS = (
    "image_id",
    "target_index",
    "target_name",
    "method_a",
    "method_b",
    "policy",
    "iou",
    "chance_iou",
    "attainable_iou",
    "iou_matched",
    "chance_iou_matched",
    "dice",
    "density_a",
    "density_b",
    "rank_correlation",
)
"""Of the table, in order."""


def agreement_table(explained: Sequence[tuple[AttributionMap, np.ndarray]], *, policy: str) -> pd.DataFrame:
    """Every pair of methods on one image and class.

    Args:
        explained: maps with their masks (h w bool), all of one image, class and frame.
        policy: the name of the binarisation policy that made the masks.

    Returns:
        One row a pair, COLUMNS, pairs in the order given. `iou_matched` is of both maps' highest pixels, as many as the
        smaller mask has; `attainable_iou` the most that masks of these sizes can have. All but the densities are None
        for a pair in which a map is constant or not finite: excluded from means and counted, never taken for 0.

    Raises:
        EvaluationError: maps of different images, classes or frames; a mask of another shape.
    """
    if not explained:
        return pd.DataFrame(columns=list(COLUMNS))
    first = check_case([found for found, _ in explained])
    rows = []
    for (a, mask_a), (b, mask_b) in combinations(explained, 2):
        check_shape(a.values, mask_a, mask_b)
        p, q = density(mask_a), density(mask_b)
        says = a.usable and b.usable
        rows.append(
            {
                "image_id": first.image_id,
                "target_index": first.target,
                "target_name": first.target_name,
                "method_a": a.method,
                "method_b": b.method,
                "policy": policy,
                "iou": iou(mask_a, mask_b) if says else None,
                "chance_iou": expected_iou(p, q) if says else None,
                "attainable_iou": max_attainable(p, q) if says else None,
                "iou_matched": iou_at_area(a.values, b.values, min(p, q)) if says else None,
                "chance_iou_matched": expected_iou(min(p, q), min(p, q)) if says else None,
                "dice": dice(mask_a, mask_b) if says else None,
                "density_a": p,
                "density_b": q,
                "rank_correlation": rank_correlation(a.values, b.values) if says else None,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


SWEEP_COLUMNS = (
    "image_id", "target_index", "target_name", "method_a", "method_b", "area", "iou", "chance_iou",
)  # fmt: skip
"""Of the sweep, in order."""


def agreement_sweep(maps: Sequence[AttributionMap]) -> pd.DataFrame:
    """IoU of every pair's highest pixels at equal areas, see `equal_area.sweep`.

    Args:
        maps: all of one image, class and frame; those that are constant or not finite are left out.

    Returns:
        One row a pair and area, SWEEP_COLUMNS.

    Raises:
        EvaluationError: maps of different images, classes or frames.
    """
    if not maps:
        return pd.DataFrame(columns=list(SWEEP_COLUMNS))
    first = check_case(maps)
    rows = [
        {
            "image_id": first.image_id,
            "target_index": first.target,
            "target_name": first.target_name,
            "method_a": a.method,
            "method_b": b.method,
            **point,
        }
        for a, b in combinations([found for found in maps if found.usable], 2)
        for point in sweep(a.values, b.values)
    ]
    return pd.DataFrame(rows, columns=list(SWEEP_COLUMNS))
