"""What the explained model says about every image of the study: forward passes in batches, in bounded memory."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from xai_assets.analysis.ahead import ahead
from xai_assets.analysis.explained_cases import refuse_nothing
from xai_assets.analysis.images import usable
from xai_assets.analysis.kept_answers import KIND, answer_keys, kept_answer, kept_answers
from xai_assets.analysis.label_classes import LabelClasses
from xai_assets.analysis.label_errors import label_tables, with_suspicion
from xai_assets.analysis.predictions import IMAGES, answer, explained_classifier, labels_of
from xai_assets.analysis.workbench import Workbench
from xai_assets.errors import XaiError
from xai_assets.evaluation import performance
from xai_assets.evaluation.calibration import reliability_curve
from xai_assets.evaluation.explained_sample import explained_sample
from xai_assets.evaluation.performance import ANSWERS, confusions, with_error_ranks
from xai_assets.resources.store import ArtifactError
from xai_assets.vision import outputs
from xai_assets.vision.classifiers import Classifier

CHUNK = 256
"""Images that are asked and kept together: what an interrupted step has answered is there when it is run again."""

LABELS = "labels"

BATCH = 32
"""Images a forward pass, of those that come to one size."""


def model_performance(bench: Workbench, images: pd.DataFrame) -> pd.DataFrame:
    """One row an image that the model answers, as the warehouse's table `answers`.

    The probabilities of all classes are kept as artifacts of kind `answers`, one an image, in blocks: see
    `kept_answers`. No more than a chunk is in memory.

    Raises:
        XaiError: when the model answers no image.
    """
    classifier = explained_classifier(bench)
    classes = LabelClasses(classifier.matcher)
    good = usable(images)
    rows: list[dict[str, Any]] = []
    for start in range(0, len(good), CHUNK):
        some = good.iloc[start : start + CHUNK].to_dict("records")
        keys, found = _probabilities(bench, classifier, some)
        for image, key, scores in zip(some, keys, found, strict=True):
            if np.isfinite(scores).all():
                kept = {"artifact": key, "artifact_row": 0}
                rows.append(_row(classifier, classes, image, scores) | kept)
        bench.progress(start + len(some), len(good))
    classes.say(bench.tally)
    refuse_nothing(bench, "answers", rows)
    table = pd.DataFrame(rows).astype(
        {"label_index": "Int64", "label_probability": "Float64", "correct": "boolean"}
    )
    return with_error_ranks(with_suspicion(bench, table))[list(ANSWERS)]


def performance_tables(bench: Workbench, answers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What the answers come to, and which of them are explained, by table of the warehouse."""
    known = answers[answers["correct"].notna()]
    return {
        "model_performance": performance.model_performance(answers, seed=bench.study.seed),
        "confusions": confusions(answers),
        **label_tables(bench, answers),
        "explained_sample": sample_of(bench, answers),
        "reliability_curve": reliability_curve(
            known["probability"].to_numpy(dtype=np.float64), known["correct"].to_numpy(dtype=bool)
        ),
    }


def sample_of(bench: Workbench, answers: pd.DataFrame) -> pd.DataFrame:
    """The images that the study's sample has, with the reason of each: the table `explained_sample`.

    It has no row where every image is explained.
    """
    asked = bench.attribution.sample
    return explained_sample(
        answers if asked else answers.iloc[:0],
        failures=asked.failures if asked else 0,
        successes=bool(asked and asked.successes == "matched"),
        random=asked.random if asked else 0,
        seed=bench.study.seed,
    )


def explained_images(bench: Workbench, images: pd.DataFrame, answers: pd.DataFrame) -> pd.DataFrame:
    """The rows of the images that are explained: those of the study's sample, or all.

    Raises:
        XaiError: the sample has no image.
    """
    if bench.attribution.sample is None:
        return images
    chosen = images[images["image_id"].isin(sample_of(bench, answers)["image_id"])].reset_index(drop=True)
    if not len(chosen):
        raise XaiError(
            f"the sample of study {bench.study.name}",
            f"it has no image: of {len(answers)} answers none that is known to be wrong is asked for, and none is drawn",
            "Write `random: 20` under attribution.sample, or leave the sample out.",
        )
    return chosen


def beside_the_limit(bench: Workbench, answers: pd.DataFrame) -> pd.DataFrame:
    """The tables `model_performance` and `label_quality` for the checks of answers.

    The study's limit of the accuracy is a column `limit`; the row of `label_quality` has the metric LABELS.
    """
    found = performance.model_performance(answers, seed=bench.study.seed)
    limit = bench.attribution.performance.min_accuracy
    quality = label_tables(bench, answers)["label_quality"].assign(metric=LABELS)
    return pd.concat([found.assign(limit=limit), quality], ignore_index=True)


