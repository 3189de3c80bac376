"""Several models of one study on the same images: what each of them answers, and the study as each of them has it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath

import pandas as pd

from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.performance import model_performance
from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation import performance
from xai_assets.evaluation.models_tested import changed_answers
from xai_assets.evaluation.performance import COLUMNS
from xai_assets.resources.tables import TABLES
from xai_assets.study import Attribution
from xai_assets.vision.class_matching import ClassMatcher
from xai_assets.vision.spec import ModelSpec

BY_MODEL = tuple(TABLES["answers_by_model"].columns)


def compared_models(attribution: Attribution) -> dict[str, ModelSpec]:
    """The models of a study that compares some, by the name that tables and reports have for each; else none.

    Two of one name are told apart by their checkpoints' file names, and where these are the same by their places.
    """
    specs = attribution.models
    names = [spec.name for spec in specs]
    told = [
        f"{name} ({PurePath(spec.checkpoint).name})" if names.count(name) > 1 and spec.checkpoint else name
        for name, spec in zip(names, specs, strict=True)
    ]
    return {
        f"{name} #{at}" if told.count(name) > 1 else name: spec
        for at, (name, spec) in enumerate(zip(told, specs, strict=True), 1)
    }


def with_model(bench: Workbench, spec: ModelSpec) -> Workbench:
    """The workbench of the same study with one model, with the same tally: what explains one model explains each."""
    attribution = bench.attribution.model_copy(update={"model": spec, "models": ()})
    study = bench.study.model_copy(update={"attribution": attribution})
    return replace(bench, file=replace(bench.file, study=study))


def answers_by_model(bench: Workbench, images: pd.DataFrame, of_first: pd.DataFrame) -> pd.DataFrame:
    """One row a model and image that it answers, as the warehouse's table `answers_by_model`; none of a single model.

    Args:
        bench: of the study.
        images: the table.
        of_first: the first model's answers, as the table `answers`.

    Raises:
        XaiError: when a model answers no image.
    """
    found = [pd.DataFrame(columns=list(BY_MODEL))]
    first: ClassMatcher | None = None
    for name, spec in compared_models(bench.attribution).items():
        own = with_model(bench, spec)
        matcher = open_classifier(own, spec).matcher
        first = first or matcher
        answers = of_first if matcher is first else model_performance(own, images)
        shared = SharedClasses(first, matcher)
        known = {at: shared.name(int(at)) for at in answers["predicted_index"].unique()}
        found.append(answers.assign(model=name, class_name=answers["predicted_index"].map(known)))
    return pd.concat(found[1:] or found, ignore_index=True)[list(BY_MODEL)]


@dataclass(frozen=True)
class SharedClasses:
    """Which outputs of a model are the classes of the study's first model, by number where both have one list of names.

    Attributes:
        first: of the first model.
        other: of the model.
    """

    first: ClassMatcher
    other: ClassMatcher

    @cached_property
    def _same(self) -> bool:
        return self.first.class_names == self.other.class_names

    def name(self, at: int) -> str:
        """An output of the model as the first model names it; where it has no such class, as it is."""
        own = self.other.class_names[at]
        found = (at,) if self._same else self.first.candidates(own)
        return own if len(found) != 1 else self._told_apart(found[0])

    def index(self, at: int) -> int | None:
        """The output of the model that is a class of the first one; None where it has none, or several."""
        found = (at,) if self._same else self.other.candidates(self.first.class_names[at])
        return found[0] if len(found) == 1 else None

    def _told_apart(self, at: int) -> str:
        """The name of a class of the first model; ImageNet has two cranes, which get their numbers."""
        name = self.first.class_names[at]
        return name if self.first.class_names.count(name) == 1 else f"{name} ({at})"


def performance_by_model(answers: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """The numbers of `model_performance` of each model, with a column `model` in front."""
    found = [
        performance.model_performance(answers[answers["model"] == name], seed=seed).assign(model=name)
        for name in dict.fromkeys(answers["model"])
    ]
    columns = ["model", *COLUMNS]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def changed_images(answers: pd.DataFrame, most: int) -> list[str]:
    """Images whose answer changes between two models, at most so many of each pair and kind, the surest first."""
    changed = changed_answers(answers, names_of(answers["model"]))
    surest = changed.assign(sure=changed[["probability_a", "probability_b"]].max(axis=1))
    ordered = surest.sort_values(["sure", "image_id"], ascending=[False, True], kind="stable")
    return list(
        dict.fromkeys(ordered.groupby(["model_a", "model_b", "change"], sort=False).head(most)["image_id"])
    )


def names_of(models: Iterable[str]) -> list[str]:
    """The different names, in order."""
    return list(dict.fromkeys(models))
