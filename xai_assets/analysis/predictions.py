"""What the explained model says about each image, and which classes are explained: resolved once, for all methods."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.answer import answer
from xai_assets.analysis.domain import explained_domain
from xai_assets.analysis.explained_cases import refuse_nothing
from xai_assets.analysis.filling import Filling
from xai_assets.analysis.given_model import in_words
from xai_assets.analysis.images import PICTURES, usable
from xai_assets.analysis.kept_answers import answer_keys, kept_answers
from xai_assets.analysis.label_classes import LabelClasses, target_classes
from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.own_truth import CASES, Truth, own_truth
from xai_assets.analysis.reference_masks import names_of_images
from xai_assets.analysis.workbench import Workbench
from xai_assets.dissection.suspicion import looks_normalised
from xai_assets.errors import XaiError
from xai_assets.evaluation.accuracy import is_sure
from xai_assets.files import fingerprint, sha256_bytes
from xai_assets.joined import split_names
from xai_assets.resources.block_file import Same
from xai_assets.resources.store import ArtifactError
from xai_assets.resources.tables import TABLES
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.input_check import check_input

NORMALISED = "its values are those of a normalised tensor, not of a picture"


IMAGES = "images without a prediction"

VIEWS = "views"
"""The kind of the artifacts that hold what the model sees of an image."""

ASKED = 256
"""Answers in memory."""


def step_facts(bench: Workbench, predictions: pd.DataFrame, unexplained: Iterable[str] = ()) -> pd.DataFrame:
    """What this step left out, for its checks: `what` (prediction, sample, ground truth), `name` and `reason`.

    A study that brings ground truth has a row `asked` as well.
    """
    left_out = bench.tally.left_out
    rows = [("prediction", *one) for one in left_out.get(IMAGES, [])]
    rows += [("sample", name, "it is not in the study's sample") for name in unexplained]
    if bench.attribution.truth is not None:
        rows += [("asked", "", ""), *(("ground truth", *one) for one in left_out.get(CASES, []))]
    return pd.DataFrame(rows, columns=["what", "name", "reason"])


def explained_classifier(bench: Workbench) -> Classifier:
    """The classifier that the study explains."""
    return open_classifier(bench, bench.attribution.model)


def predictions(bench: Workbench, images: pd.DataFrame, among: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row an image and target class, as the warehouse's table `predictions`.

    The model's view of each image is kept as an artifact of kind `views`: `view` (h w 3, uint8), the frame in the
    metadata, and where the embedded world or the study knows what is true (h w, uint8, in the model's frame): `truth`,
    the explained object; `truth_part`, the part that decides its class; `truth_all_objects`, every target of the
    picture; and where the target class is none of the labels, `objects`: what is known of those. An image that the
    model gives no answer for is left out, named in the tally, and does not stop the others. One with labels that the
    model does not have is explained by its predicted class, and has no `correct`.

    Args:
        bench: of the study.
        images: those that are explained.
        among: all images of the study, by whose names its ground truth is told apart; default: the same.

    Raises:
        XaiError: when not one image is left.
    """
    classifier = explained_classifier(bench)
    bench.tally.facts += [f"{classifier.name}: {note}" for note in classifier.notes()]
    good = usable(images)
    truth = own_truth(bench)
    names = names_of_images((images if among is None else among)["image_id"])
    classes = LabelClasses(classifier.matcher)
    rows: list[dict[str, Any]] = []
    views = Filling(bench.store, VIEWS)
    for done, (image, scores) in enumerate(with_answers(bench, classifier, good.to_dict("records")), 1):
        try:
            rows += explained_rows(
                bench, classifier, classes, image, truth, names[image["image_id"]], views, scores=scores
            )
        except ArtifactError:
            raise  # no fault of the image: whatever made it makes it again
        except XaiError as error:
            bench.tally.leave_out(IMAGES, str(image["image_id"]), str(error))
        bench.progress(done, len(good))
    views.close()
    classes.say(bench.tally)
    refuse_nothing(bench, "predictions", rows)
    answered = {row["image_id"] for row in rows}
    domain, in_domain = explained_domain(
        bench, classifier, good.loc[good["image_id"].isin(answered), "picture"].tolist()
    )
    found = pd.DataFrame(rows, columns=list(TABLES["predictions"].columns))
    return found.assign(domain=domain, in_domain=pd.array([in_domain] * len(found), "boolean"))


def labels_of(label: object) -> list[str]:
    """The labels of an image, from the column of the table `images`."""
    return split_names(label) if isinstance(label, str) else []


