"""Several models of one study: each model's maps of the same images, and where their evidence lies."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from xai_assets.analysis.compared_models import SharedClasses, changed_images, compared_models, with_model
from xai_assets.analysis.evidence_place import object_mask
from xai_assets.analysis.explanations import maps, read_map
from xai_assets.analysis.filling import Filling
from xai_assets.analysis.images import usable
from xai_assets.analysis.label_classes import LabelClasses
from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.own_truth import own_truth
from xai_assets.analysis.predictions import IMAGES, VIEWS, explained_rows, with_answers
from xai_assets.analysis.reference_masks import names_of_images
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.errors import XaiError
from xai_assets.evaluation.evidence_centre import evidence_centre
from xai_assets.evaluation.ranking import energy_in_mask
from xai_assets.resources.store import ArtifactError
from xai_assets.resources.tables import TABLES
from xai_assets.vision.class_matching import ClassMatcher
from xai_assets.vision.classifiers import Classifier

COLUMNS = tuple(TABLES["maps_by_model"].columns)

_OF_CASES = (
    "target_index", "target_name", "probability", "predicted_name", "predicted_probability", "correct", "view",
)  # fmt: skip
_OF_MAPS = ("method", "layer", "policy", "density", "constant", "seconds", "device", "artifact")

CHANGED = 6
"""Images of each pair of models and kind of change that are explained beside a study's sample."""


def maps_by_model(
    bench: Workbench, images: pd.DataFrame, predictions: pd.DataFrame, answers: pd.DataFrame
) -> pd.DataFrame:
    """One row a model, image, class and method, as the warehouse's table `maps_by_model`; none of a single model.

    Each image is explained by the classes that the study explains the first model by (`same_class`), as far as the model
    has them, and by the model's own answer (`own_answer`). Maps of the first model are those of the study's other steps.

    Args:
        bench: of the study.
        images: the table.
        predictions: the table, of the first model.
        answers: as `answers_by_model` gives it.
    """
    models = compared_models(bench.attribution)
    found = [pd.DataFrame(columns=list(COLUMNS))]
    chosen = explained_images(bench, images, predictions, answers) if models else images.iloc[:0]
    all_names = names_of_images(images["image_id"])
    of_first = answers[answers["model"] == next(iter(models), None)]
    first: ClassMatcher | None = None
    for name, spec in models.items():
        own = with_model(bench, spec)
        classifier = open_classifier(own, spec)
        first = first or classifier.matcher
        shared = SharedClasses(first, classifier.matcher)
        rows = _cases(own, classifier, chosen, _asked(shared, predictions, of_first), all_names)
        cases = pd.DataFrame(rows)
        for method in bench.attribution.methods.made() if rows else ():
            of_method = maps(own, cases, images, method)
            found.append(pd.DataFrame(_rows(own, name, shared, rows, of_method), columns=list(COLUMNS)))
    return pd.concat(found[1:] or found, ignore_index=True)


def explained_images(
    bench: Workbench, images: pd.DataFrame, predictions: pd.DataFrame, answers: pd.DataFrame
) -> pd.DataFrame:
    """The images that every model explains: those of `predictions`, and where that is a sample, some that changed."""
    names = set(predictions["image_id"])
    if bench.attribution.sample is not None:
        names |= set(changed_images(answers, CHANGED))
    return usable(images[images["image_id"].isin(names)])


def _cases(
    bench: Workbench,
    classifier: Classifier,
    images: pd.DataFrame,
    asked: dict[str, list[int]],
    names: dict[str, tuple[str, ...]],
) -> list[dict[str, Any]]:
    """Rows as of `predictions`, with `same_class`."""
    # Why some have no ground truth is in the tally of the step `predictions`.
    classes, truth = LabelClasses(classifier.matcher), own_truth(replace(bench, tally=Tally()))
    rows: list[dict[str, Any]] = []
    views = Filling(bench.store, VIEWS)
    answered = with_answers(bench, classifier, images.to_dict("records"))
    for done, (image, scores) in enumerate(answered, 1):
        name = image["image_id"]
        wanted = asked.get(name, [])
        try:
            of_image = explained_rows(
                bench, classifier, classes, image, truth, names[name], views, asked=wanted, scores=scores
            )
        except ArtifactError:
            raise  # no fault of the image: whatever made it makes it again
        except XaiError as error:
            bench.tally.leave_out(IMAGES, f"{name} ({classifier.name})", str(error))
            continue
        rows += [row | {"same_class": row["target_index"] in wanted} for row in of_image]
        bench.progress(done, len(images))
    views.close()
    return rows


def _asked(shared: SharedClasses, predictions: pd.DataFrame, answers: pd.DataFrame) -> dict[str, list[int]]:
    """By image, the model's outputs of the classes that the first model is explained by, elsewhere of its answer."""
    explained = predictions[["image_id", "target_index"]].to_numpy().tolist()
    others = answers[~answers["image_id"].isin(predictions["image_id"])]
    explained += others[["image_id", "predicted_index"]].to_numpy().tolist()
    found: dict[str, list[int]] = {}
    for image, target in explained:
        own = shared.index(int(target))
        if own is not None and own not in found.setdefault(image, []):
            found[image].append(own)
    return found


def _rows(
    bench: Workbench,
    model: str,
    shared: SharedClasses,
    cases: Iterable[dict[str, Any]],
    of_method: pd.DataFrame,
) -> Iterator[dict[str, Any]]:
    by_case = {(row["image_id"], row["target_index"]): row for row in cases}
    for row in of_method.to_dict("records"):
        case = by_case[row["image_id"], row["target_index"]]
        found, _ = read_map(bench, row)
        centre = evidence_centre(found) if found.usable else None
        of_object = object_mask(bench, case["view"])
        yield {
            "model": model,
            "image_id": row["image_id"],
            "class_name": shared.name(row["target_index"]),
            "same_class": case["same_class"],
            "own_answer": case["target_index"] == case["predicted_index"],
            **{name: case[name] for name in _OF_CASES},
            **{name: row[name] for name in _OF_MAPS},
            "mask_area": row["density"] * found.frame.seen() if found.usable else None,
            "centre_x": centre[0] if centre else None,
            "centre_y": centre[1] if centre else None,
            "on_object": energy_in_mask(found.values, of_object)
            if of_object is not None and found.usable
            else None,
        }
