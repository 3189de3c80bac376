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
        kind: `share` where a value is mostly 0 or 1, so that its mean has the interval of a proportion.
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
    kind: Literal["mean", "share"] = "mean"

    @property
    def bounds(self) -> tuple[float, float]:
        """The smallest and the largest possible value."""
        return self.low, self.high

    @property
    def difference_bounds(self) -> tuple[float, float]:
        """The same of a difference of two values."""
        return self.low - self.high, self.high - self.low


_ALL = (
    Metric(
        "iou", "IoU", "", 0, 1, "higher",
        "what masks of other images give; of scattered pixels pq / (p + q − pq) for densities p and q", "chance_iou",
        "|A ∩ B| / |A ∪ B|", "Jaccard (1912), at the stated binarisation",
    ),
    Metric(
        "dice", "Dice", "", 0, 1, "higher",
        "what masks of other images give; of scattered pixels 2 c / (1 + c) where c is that of the IoU", None,
        "2 |A ∩ B| / (|A| + |B|)", "Dice (1945), at the stated binarisation",
    ),
    Metric(
        "rank_correlation", "Rank correlation", "", -1, 1, "higher",
        "what maps of other images give; 0 for scattered pixels", None,
        "Pearson correlation of the pixels' ranks, ties at their mean rank", "Spearman (1904)",
    ),
    Metric(
        "iou_matched", "IoU at matched area", "", 0, 1, "higher",
        "what maps of other images give; of scattered pixels d / (2 − d) where d is the truth's density", None,
        "IoU of the truth and as many of the map's highest pixels; tied pixels count in part",
        "threshold-free variant of the IoU",
    ),
    Metric(
        "average_precision", "Pixel average precision", "", 0, 1, "higher",
        "what maps of other images give; of scattered pixels the truth's density", "chance_ap",
        "Σ (R_k − R_k−1) P_k over the map's distinct values from the highest",
        "step-wise, as scikit-learn's average_precision_score",
    ),
    Metric(
        "pointing", "Pointing game", "", 0, 1, "higher",
        "what maps of other images give; of scattered pixels the truth's density", "chance_pointing",
        "1 if the map's highest pixel lies in the truth; of several highest, the share that does",
        "Zhang et al. (2016), without their 15-pixel tolerance", "share",
    ),
    Metric(
        "energy", "Energy in the mask", "", 0, 1, "higher",
        "what maps of other images give; of scattered pixels the truth's density", "chance_energy",
        "Σ max(map, 0) inside the truth / Σ max(map, 0)",
        "energy-based pointing game, Wang et al. (2020), on the raw map",
    ),
    Metric(
        "density", "Mask density", "", 0, 1, "none",
        "none: it is what chance levels are made of", None,
        "pixels in the mask / pixels in the frame", "-",
    ),
    Metric(
        "insertion_auc", "Insertion AUC", "", 0, 1, "higher",
        "that of the random control", None,
        "area under the probability as pixels are put back on the baseline, most relevant first",
        "Petsiuk et al. (2018), on baselines `blur` and `mean`; the LeRF curve read from the right",
    ),
    Metric(
        "deletion_auc", "Deletion AUC", "", 0, 1, "lower",
        "that of the random control", None,
        "area under the probability as pixels are replaced by the baseline, most relevant first",
        "Petsiuk et al. (2018), on baselines `blur` and `mean`; the MoRF curve of Samek et al. (2017)",
    ),
    Metric(
        "srg", "Symmetric relevance gain", "", -1, 1, "higher",
        "0: the expectation of a random order, for every model and baseline", None,
        "area under LeRF − area under MoRF = insertion AUC − deletion AUC, one baseline",
        "Bluecher et al. (2024), on the softmax probability",
    ),
    Metric(
        "road", "ROAD", "", -1, 1, "higher",
        "0: the expectation of a random order", None,
        "mean over the shares removed of the probability under LeRF − under MoRF, noisy linear imputation",
        "Rong et al. (2022), one image's probability in place of accuracy; twice grad-cam's ROADCombined",
    ),
    Metric(
        "average_drop", "Average drop", "", 0, 1, "lower",
        "none: a map that hides nothing has 0; read it beside the controls", None,
        "max(0, p(image) − p(image · scaled map)) / p(image)",
        "Chattopadhyay et al. (2018), as a share; the normalised input is multiplied, as in grad-cam",
    ),
    Metric(
        "increase_in_confidence", "Increase in confidence", "", 0, 1, "higher",
        "none: read it beside the controls", None,
        "1 if p(image · scaled map) > p(image), by more than rounding, else 0",
        "Chattopadhyay et al. (2018), as a share", "share",
    ),
    Metric(
        "grounding", "Grounding", "", -1, 1, "higher",
        "0 for a map that is the same everywhere, and in the mean for maps drawn at random", None,
        "Σ fall(c) (energy(c) − area(c)) / Σ fall(c) over the changes c of the picture that lower the probability",
        "energy-based pointing game on counterfactual pairs; what metrics of faithfulness are tried against",
    ),
    Metric(
        "max_sensitivity", "Max-sensitivity", "", 0, float("inf"), "lower",
        "none: a map that looks at nothing has 0; below the noise floor nothing can be told", "noise_floor",
        "max over noise δ, |δ| ≤ radius, of ‖map(view + δ) − map(view)‖ / ‖map(view)‖",
        "Yeh et al. (2019), Monte Carlo, relative to the map's norm, offset included, as in captum: no ranking",
    ),
    Metric(
        "noise_floor", "Noise floor", "", 0, float("inf"), "lower",
        "0 for a method without chance in it", None,
        "the same with δ = 0 and other seeds of the method",
        "what max-sensitivity cannot tell from the method's own chance",
    ),
    Metric(
        "redrawn", "Drawn anew", "", 0, float("inf"), "none",
        "none: it is what max-sensitivity is held against", None,
        "mean over maps of other images, at this map's mean and spread, of ‖other − map‖ / ‖map‖",
        "the change of a map that is drawn anew, with the norm and offset of max-sensitivity",
    ),
    Metric(
        "lime_vsi", "Variables stability index", "", 0, 1, "higher",
        "features / superpixels, for features drawn at random", "chance",
        "mean over pairs of seeds of |top features in common| / features",
        "Visani et al. (2022), as a share; features are the superpixels of largest absolute weight",
    ),
    Metric(
        "lime_csi", "Coefficients stability index", "", 0, 1, "higher",
        "none: wide intervals overlap, so that it is high where nothing is known", None,
        "mean over features of the share of pairs of seeds whose 95 % intervals of the coefficient overlap",
        "Visani et al. (2022), as a share; a feature counts where both seeds chose it",
    ),
    Metric(
        "lime_seed_iou", "Mask IoU between seeds", "", 0, 1, "higher",
        "pq / (p + q − pq) for independent masks of densities p and q", "chance",
        "mean over pairs of seeds of the IoU of the masks", "Jaccard (1912), at the study's binarisation",
    ),
    Metric(
        "randomisation_similarity", "Similarity under randomisation", "", -1, 1, "none",
        "the 95 % quantile of the absolute correlation with smooth noise", "chance",
        "Spearman correlation of the maps of the trained network and of one whose last layers are randomised",
        "Adebayo et al. (2018), cascading, weights shuffled in their tensors; a sanity check, never a ranking",
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {metric.key: metric for metric in _ALL}
"""By the column that holds them."""

AGAINST_TRUTH = frozenset({"iou", "iou_matched", "average_precision", "pointing", "energy"})
"""Metrics that compare a map with the ground-truth mask: a trial that uses that mask, or a part of it, proves nothing."""
