"""What the methods and metrics are: the formula as it is computed here, and its source."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xai_assets.evaluation.metrics import METRICS


@dataclass(frozen=True)
class Definition:
    """A term, what it is, its formula (may be empty), and where it comes from."""

    term: str
    text: str
    formula: str
    source: str


def _metric(key: str, text: str) -> Definition:
    """A metric as its declared record defines it, after a sentence that says what it is."""
    metric = METRICS[key]
    return Definition(metric.title, f"{text} By chance: {metric.chance}.", metric.formula, metric.source)


DEFINITIONS: dict[str, Definition] = {
    "gradcam": Definition(
        "Grad-CAM",
        "The target layer's channels, weighted by the mean gradient of the class's score, summed and rectified.",
        "ReLU(Σ w(k) A(k)),  w(k) = mean over x, y of ∂s / ∂A(k, x, y)",
        "Selvaraju et al. 2017, as in pytorch-grad-cam",
    ),
    "ablationcam": Definition(
        "AblationCAM",
        "As Grad-CAM, with each channel weighted by how far the class's score falls when the channel is put out.",
        "w(k) = (s − s(k)) / s,  s(k): the score without channel k;  denominator: magnitude divides by |s|",
        "Ramaswamy & Desai 2020, as in pytorch-grad-cam",
    ),
    "scorecam": Definition(
        "ScoreCAM",
        "As Grad-CAM, with each channel weighted by the class's score for the image seen through that channel. In fast "
        "mode some channels are scored, and the scores of the others predicted.",
        "w(k) = softmax over k of s(x · up(A(k))),  up: enlarged and scaled to 0..1;  weighting: increase takes "
        "p(x · up(A(k))) − p(0)",
        "Wang et al. 2020, as in pytorch-grad-cam",
    ),
    "hirescam": Definition(
        "HiResCAM",
        "The target layer's channels times the gradient of the class's score, place by place, summed and rectified.",
        "ReLU(Σ ∂s/∂A(k, x, y) · A(k, x, y))",
        "Draelos & Carin 2020, as in pytorch-grad-cam",
    ),
    "gradcampp": Definition(
        "Grad-CAM++",
        "As Grad-CAM, with positive gradients only, each weighted so that every place that speaks for the class counts.",
        "w(k) = Σ α(k, x, y) · ReLU(g),  g = ∂s / ∂A(k, x, y),  α = g² / (2 g² + g³ Σ A(k))",
        "Chattopadhyay et al. 2018, as in pytorch-grad-cam",
    ),
    "xgradcam": Definition(
        "XGradCAM",
        "As Grad-CAM, with gradients averaged by how active the channel is in each place.",
        "w(k) = Σ g(x, y) · A(k, x, y) / Σ A(k)",
        "Fu et al. 2020, as in pytorch-grad-cam",
    ),
    "layercam": Definition(
        "LayerCAM",
        "As HiResCAM, with positive gradients only.",
        "ReLU(Σ ReLU(∂s/∂A(k, x, y)) · A(k, x, y))",
        "Jiang et al. 2021, as in pytorch-grad-cam",
    ),
    "eigencam": Definition(
        "EigenCAM",
        "The first principal component of the target layer's activations. It knows no class: it is a map of what stands "
        "out to the network.",
        "ReLU(A v),  v: the first right singular vector of the centred activations",
        "Muhammad & Yeasin 2020, as in pytorch-grad-cam",
    ),
    "lime": Definition(
        "LIME",
        "A linear surrogate of the class's probability on copies of the image with superpixels hidden, fitted near the "
        "image. R² says how well it fits; weights of a surrogate that does not fit mean little.",
        "argmin over w of Σ π(z) (f(z) − w·z)² + ridge,  π(z) = √exp(−d(z)² / kernel²)",
        "Ribeiro et al. 2016, as in lime.lime_image",
    ),
    "external": Definition(
        "External maps",
        "Maps that another tool made, read from files. They are measured as the maps that are made here, on the same "
        "images, classes and pixels; what needs the map to be made again (robustness) is not asked of them.",
        "",
        "",
    ),
    "mask": Definition(
        "Mask",
        "The pixels of a map, scaled to 0..1 over its own range, that the named binarisation policy keeps.",
        "",
        "",
    ),
    "iou": _metric(
        "iou",
        "Intersection over union of two masks. Two masks of half the image, of pixels that are scattered independently, "
        "have 0.33; smooth masks in the middle of their images have more, so that chance is measured from other images.",
    ),
    "iou_matched": _metric(
        "iou_matched", "The map cut to exactly the truth’s area, so that a mask’s size does not matter."
    ),
    "dice": _metric("dice", "Twice the intersection over the sum of the two areas."),
    "rank_correlation": _metric(
        "rank_correlation", "Whether two maps put the pixels in the same order; no threshold."
    ),
    "average_precision": _metric(
        "average_precision", "The true mask’s pixels as positives, the map’s values as scores; no threshold."
    ),
    "pointing": _metric("pointing", "Whether the map’s largest value lies in the true mask."),
    "energy": _metric("energy", "The share of the map’s positive mass that lies inside the true mask."),
    "difference": Definition(
        "One class rather than another",
        "The map of a wrong answer and an expected class together: every method is asked about the difference of the two "
        "logits, which is the log-odds of the two classes; what speaks for both cancels. LIME fits it as it is. "
        "Faithfulness is measured on the probability of the predicted class if it has to be one of the two. No mask is "
        "its ground truth, so it is not localised; agreement and robustness are not measured of it.",
        "z(a) − z(b) = log(p(a) / p(b));  faithfulness: p(a) / (p(a) + p(b))",
        "Prabhushankar et al. 2020; Yin & Neubig 2022",
    ),
    "controls": Definition(
        "Controls",
        "Maps that never look at the model: a centre prior, the picture's edges (Sobel), smooth noise, and all ones, "
        "which says nothing, as chance does. A method that does not beat them shows nothing of the model that they do "
        "not show without it. Where the truth is known, the oracle stands beside them: the true mask as a map.",
        "",
        "after Adebayo et al. 2018",
    ),
    "interval": Definition(
        "Interval",
        "95% interval of a number over images; the classes of one image are averaged first, and a difference is taken "
        "within each image. Of units, the word is the observation. A mean has a t interval corrected for skewness, a "
        "proportion the exact interval of Clopper and Pearson, a ratio Fieller’s, a mean over words the jackknife’s. In "
        "simulations with 10 and 12 images they cover about as often as they say, and for strongly skewed values "
        "(lognormal) about 9 times in 10; with 5 such values, 8 to 9 times in 10. Fewer than 5 values, and values that "
        "are all equal, have no interval. An interval decides nothing here: see Decision.",
        "",
        "Hall 1992, doi:10.1111/j.2517-6161.1992.tb01876.x; Clopper & Pearson 1934, doi:10.1093/biomet/26.4.404; Fieller "
        "1954; Bell & McCaffrey 2002; Korn & Graubard 1998",
    ),
    "decision": Definition(
        "Decision",
        "Whether something is above what it is compared with: yes, no, or it cannot be told. Decided by an exact test "
        "on images: signs of the images’ differences are flipped, or images are paired anew where the comparison is "
        "with other images. The questions of one family are corrected together, and one is decided where the corrected "
        "p is below 0.05. What cannot be told is neither a failure nor a sign that there is no difference.",
        "2 / 2ⁿ is the smallest p that n images can have by flipping signs, 1 / n! by pairing anew",
        "Fisher 1935; Holm 1979",
    ),
    "netdissect": Definition(
        "NetDissect",
        "A unit's activation map, cut at its threshold over the probe set, against each pixel label. A unit is a "
        "detector of the label with the largest IoU where that IoU passes the study's minimum.",
        "IoU = |M ∩ L| / |M ∪ L| over the whole probe set",
        "Bau et al. 2017",
    ),
    "clip_dissect": Definition(
        "CLIP-Dissect",
        "The word of a list whose similarity to the probe images, under an image-text encoder, fits the unit's most "
        "activating images best, by soft weighted pointwise mutual information. It names a word for every unit.",
        "log p(X|c) − λ log mean over units of p(X′|c),  log p(X|c) = Σ over x in X of log(1 + p(x) (P(c|x) − 1))",
        "Oikarinen & Weng 2023, soft-WPMI as in the authors’ code",
    ),
    "beyond_chance": Definition(
        "Beyond chance",
        "A unit's best score is held against the best scores that the same images give in random orders. The share of "
        "orders that do as well is its p-value; q is the smallest rate of false discoveries at which the unit would "
        "be called, over the active units of its layer. A unit with q below 0.05 has to stand out as well, at the same "
        "rate, from the units of networks with shuffled weights: a random filter is a texture filter of sorts, and only "
        "such networks say what training has to do with it. And its layer has to have more such units than each of these "
        "networks has against all the others: the network is the observation, so that fewer than 20 of them decide "
        "nothing. Of units beyond chance about one in twenty may still be a chance finding. Neither tells that the "
        "network needs the unit.",
        "p = (1 + orders as good) / (1 + orders); of a layer: (1 + networks with as many units) / (1 + networks)",
        "Phipson & Smyth 2010; Benjamini & Hochberg 1995; shuffled weights after Adebayo et al. 2018",
    ),
    "presence": Definition(
        "Truly present",
        "The share of a unit's most activating images whose labels contain the word that CLIP-Dissect gave it. The word "
        "was chosen by these same images, so that it is there more often than in any images (the base rate). By chance: "
        "the same share for words that are chosen for the images in another order, of all units together, and looked for "
        "in these. Above chance: p of these permutations below 0.05 (Holm over layers), and above all networks with "
        "shuffled weights.",
        "p = 2 (1 + orders with as many) / (1 + orders)",
        "Phipson & Smyth 2010",
    ),
    "jaccard": Definition(
        "Jaccard index",
        "Concepts that both models have units for, of those that either has.",
        "|A ∩ B| / |A ∪ B|",
        "Jaccard 1912",
    ),
    "dead": Definition(
        "Dead unit", "A unit that never fires on the probe set; it stands for no concept.", "", ""
    ),
}

_SAYS = {
    "insertion_auc": "How soon the class comes back as pixels are put back, the map's most relevant first.",
    "deletion_auc": "How long the class stays as pixels are taken away, the map's most relevant first.",
    "srg": "How much longer the class stays when the least relevant pixels go first than when the most relevant do.",
    "road": "The same, with each pixel that goes replaced by what its neighbours say, and a little noise.",
    "average_drop": "How much of the class's probability is lost when the image is dimmed by the map.",
    "increase_in_confidence": "How often the class becomes more probable when the image is dimmed by the map.",
    "max_sensitivity": "How far the map moves, of its own length, when the image moves by less than can be seen.",
    "noise_floor": "How far the map moves when nothing does.",
    "redrawn": "How far the map would move if it were drawn anew. Max-sensitivity is shown as a share of it.",
    "lime_vsi": "How far LIME's surrogates under two seeds choose the same superpixels.",
    "lime_csi": "How far LIME's surrogates under two seeds give a superpixel the same weight.",
    "lime_seed_iou": "How far LIME's masks under two seeds overlap.",
    "randomisation_similarity": "How far the map is still the same when the network's weights are shuffled.",
}
MODEL_MEASURES = tuple(_SAYS)
"""The measures that ask the model: faithfulness, then robustness."""

DEFINITIONS["grounding"] = _metric(
    "grounding",
    "How far a map lies on what truly lowers the class’s probability when it is removed or changed: its energy there "
    "beyond the share of the frame.",
)
DEFINITIONS["trial"] = Definition(
    "Trial of a metric",
    "Of a drawn world it is known where the object is, and what the probability does when a part is removed. A metric "
    "has to put the oracle above a random map and above all ones, and is held against grounding by rank correlation "
    "over the maps of each image. Metrics that are measured against that very object are not asked: they would pass "
    "with maps of noise.",
    "",
    "sanity checks for metrics after Tomsett et al. 2020 and Adebayo et al. 2018",
)
TRIAL_TERMS = ("trial", "grounding")
"""What the chapter on the metrics themselves needs."""

DEFINITIONS["recall"] = Definition(
    "Recall and precision",
    "Recall: the share of a class’s images that get this class as the answer. Precision: the share of the images with "
    "this answer that have the class as their label. Images with several labels count in the accuracy alone.",
    "recall = right / images with the label,  precision = right / images with the answer",
    "",
)
DEFINITIONS["ece"] = Definition(
    "Calibration error (ECE)",
    "The answers are put into 15 bins of equal width by their probability; the error is the mean over images of the "
    "distance between a bin’s share of right answers and its mean probability. It is above 0 for a calibrated model as "
    "well, the more the fewer images a bin has: so it is compared with 4,999 simulations of a model that is right "
    "exactly as often as its probabilities say.",
    "ECE = Σ (n(b) / n) · |right(b) − probability(b)|",
    "Guo et al. 2017, arXiv:1706.04599; Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602",
)
DEFINITIONS["sample"] = Definition(
    "Explained failures",
    "Where a study explains a sample, it has the surest wrong answers of each confused pair, beside each a right answer "
    "of the same class with the nearest probability, and images drawn from all, which alone stand for all images.",
    "",
    "",
)
DEFINITIONS["suspected"] = Definition(
    "Suspected label",
    "A label that is more probably wrong than right. Two explanations of the labels are weighed: the model errs as often "
    "as its probabilities say once a temperature is fitted, or a share of the labels was exchanged as well. Whether "
    "labels are wrong at all is decided by their likelihood ratio, against labels drawn from the model’s own "
    "probabilities; each label then has a probability of being wrong by Bayes’ rule.",
    "",
    "after Northcutt et al. 2021, doi:10.1613/jair.1.12125; Guo et al. 2017, arXiv:1706.04599",
)
DEFINITIONS["evidence"] = Definition(
    "Place of the evidence",
    "The share of a map’s positive values on the object’s mask, in the ring of the nearest pixels around it (as many as "
    "the object has), and elsewhere. By chance: what the same method’s maps of other images have in the same region.",
    "",
    "",
)
DEFINITIONS |= {key: _metric(key, text) for key, text in _SAYS.items()}


def definitions(keys: Sequence[str]) -> list[dict[str, Any]]:
    """The definitions of `keys`, in that order, as plain values, each with its `key`."""
    return [{"key": key} | asdict(DEFINITIONS[key]) for key in keys]
