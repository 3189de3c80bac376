"""The tables of measures in long form: one row a value, its metric by the key of `xai_assets.evaluation.metrics`."""

from xai_assets.resources.columns import CASE, CONTRAST, Column, Table, flag, real, text, whole
from xai_assets.resources.columns import DECIDED as _DECIDED
from xai_assets.resources.columns import MEAN as _MEAN

_WHO = {
    "method": text("the method, or the control"),
    "is_control": flag("whether it is a control that looks at no model"),
}
_VARIANT = text(
    "which of several: a baseline, the layers randomised, a binarisation policy; NULL where there is one only",
    nullable=True,
)
_WHAT: dict[str, Column] = {"metric": text("the metric, by its key"), "variant": _VARIANT}

_TRUTH = text(
    "which true mask the metric is about: object, part or all_objects; NULL of metrics that are about none",
    nullable=True,
)
_CHANCE = {
    "chance": real(
        "mean over the same images of what the same methods' maps of other images give; NULL for fewer than two",
        nullable=True,
    ),
    "chance_scattered": real(
        "for reference: mean over the same images of what pixels that are scattered over the frame would give",
        nullable=True,
    ),
    "attainable": real("mean of the most that masks of these sizes can have", nullable=True),
}

_PAIR = {
    "method_a": text("the one"),
    "method_b": text("the other; other_images: the same method's maps of other images"),
    "difference": real("mean over images of a's value less b's, where both were measured", nullable=True),
    **_MEAN,
    **_DECIDED,
    "effect": real(
        "rank-biserial correlation of the pairs, -1 to 1: 1 where a is higher on every image",
        nullable=True,
    ),
    "standardised": real("Cohen's d of the differences: mean over standard deviation", nullable=True),
}

