"""One declared record a metric: headers, database comments, plots and the glossary are made from it."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """What a number is.

    Attributes:
        key: the column that holds it.
        title: for a table's head.
        unit: empty for a plain ratio.
        low: the smallest possible value.
        high: the largest possible value.
        direction: which way is better; `none` where neither is.
        chance: the level that knowing nothing gives, in words.
        chance_key: the column that holds it; None where it is one number for all.
        formula: as code or mathematics in one line.
        source: paper, and the variant where there are several.
    """

    key: str
    title: str
    unit: str
    low: float
    high: float
    direction: Literal["higher", "lower", "none"]
    chance: str
    chance_key: str | None
    formula: str
    source: str


_ALL = (
    Metric(
        "iou", "IoU", "", 0, 1, "higher",
        "pq / (p + q - pq) for independent masks of densities p and q", "chance_iou",
        "|A ∩ B| / |A ∪ B|", "Jaccard (1912), at the stated binarisation",
    ),
    Metric(
        "dice", "Dice", "", 0, 1, "higher",
        "2 c / (1 + c) where c is the chance level of the IoU", None,
        "2 |A ∩ B| / (|A| + |B|)", "Dice (1945), at the stated binarisation",
    ),
    Metric(
        "rank_correlation", "Rank correlation", "", -1, 1, "higher",
        "0 for independent maps; smooth maps of one image scatter widely about it", None,
        "Pearson correlation of the pixels' ranks, ties at their mean rank", "Spearman (1904)",
    ),
    Metric(
        "iou_matched", "IoU at matched area", "", 0, 1, "higher",
        "d / (2 - d) where d is the truth's density", None,
        "IoU of the truth and as many of the map's highest pixels; tied pixels count in part",
        "threshold-free variant of the IoU",
    ),
    Metric(
        "average_precision", "Pixel average precision", "", 0, 1, "higher",
        "the truth's density", "chance_ap",
        "Σ (R_k − R_k−1) P_k over the map's distinct values from the highest",
        "step-wise, as scikit-learn's average_precision_score",
    ),
    Metric(
        "pointing", "Pointing game", "", 0, 1, "higher",
        "the truth's density", "chance_pointing",
        "1 if the map's highest pixel lies in the truth; of several highest, the share that does",
        "Zhang et al. (2016), without their 15-pixel tolerance",
    ),
    Metric(
        "energy", "Energy in the mask", "", 0, 1, "higher",
        "the truth's density", "chance_energy",
        "Σ max(map, 0) inside the truth / Σ max(map, 0)",
        "energy-based pointing game, Wang et al. (2020), on the raw map",
    ),
    Metric(
        "density", "Mask density", "", 0, 1, "none",
        "none: it is what chance levels are made of", None,
        "pixels in the mask / pixels in the frame", "-",
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}
"""By the column that holds them."""
