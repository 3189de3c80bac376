"""How far the methods agree with each other on one image and class."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from xai_assets.attribution.binarisation import density
from xai_assets.attribution.maps import AttributionMap
from xai_assets.evaluation.cases import check_case, check_shape
from xai_assets.evaluation.overlap import dice, expected_iou, iou
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
        One row a pair, COLUMNS, pairs in the order given. IoU, chance, Dice and rank correlation are None
        for a pair in which a map is constant or not finite: excluded from means and counted, never taken for
        0.

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
                "dice": dice(mask_a, mask_b) if says else None,
                "density_a": p,
                "density_b": q,
                "rank_correlation": rank_correlation(a.values, b.values) if says else None,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))