METRIC_TABLES: dict[str, Table] = {
    "agreement_summary": Table(
        "one row a pair of methods and metric, and one a pair and area: how far they agree over images, and whether "
        "further than their maps of other images do",
        {
            "method_a": text("first method"),
            "method_b": text("second method"),
            "metric": text("the metric, by its key: iou, iou_matched, dice or rank_correlation"),
            "area": real(
                "iou_matched: share of the frame that each map is cut to; NULL where it is that of the smaller mask, "
                "and for the other metrics",
                nullable=True,
            ),
            "mean": real("over images", nullable=True),
            **_MEAN,
            **_CHANCE,
            "difference": real(
                "mean less chance, over images that have others of their shape", nullable=True
            ),
            "difference_low": real("lower end of its 95 % interval; NULL where there is none", nullable=True),
            "difference_high": real("upper end of the same", nullable=True),
            "difference_interval": text("how that interval was made, or why there is none", nullable=True),
            **_DECIDED,
        },
        key=("metric", "area", "method_a", "method_b"),
    ),
    "faithfulness": Table(
        "one row an image, target class, method or control, metric and baseline",
        {
            **CASE,
            **_WHO,
            "metric": text("the metric, by its key: insertion_auc, deletion_auc, srg, road, average_drop, …"),
            "variant": text(
                "what stands where pixels are removed: blur, mean (the image's mean colour), linear (ROAD's "
                "imputation), or zero (of the normalised input)"
            ),
            "value": real("NULL where the map shows nothing, or the metric is not defined", nullable=True),
            "artifact": text(
                "artifact of kind `faithfulness`: the curves; NULL where there are none", nullable=True
            ),
        },
        key=("image_id", "target_index", "method", "metric", "variant"),
    ),
    "difference_faithfulness": Table(
        "one row an image that is answered wrongly, expected class, method or control, metric and baseline: as "
        "faithfulness, of the probability of the predicted class among the two, p_a / (p_a + p_b)",
        {
            **CASE,
            **CONTRAST,
            **_WHO,
            "metric": text("the metric, by its key: insertion_auc, deletion_auc, srg, road, average_drop, …"),
            "variant": text("what stands where pixels are removed, as in faithfulness"),
            "value": real("NULL where the map shows nothing, or the metric is not defined", nullable=True),
            "artifact": text(
                "artifact of kind `faithfulness`: the curves; NULL where there are none", nullable=True
            ),
        },
        key=("image_id", "target_index", "contrast_index", "method", "metric", "variant"),
    ),
    "difference_summary": Table(
        "one row a metric, variant, and method or control: the mean of difference_faithfulness over images",
        {**_WHAT, **_WHO, "mean": real("over images", nullable=True), **_MEAN},
        key=("metric", "variant", "method"),
    ),
    "difference_tests": Table(
        "one row a metric, variant and pair of difference_faithfulness: two methods, or a method and a control, on the "
        "same images",
        {
            **_WHAT,
            "family": text(
                "methods: all pairs of methods; controls: every method against every control. Holm's correction is over "
                "a metric's and variant's tests of one family"
            ),
            **_PAIR,
        },
        key=("metric", "variant", "family", "method_a", "method_b"),
    ),
    "faithfulness_curves": Table(
        "one row a point of a perturbation curve",
        {
            **CASE,
            **_WHO,
            "baseline": text("blur, mean or linear: what stands where pixels are removed"),
            "pixel_order": text(
                "morf: the most relevant pixels are removed first; lerf: the least relevant. Insertion is lerf from "
                "the right"
            ),
            "fraction": real("share of the pixels that are removed, 0 to 1"),
            "score": real("softmax probability of the target class, 0 to 1"),
        },
        key=("image_id", "target_index", "method", "baseline", "pixel_order", "fraction"),
    ),
    "faithfulness_curve_means": Table(
        "one row a point of a mean perturbation curve",
        {
            **_WHO,
            "baseline": text("blur, mean or linear: what stands where pixels are removed"),
            "pixel_order": text("morf: the most relevant pixels are removed first; lerf: the least relevant"),
            "fraction": real("share of the pixels that are removed, 0 to 1"),
            "mean": real(
                "softmax probability of the target class, 0 to 1, over images; an image's classes are averaged first"
            ),
            **_MEAN,
        },
        key=("method", "baseline", "pixel_order", "fraction"),
    ),
    "robustness": Table(
        "one row an image, target class, method or control, and metric, for the cases that are looked at",
        {
            **CASE,
            **_WHO,
            "metric": text("the metric, by its key: max_sensitivity, noise_floor, redrawn, lime_vsi, …"),
            "variant": text(
                "randomisation_similarity: the layer from which on all are random; else NULL", nullable=True
            ),
            "depth": real(
                "randomisation_similarity: share of the layers that are random, 1 for all", nullable=True
            ),
            "value": real("NULL where it could not be measured, such as of a constant map", nullable=True),
            "chance": real("the level of chance of this row, where it has one", nullable=True),
            "mode": text(
                "fast: both compared maps are ScoreCAM's in fast mode; NULL: as the study's own maps are made",
                nullable=True,
            ),
        },
        key=("image_id", "target_index", "method", "metric", "variant"),
    ),
    "left_out": Table(
        "one row a measure and method of which maps were left out, since the study's budget was used up",
        {
            "measure": text("faithfulness, difference_faithfulness or robustness"),
            "method": text("the method"),
            "maps": whole("maps that were not measured"),
            "asked": whole("maps that the study asks to measure"),
            "reason": text("why: the budget"),
        },
        key=("measure", "method"),
    ),
    "randomisation_veto": Table(
        "one row a method or control: whether its maps outlive the model, which vetoes the method; no ranking",
        {
            **_WHO,
            "similarity": real(
                "mean Spearman correlation of the maps of the trained and the wholly randomised network, over images",
                nullable=True,
            ),
            **_MEAN,
            "above": real("the study's limit"),
            "vetoed": flag(
                "whether the similarity is above it; NULL where no map of the randomised network was alive",
                nullable=True,
            ),
            "alive": whole("maps of the randomised network that are not constant: what the similarity is of"),
            "vanished": whole(
                "maps of the randomised network that are constant, where those of the trained one are not"
            ),
            "constant": whole("maps of the trained network that are constant already"),
        },
        key=("method",),
    ),
    "stability_summary": Table(
        "one row a measure and method or control: how far maps move, as a share of how far maps drawn anew would",
        {
            "measure": text(
                "max_sensitivity: under noise in the image; noise_floor: by the method's own chance"
            ),
            **_WHO,
            "mean": real("the measure, over images that have both", nullable=True),
            "redrawn": real(
                "what maps of other images, at the same mean and spread, would move it", nullable=True
            ),
            "share": real("mean over redrawn: 0 stays, about 1 is drawn anew", nullable=True),
            **_MEAN,
            **_DECIDED,
        },
        key=("measure", "method"),
    ),
    "prediction_summary": Table(
        "one row a model: how often it is right about the study's labelled images, and whether they are of its domain",
        {
            "model": text("the explained model"),
            "images": whole("images that it was asked about"),
            "labelled": whole("those that have a label that the model has"),
            "unknown": whole(
                "those that have labels, none of which the model has: their answer is neither right nor wrong"
            ),
            "correct": whole("those whose most probable class is one of their labels"),
            "unsure": whole("images whose most probable class has a probability of sure_above at most"),
            "sure_above": real("a larger probability is a sure answer"),
            "accuracy": real("correct over labelled, 0 to 1; NULL where none has a label", nullable=True),
            **_MEAN,
            "domain": text("how the images lie to what the model was trained on"),
            "in_domain": flag(
                "whether they can be of its domain; NULL where that is not known", nullable=True
            ),
        },
        key=("model",),
    ),
    "metric_summary": Table(
        "one row a metric, variant, truth, and method or control: the mean over images",
        {**_WHAT, "truth": _TRUTH, **_WHO, "mean": real("over images", nullable=True), **_MEAN, **_CHANCE},
        key=("metric", "variant", "truth", "method"),
    ),
    "metric_tests": Table(
        "one row a metric, variant, truth and pair: two methods, or a method and a control, on the same images, or a "
        "method and what its maps of other images give",
        {
            **_WHAT,
            "truth": _TRUTH,
            "family": text(
                "methods: all pairs of methods; controls: every method against every control; oracle: every method "
                "against the truth itself; chance: every method against other_images, by pairing maps and truths anew. "
                "Holm's correction is over a metric's, variant's and truth's tests of one family"
            ),
            **_PAIR,
        },
        key=("metric", "variant", "truth", "family", "method_a", "method_b"),
    ),
    "metric_trials": Table(
        "one row a metric, variant and trial: whether the metric tells maps apart whose worth is known, in the "
        "embedded world",
        {
            **_WHAT,
            "trial": text(
                "order: one map has to be above another; removed, changed: the metric has to put a case's maps in the "
                "order of how far they lie on what lowers the probability when it is removed, or changed in any way; "
                "placed: a metric of the true mask has to do so better than for the same methods' maps of other images"
            ),
            "over": text("removed, changed: all_maps, controls among them, or methods alone", nullable=True),
            "above": text("order: the map that knows more", nullable=True),
            "below": text("order: the map that knows less", nullable=True),
            "value": real(
                "order: mean over images of the one's value less the other's, turned so that more is better; removed, "
                "changed: mean Spearman correlation over a case's maps, -1 to 1, by chance 0; placed: the same less that "
                "of maps of other images under the same masks",
                nullable=True,
            ),
            **_MEAN,
            **_DECIDED,
        },
        key=("metric", "variant", "trial", "over", "above", "below"),
    ),
    "counterfactual_summary": Table(
        "one row a measure, change of a scene, and method or control: the mean over images",
        {
            "measure": text(
                "fall: of the class's probability; energy: share of the map's positive mass on what the change alters; "
                "energy_that_counts: the same over all changes that lower the probability by 0.1 or more"
            ),
            "change": text("what is changed; NULL for energy_that_counts", nullable=True),
            "method": text("the method, or the control; NULL for fall", nullable=True),
            "is_control": flag(
                "whether it is a control that looks at no model; NULL for fall", nullable=True
            ),
            "mean": real("over images; an image's changes are averaged first", nullable=True),
            **_MEAN,
            "reference": real(
                "what the mean is compared with: 0 for fall; for energy the share of the frame that the change alters, "
                "over the same images, which is the energy of a map that is the same everywhere",
                nullable=True,
            ),
            **_DECIDED,
        },
        key=("measure", "change", "method"),
    ),
    "evidence_place": Table(
        "one row an image whose object is known and method: where the map of the class that the model answers lies",
        {
            **CASE,
            "method": text("the method"),
            "correct": flag(
                "whether the answer is one of the labels; NULL where that is not known", nullable=True
            ),
            "object": real(
                "share of the map's positive values on the object, 0 to 1; NULL of a map without any",
                nullable=True,
            ),
            "context": real(
                "the same of the ring of the nearest pixels around the object, as many as it has",
                nullable=True,
            ),
            "elsewhere": real("the same of the rest; NULL where there is none", nullable=True),
            "object_chance": real(
                "mean share that the same method's maps of other images have there; NULL without another",
                nullable=True,
            ),
            "context_chance": real("the same of the ring", nullable=True),
            "elsewhere_chance": real("the same of the rest", nullable=True),
        },
        key=("image_id", "target_index", "method"),
    ),
    "evidence_tests": Table(
        "one row a question, region and method: what the places of the evidence come to",
        {
            "question": text(
                "chance: is the share above that of the same method's maps of other images? on_object: is it above that "
                "by a tenth of what is left to 1? answers: is it, less chance, larger for right answers than for wrong? "
                "Holm's correction is over the tests of one question"
            ),
            "region": text("object, context (a ring around it) or elsewhere"),
            "method": text("the method"),
            "value": real(
                "mean share, 0 to 1; answers: mean share less chance of right answers", nullable=True
            ),
            "reference": real("what it is compared with; answers: the same of wrong answers", nullable=True),
            "difference": real("value less reference", nullable=True),
            **_MEAN,
            **_DECIDED,
        },
        key=("question", "region", "method"),
    ),
    "verification": Table(
        "one row a map that was held against the map of the library that published the method, by a run whose study "
        "asks for it or by `xai verify`; it stays for as long as the map, the library's version and the tolerance do",
        {
            **CASE,
            "method": text("the method"),
            "library": text("the library and its version"),
            "difference": real(
                "largest absolute difference of the two maps, each scaled to 0..1; NULL where there is none to be had",
                nullable=True,
            ),
            "tolerance": real("largest difference that is rounding, declared for the method"),
            "verdict": text("within or beyond the tolerance; not_compared: `note` says why"),
            "note": text("why it was not compared, or how the library's map was made", nullable=True),
            "seconds_library": real("wall time of the library"),
            "seconds": real("wall time of the stored map when it was made"),
            "artifact": text("artifact of kind `maps`: the stored map"),
            "comparison": text("artifact of kind `verifications`: what the comparison gave", nullable=True),
            "sample_seed": whole("seed of the sample"),
        },
        key=("image_id", "target_index", "method"),
    ),
    "verification_summary": Table(
        "one row a method: what all of its rows in `verification` come to",
        {
            "method": text("the method"),
            "library": text("the library and its version"),
            "maps": whole("maps that were compared"),
            "not_compared": whole("maps that could not be compared: `note` says why"),
            "made": whole("maps of the method in the study, of which these are a sample"),
            "largest_difference": real(
                "largest difference of the compared maps, each scaled to 0..1; NULL where none was",
                nullable=True,
            ),
            "image_id": text("the image of that map", nullable=True),
            "target_name": text("its target class", nullable=True),
            "tolerance": real("largest difference that is rounding, declared for the method"),
            "tolerance_reason": text("why it is not 0"),
            "verdict": text(
                "beyond: one map is, by more than the tolerance; within: every compared map is; not_compared: none was"
            ),
            "note": text("what was said of maps, each once, joined by '; '", nullable=True),
        },
        key=("method",),
    ),
}