def with_answers(
    bench: Workbench, classifier: Classifier, images: Sequence[dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], np.ndarray | None]]:
    """Rows of the table `images`, each with what the model has said of it (k float32), None where it was not asked."""
    for start in range(0, len(images), ASKED):
        some = images[start : start + ASKED]
        keys = answer_keys(classifier, [str(image["picture"]) for image in some])
        known, why_not = kept_answers(bench, keys)
        for image, key in zip(some, keys, strict=True):
            yield image, known[key] if key in known and why_not[key] is None else None


def explained_rows(
    bench: Workbench,
    classifier: Classifier,
    classes: LabelClasses,
    image: dict[str, Any],
    truth: Truth,
    names: tuple[str, ...],
    views: Filling,
    *,
    asked: Sequence[int] | None = None,
    scores: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """The rows of `predictions` of one image, without its domain.

    Args:
        bench: of the study.
        classifier: that is asked.
        classes: finds its classes of labels.
        image: a row of the table `images`.
        truth: as `own_truth` gives it.
        names: what the image may be called, see `names_of_images`.
        views: of kind VIEWS, which is given what the model sees for each row.
        asked: classes to explain, to which the predicted one is added; None: those that the study explains.
        scores: k, what the model has said of the image; None: it is asked.

    Raises:
        XaiError: the model gives no answer.
    """
    arrays, kept = bench.store.get("pictures", image["picture"])
    pixels = arrays["pixels"]
    found = answer(classifier, pixels, str(image["image_id"]), scores=scores)
    view, batch, scores, best = found.view, found.batch, found.scores, found.best
    same = {}
    if view.shape == pixels.shape and np.array_equal(view, pixels):
        same["view"] = Same(PICTURES, image["picture"], "pixels")
    said = labels_of(image["label"])
    labels = classes(str(image["image_id"]), said)
    explained = (
        target_classes(bench.attribution, best, labels)
        if asked is None
        else list(dict.fromkeys([*asked, best]))
    )
    frame = classifier.preprocessing.frame(*pixels.shape[:2])
    checked = check_input(view, batch[0].numpy(), classifier.preprocessing.spec)
    unusual = [*checked.findings, *([NORMALISED] if looks_normalised(pixels) else []), *kept.get("notes", ())]
    own = {
        target: truth(classes.case(image["image_id"], target, explained, said, frame, names))
        for target in explained
    }
    rows = []
    for rank, target in enumerate(explained, 1):
        name = classifier.class_names[target]
        content = {} if same else {"view": view}
        if target in labels and "truth" in arrays:
            which = next(
                at for at, label in enumerate(said) if classifier.matcher.candidates(label) == (target,)
            )
            true = {"truth": arrays["truth"][which], "truth_all_objects": arrays["truth"].any(axis=0)}
            if "parts" in arrays:
                true["truth_part"] = arrays["parts"][which]
            content |= {of: frame.crop_mask(mask.astype(bool)).astype(np.uint8) for of, mask in true.items()}
        made_from = {
            "picture": image["picture"],
            "preprocessing": classifier.preprocessing.fingerprint(),
            "target": name,
        }
        if (mask := own[target]) is not None:
            content["truth"] = mask.astype(np.uint8)
            made_from["truth"] = sha256_bytes(np.packbits(mask).tobytes())
        elif labels and target not in labels:
            others = [
                own[label]
                if label in own
                else truth(classes.case(image["image_id"], label, explained, said, frame, names), say=False)
                for label in labels
            ]
            known = [one for one in others if one is not None]
            if "truth" in arrays:
                known.append(frame.crop_mask(arrays["truth"].astype(bool).max(axis=0)))
            if known:
                content["objects"] = np.any(known, axis=0).astype(np.uint8)
                made_from["objects"] = sha256_bytes(np.packbits(content["objects"]).tobytes())
        key = fingerprint(made_from)
        views.add(key, content, {"frame": frame.to_dict(), "target": name}, same)
        rows.append(
            {
                "image_id": image["image_id"],
                "target_index": target,
                "target_name": name,
                "target_rank": rank,
                "probability": float(scores[target]),
                "predicted_index": best,
                "predicted_name": classifier.class_names[best],
                "predicted_probability": float(scores[best]),
                "sure": is_sure(float(scores[best])),
                "label": classes.in_words(said),
                "correct": best in labels if labels else None,
                "seen": frame.seen(),
                "preprocessing": in_words(classifier.preprocessing.spec),
                "input_low": checked.low,
                "input_high": checked.high,
                "input_check": "; ".join(unusual) or "ok",
                "model": classifier.name,
                "model_sha256": classifier.sha256,
                "view": key,
            }
        )
        bench.tally.computed += 1
    return rows
