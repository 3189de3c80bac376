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
            "label_wrong": real(
                "probability that the label is wrong, 0 to 1, see `label_quality`; NULL of an image with none or several",
                nullable=True,
            ),
            "label_suspected": flag("whether that is above 0.5; NULL as that", nullable=True),
            "error_rank": whole(
                "1 for the wrong answer with the highest probability, and so on; NULL of all others, and of answers "
                "whose label is suspected",
                nullable=True,
            ),
            "model": text("the explained model"),
            "model_sha256": text("of its weights"),
            "artifact": text("artifact of kind `answers`: the probabilities of all classes"),
            "artifact_row": whole("the image's row in it, from 0"),
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
            "suspected": whole("those of `images` whose label is suspected (`suspected_labels`)"),
            "error_rank": whole(
                "1 for the pair of two classes with the most images whose label is not suspected, and so on; NULL where "
                "label and answer are the same, and where all labels are suspected",
                nullable=True,
            ),
        },
        key=("label_index", "predicted_index"),
    ),
    "suspected_labels": Table(
        "one row a label that is more probably wrong than right: not a mistake of the model",
        {
            "image_id": text("the image"),
            **_LABEL,
            "suggested_index": whole("the class that the model answers, as it numbers it"),
            "suggested_name": text("the class that the model answers"),
            "label_probability": real("softmax probability of the label's class, 0 to 1"),
            "suggested_probability": real("softmax probability of the answer, 0 to 1"),
            "usual_label_probability": real("mean probability of the label's class over images labelled so"),
            "usual_suggested_probability": real(
                "mean probability of the suggested class over images labelled so; NULL where none is",
                nullable=True,
            ),
            "confident": flag(
                "whether the answer reaches that: by the published rule of confident learning the image counts against "
                "its label as well; NULL where no image is labelled so",
                nullable=True,
            ),
            "label_wrong": real("probability that the label is wrong, above 0.5"),
            "suspicion_rank": whole("1 for the label that is most probably wrong, and so on"),
            "evidence": text("the same as a sentence"),
        },
        key=("image_id",),
    ),
    "label_quality": Table(
        "one row: whether labels are wrong beyond the model's own mistakes, and what the list of suspected ones is "
        "worth, as far as the model's probabilities are right up to a temperature",
        {
            "labels": whole("images with one label"),
            "share": real("of them whose label is wrong, 0 to 0.5; NULL for fewer than 20", nullable=True),
            **MEAN,
            "temperature": real(
                "what the model's logits are divided by to fit the labels: below 1 it is surer than it says; NULL as "
                "share",
                nullable=True,
            ),
            "suspected": whole("labels that are more probably wrong than right; 0 unless answer is yes"),
            "expected_precision": real(
                "expected share of the suspected labels that is wrong; NULL where none is suspected",
                nullable=True,
            ),
            "expected_recall": real(
                "expected share of the wrong labels that is suspected; NULL where none is", nullable=True
            ),
            **DECIDED
            | {
                "p": real(
                    "share of 199 draws of labels from the model's probabilities whose likelihood ratio is as large",
                    nullable=True,
                ),
                "answer": text("yes: labels are wrong; cannot_tell: not shown with n labels", nullable=True),
            },
        },
        key=("labels",),
    ),
    "explained_sample": Table(
        "one row an image and reason: which of the images are explained; none where all are",
        {
            "image_id": text("the image"),
            "reason": text(
                "failure: among the surest wrong answers of its pair; success: a right answer that is matched to a "
                "failure; suspected: among the labels of its pair that are most probably wrong, and no failure; random: "
                "drawn from all images, which alone stand for them"
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
