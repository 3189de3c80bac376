"""The tables of how well the explained model does on all images of the study."""

from xai_assets.resources.columns import DECIDED, MEAN, Column, Table, flag, real, text, whole

_LABEL: dict[str, Column] = {
    "label_index": whole("the class of the image's label, as the model numbers it"),
    "label_name": text("the class of the image's label, as the model names it"),
}
_PREDICTED = {
    "predicted_index": whole("the most probable class, as the model numbers it"),
    "predicted_name": text("the most probable class"),
}

PERFORMANCE_TABLES: dict[str, Table] = {
    "answers": Table(
        "one row an image that the model answers, whether it is explained or not",
        {
            "image_id": text("the image"),
            "label": text("the classes it is labelled with, as in `predictions`", nullable=True),
            "label_index": whole(
                "the one class of its label, as the model numbers it; NULL of an image with none or several",
                nullable=True,
            ),
            "label_name": text("the same as the model names it", nullable=True),
            "label_probability": real("softmax probability of that class, 0 to 1", nullable=True),
            **_PREDICTED,
            "probability": real("softmax probability of the most probable class, 0 to 1"),
            "correct": flag(
                "whether the most probable class is one of the labels; NULL without a label that the model has",
                nullable=True,
            ),
            "error_rank": whole(
                "1 for the wrong answer with the highest probability, and so on; NULL of all others",
                nullable=True,
            ),
            "model": text("the explained model"),
            "model_sha256": text("of its weights"),
        },
        key=("image_id",),
    ),
    "model_performance": Table(
        "one row a metric, of all images or of one class: how well the model does on the study's labelled images",
        {
            "metric": text(
                "accuracy; confidence (mean probability of the answers); overconfidence (confidence less accuracy); ece "
                "(expected calibration error, 15 bins of equal width); recall and precision of a class"
            ),
            "class_index": whole("the class, as the model numbers it; NULL: all images", nullable=True),
            "class_name": text("the class", nullable=True),
            "value": real("NULL where no image says anything about it", nullable=True),
            **MEAN,
            "reference": real(
                "accuracy: of a constant answer, the most frequent label; ece: mean of a calibrated model with these "
                "probabilities; recall: 0.5",
                nullable=True,
            ),
            **DECIDED
            | {
                "p": real(
                    "recall: two-sided, exact binomial test against 0.5; ece: share of 4,999 simulations of a calibrated "
                    "model that reach it",
                    nullable=True,
                )
            },
        },
        key=("metric", "class_index"),
    ),
    "confusions": Table(
        "one row a label and answer that occur: the confusion matrix over images with one label",
        {
            **_LABEL,
            **_PREDICTED,
            "images": whole("images with this label and this answer"),
            "share": real("of the images with this label, 0 to 1"),
            **MEAN,
            "error_rank": whole(
                "1 for the pair of two classes with the most images, and so on; NULL where label and answer are the same",
                nullable=True,
            ),
        },
        key=("label_index", "predicted_index"),
    ),
    "explained_sample": Table(
        "one row an image and reason: which of the images are explained; none where all are",
        {
            "image_id": text("the image"),
            "reason": text(
                "failure: among the surest wrong answers of its pair; success: a right answer that is matched to a "
                "failure; random: drawn from all images, which alone stand for them"
            ),
            "matched_to": text("success: the failure of the same class that it stands beside", nullable=True),
        },
        key=("image_id", "reason"),
    ),
    "reliability_curve": Table(
        "one row a bin of probabilities that has images: how often answers of that probability are right",
        {
            "bin": whole("1 to 15"),
            "bin_low": real("lower end, which is not in the bin (0 is)"),
            "bin_high": real("upper end, which is"),
            "probability": real("mean probability of the bin's answers, 0 to 1"),
            "correct": real("share of them that are right, 0 to 1"),
            **MEAN,
        },
        key=("bin",),
    ),
}
