"""The tables of several models of one study on the same images."""

from xai_assets.resources.columns import DECIDED, MEAN, Column, Table, flag, real, text, whole
from xai_assets.resources.performance_tables import PERFORMANCE_TABLES

_MODEL = text("the model, by its name in the study; with its checkpoint's file where several have the name")
_PAIR = {"model_a": text("the model that the study names first"), "model_b": text("the later one")}
_CLASS = text("the class as the study's first model names it; its own name where the first has no such class")
_METHOD = text("the method")
_QUESTION = "same_class: both maps are of one class; own_answer: each is of the class that its model answers"
_CLASSES: dict[str, Column] = {
    "class_a": text("the class of the first, as the study's first model names it"),
    "class_b": text("the class of the later one, likewise"),
}
_COMMON = "in the part of the original that both models see"

_ANSWERS = {
    name: column
    for name, column in PERFORMANCE_TABLES["answers"].columns.items()
    if name not in ("model", "error_rank")
}

MODEL_TABLES: dict[str, Table] = {
    "answers_by_model": Table(
        "one row a model and image that it answers, where a study names several models",
        {"model": _MODEL, **_ANSWERS, "class_name": _CLASS},
        key=("model", "image_id"),
    ),
    "performance_by_model": Table(
        "one row a model, metric, and class or all images: `model_performance` of each model",
        {"model": _MODEL, **PERFORMANCE_TABLES["model_performance"].columns},
        key=("model", "metric", "class_index"),
    ),
    "maps_by_model": Table(
        "one row a model, image, class and method: each model's map of the same images",
        {
            "model": _MODEL,
            "image_id": text("the image"),
            "target_index": whole("the target class, as the model numbers it"),
            "target_name": text("the target class, as the model names it"),
            "class_name": _CLASS,
            "same_class": flag("whether the first model is explained by this class, which all are then"),
            "own_answer": flag("whether it is the model's most probable class"),
            "probability": real("softmax probability of the target class, 0 to 1"),
            "predicted_name": text("the most probable class, as the model names it"),
            "predicted_probability": real("its softmax probability, 0 to 1"),
            "correct": flag(
                "whether the most probable class is one of the labels; NULL without a label that the model has",
                nullable=True,
            ),
            "view": text("artifact of kind `views`: the model's view of the image"),
            "method": _METHOD,
            "layer": text("target layer; NULL for LIME", nullable=True),
            "policy": text("binarisation policy"),
            "density": real("share of the model's frame that is in the mask, 0 to 1"),
            "mask_area": real(
                "share of the original that is in the mask; NULL of a map that shows nothing", nullable=True
            ),
            "centre_x": real(
                "where the evidence (the map's positive values) has its centre, as a share of the original's width",
                nullable=True,
            ),
            "centre_y": real("the same as a share of the original's height", nullable=True),
            "on_object": real(
                "share of the evidence on the object of the class, or of the labels where it is none; NULL: not known",
                nullable=True,
            ),
            "constant": flag("whether all values are the same: the map shows nothing"),
            "seconds": real("what it took to compute"),
            "device": text("what it was computed on"),
            "artifact": text("of kind `maps`: the map and its mask, in the model's frame"),
        },
        key=("model", "image_id", "target_index", "method"),
    ),
    "model_agreement": Table(
        f"one row an image, question, method and two models: how far their maps agree {_COMMON}",
        {
            "question": text(_QUESTION),
            "image_id": text("the image"),
            "method": _METHOD,
            **_PAIR,
            **_CLASSES,
            "iou": real(f"of the masks, {_COMMON}, 0 to 1", nullable=True),
            "chance_iou": real("of independent scattered masks of these areas", nullable=True),
            "attainable_iou": real("the most that masks of these areas can have", nullable=True),
            "iou_matched": real(
                "of both maps' highest pixels, as many as the smaller mask has", nullable=True
            ),
            "chance_iou_matched": real("of scattered masks of that area", nullable=True),
            "dice": real("of the masks", nullable=True),
            "density_a": real("share of the common part that is in the first one's mask"),
            "density_b": real("the same of the later one"),
            "rank_correlation": real(f"Spearman's, of the maps {_COMMON}, -1 to 1", nullable=True),
            "moved_share": real(
                "share of the evidence that lies elsewhere (total variation distance), 0 to 1", nullable=True
            ),
            "shift_x": real(
                "how far the centre of the evidence lies to the right in the later model, in widths of the original",
                nullable=True,
            ),
            "shift_y": real("the same downwards, in heights", nullable=True),
        },
        key=("question", "image_id", "method", "model_a", "model_b", "class_a"),
    ),
    "model_agreement_summary": Table(
        "one row a method, two models and metric: how far maps of one class agree, and whether further than maps of "
        "other images",
        {
            "method": _METHOD,
            **_PAIR,
            "metric": text("iou, iou_matched, dice or rank_correlation"),
            "mean": real("over images; NULL where nothing was measured", nullable=True),
            **MEAN,
            "chance": real(
                "mean over the same images of what the models' maps of different images have; NULL for fewer than two",
                nullable=True,
            ),
            "chance_scattered": real("what pixels scattered over the frame would give", nullable=True),
            "attainable": real("the most that masks of these areas can have", nullable=True),
            "difference": real("mean less chance", nullable=True),
            "difference_low": real("lower end of its 95 % interval", nullable=True),
            "difference_high": real("upper end", nullable=True),
            "difference_interval": text("how it was made, or why there is none", nullable=True),
            **DECIDED,
        },
        key=("method", "model_a", "model_b", "metric"),
    ),
    "model_tests": Table(
        "one row a question about two models on the same images: the later one less the first, and what is decided",
        {
            "family": text("answers or evidence: the questions of a family are decided together"),
            "metric": text(
                "answers: correct, label_probability, probability (of the answer); evidence: on_object, mask_area, "
                "centre_x, centre_y, as in `maps_by_model`"
            ),
            "question": text(f"of evidence, {_QUESTION}", nullable=True),
            "method": text("of evidence, the method", nullable=True),
            **_PAIR,
            "value_a": real("mean of the first over the compared images", nullable=True),
            "value_b": real("mean of the later one over the same", nullable=True),
            "only_a": whole("correct: images on which the first alone is right", nullable=True),
            "only_b": whole("correct: images on which the later one alone is right", nullable=True),
            "difference": real("value_b less value_a", nullable=True),
            **MEAN,
            **DECIDED
            | {
                "p": real(
                    "two-sided; correct: McNemar's exact test, else signs of the images' differences flipped; NULL for "
                    "fewer than two images",
                    nullable=True,
                )
            },
        },
        key=("metric", "question", "method", "model_a", "model_b"),
    ),
    "changed_answers": Table(
        "one row an image and two models that do not answer the same class",
        {
            "image_id": text("the image"),
            **_PAIR,
            "change": text(
                "right_to_wrong, wrong_to_right, wrong_to_wrong, right_to_right (of several labels) or not_labelled"
            ),
            "label": text("the classes that it is labelled with", nullable=True),
            **_CLASSES,
            "probability_a": real("softmax probability of the first one's answer"),
            "probability_b": real("the same of the later one's"),
            "correct_a": flag("whether the first is right; NULL without a label that it has", nullable=True),
            "correct_b": flag("whether the later one is right", nullable=True),
        },
        key=("image_id", "model_a", "model_b"),
    ),
}