def _probabilities(
    bench: Workbench, classifier: Classifier, images: Sequence[dict[str, Any]]
) -> tuple[list[str], np.ndarray]:
    """Keys of the artifacts, and n k float32 of a chunk's images, NaN where there is no answer; the tally says why."""
    keys = answer_keys(classifier, [str(one["picture"]) for one in images])
    found, why_not = kept_answers(bench, keys)
    bench.tally.reused += len(found)
    missing = [at for at, key in enumerate(keys) if key not in found]
    if missing:
        asked, reasons = _asked(bench, classifier, [images[at] for at in missing])
        new = {}
        for at, scores, why in zip(missing, asked, reasons, strict=True):
            found[keys[at]], why_not[keys[at]] = scores, why
            new[keys[at]] = kept_answer(keys[at], scores, why)
        bench.store.put_block(KIND, list(new.values()))
        bench.tally.computed += len(missing)
    for image, key in zip(images, keys, strict=True):
        if (reason := why_not[key]) is not None:
            bench.tally.leave_out(IMAGES, str(image["image_id"]), reason)
    return keys, np.stack([found[key] for key in keys])


def _asked(
    bench: Workbench, classifier: Classifier, images: Sequence[dict[str, Any]]
) -> tuple[np.ndarray, list[str | None]]:
    """Probabilities n k float32, NaN where there is no answer, and of each image why it has none."""
    found = np.full((len(images), len(classifier.class_names)), np.nan, dtype=np.float32)
    why_not: list[str | None] = [None] * len(images)
    for batch in ahead(_batches(bench, classifier, images, why_not)):
        try:
            if isinstance(batch.tensor, XaiError):
                raise batch.tensor
            logits = classifier.logits(batch.tensor)  # n 3 h w -> n k
            scores = outputs.probabilities(logits.double().cpu()).numpy()
        except XaiError:
            scores = np.full(
                (len(batch.places), found.shape[1]), np.nan
            )  # each is asked by itself, and says why
        for at, one, score in zip(batch.places, batch.pixels, scores, strict=True):
            if np.isfinite(score).all():
                found[at] = score
                continue
            try:
                found[at] = answer(classifier, one, str(images[at]["image_id"])).scores
            except XaiError as error:
                why_not[at] = str(error)
    return found, why_not


class _Batch(NamedTuple):
    """Places in the chunk, pixels (h w 3 uint8), and the network's input (n 3 h w), or why there is none."""

    places: list[int]
    pixels: list[np.ndarray]
    tensor: torch.Tensor | XaiError


def _batches(
    bench: Workbench,
    classifier: Classifier,
    images: Sequence[dict[str, Any]],
    why_not: list[str | None],
) -> Iterator[_Batch]:
    """Neighbours whose model inputs have one size."""
    size = bench.batch(BATCH)
    places: list[int] = []
    pixels: list[np.ndarray] = []
    of: tuple[int, ...] | None = None
    for at, image in enumerate(images):
        try:
            one = bench.store.get("pictures", image["picture"])[0]["pixels"]
            shape = tuple(classifier.preprocessing.frame(*one.shape[:2]).size)
        except ArtifactError:
            raise  # no fault of the image: whatever made it makes it again
        except XaiError as error:
            why_not[at] = str(error)
            continue
        if places and (shape != of or len(places) == size):
            yield _Batch(places, pixels, _input(classifier, pixels))
            places, pixels = [], []
        of = shape
        places.append(at)
        pixels.append(one)
    if places:
        yield _Batch(places, pixels, _input(classifier, pixels))


def _input(classifier: Classifier, pixels: Sequence[np.ndarray]) -> torch.Tensor | XaiError:
    try:
        views = np.stack([classifier.preprocessing.view(one) for one in pixels])  # n h w 3
        return classifier.preprocessing.from_view(views)
    except XaiError as error:
        return error


def _row(
    classifier: Classifier, classes: LabelClasses, image: dict[str, Any], scores: np.ndarray
) -> dict[str, Any]:
    said = labels_of(image["label"])
    labels = classes(str(image["image_id"]), said)
    best = int(scores.argmax())
    one = labels[0] if len(labels) == 1 else None
    return {
        "image_id": image["image_id"],
        "label": classes.in_words(said),
        "label_index": one,
        "label_name": None if one is None else classifier.class_names[one],
        "label_probability": None if one is None else float(scores[one]),
        "predicted_index": best,
        "predicted_name": classifier.class_names[best],
        "probability": float(scores[best]),
        "correct": best in labels if labels else None,
        "model": classifier.name,
        "model_sha256": classifier.sha256,
    }
