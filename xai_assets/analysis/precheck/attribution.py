"""What the steps of an attribution would refuse: their own code, on a few images and without the expensive part."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from xai_assets.analysis.answer import answer
from xai_assets.analysis.domain import of_classifier
from xai_assets.analysis.estimates import lines as lines_of_cost
from xai_assets.analysis.estimates import pace, works
from xai_assets.analysis.explanations import rehearse, unknown_lime_images
from xai_assets.analysis.external_maps import MAPS, ExternalSet, said_of_set
from xai_assets.analysis.images import explained_preprocessing
from xai_assets.analysis.kept_numbers import KeptNumbers
from xai_assets.analysis.label_classes import LabelClasses, target_classes
from xai_assets.analysis.lime_reruns import LimeReruns
from xai_assets.analysis.map_reruns import MapReruns
from xai_assets.analysis.own_truth import ground_truth
from xai_assets.analysis.precheck.domain import foreign
from xai_assets.analysis.precheck.found import Found, Sizes, State, model_notes, refused
from xai_assets.analysis.precheck.images import Look, first_pixels, look_at_images
from xai_assets.analysis.precheck.models import compared
from xai_assets.analysis.precheck.verification import verified
from xai_assets.analysis.predictions import explained_classifier
from xai_assets.analysis.reference_masks import Case, names_of_images
from xai_assets.analysis.target_layer import layer_fact
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.attribution.passes import of_network
from xai_assets.dissection.domain import ASKED_IMAGES
from xai_assets.errors import XaiError
from xai_assets.set_aside import by_reason, lines
from xai_assets.vision.classifiers import Classifier

ASKED = 12
"""Images that the model is asked about, for the classes that they are explained by and their ground truth."""


def explained(bench: Workbench, sizes: Sizes) -> list[Found]:
    """The explained model, its images, what it says of some of them, each method, and the ground truth."""
    found: list[Found] = []
    model = f"explained model {bench.attribution.model.name}"
    look = classifier = None
    with refused("images", found.append):
        look, said = look_at_images(bench, explained_preprocessing(bench), sizes)
        found += said
    with refused(model, found.append):
        classifier = explained_classifier(bench)
        found.append(Found(model, "ok", f"{len(classifier.class_names)} classes"))
        found += model_notes(model, classifier)
    if look is not None and classifier is not None:
        found += _labels(classifier, look)
        found += _domain(bench, model, classifier, look)
        found += _answers(bench, classifier, look, sizes)
        found += compared(bench, look, classifier, sizes.cases)
        sizes.cases *= max(1, len(bench.attribution.models))
    return found


def _labels(classifier: Classifier, look: Look) -> list[Found]:
    """The labels of all images, held against the model's classes."""
    tally, classes = Tally(), LabelClasses(classifier.matcher)
    labelled = [(name, look.labels[name]) for name, _, _ in look.good if look.labels.get(name)]
    known = sum(bool(classes(name, labels)) for name, labels in labelled)
    if not labelled:
        return []
    classes.say(tally)
    said = f"{known:,} of {len(look.good):,} images have a label that {classifier.name} has"
    found = [Found("labels", "ok" if known == len(look.good) else "look", said)]
    return found + [Found("labels", "look", line) for line in tally.problems]


def _domain(bench: Workbench, what: str, classifier: Classifier, look: Look) -> list[Found]:
    """That the first images are not of the domain that the model was trained on."""

    def images() -> list[np.ndarray]:
        return [pixels for _, pixels in first_pixels(bench, look, classifier.preprocessing, ASKED_IMAGES)]

    scenes = bench.attribution.images.diorama is not None
    return foreign(what, of_classifier(classifier), images, bench.settings, scenes=scenes)


@dataclass
class _Asked:
    """The first images as the step `predictions` takes them: the first view with a class, cases, and what it left out.

    Of each image also its view and the number of its target classes.
    Of an answer that is wrong, and explained by both classes and their difference, `maps_of_failures` counts the maps of
    each method beyond those of its labels.
    """

    first: tuple[np.ndarray, int] | None = None
    cases: list[Case] = field(default_factory=list)
    views: dict[str, np.ndarray] = field(default_factory=dict)
    explained: dict[str, int] = field(default_factory=dict)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    count: int = 0
    failures: int = 0
    maps_of_failures: int = 0


def _answers(bench: Workbench, classifier: Classifier, look: Look, sizes: Sizes) -> list[Found]:
    asked = _ask(bench, classifier, look, sizes)
    found = [
        Found("predictions", "look", line) for line in lines(asked.left_out, "images without a prediction")
    ]
    if asked.first is None:
        everything = asked.count == len(look.good)
        return [Found(each.what, "unfit" if everything else "look", each.said) for each in found]
    found += _default_layer(bench, classifier)
    found += _passes(bench, classifier, asked.first[0])
    channels: dict[str, int] = {}
    found += _methods(bench, classifier, *asked.first, cases=sizes.cases, channels=channels)
    found += _failures(asked, len(look.good), sizes)
    found += _cost(bench, classifier, next(iter(asked.views.values())), sizes, channels)
    if parameters := bench.attribution.robustness:
        with refused("robustness", found.append):
            numbers = KeptNumbers(bench)
            MapReruns(
                bench, classifier, parameters, LimeReruns(bench, classifier, parameters, numbers), numbers
            )
    names = {name for name, _, _ in look.good} | {name for name, _ in look.bad}
    found += [
        Found("lime_per_image", "look", f"{name}: {why}") for name, why in unknown_lime_images(bench, names)
    ]
    everything = asked.count == len(look.good)
    found += _external(bench, asked, everything)
    return found + _truth(bench, asked, len(look.good))


def _failures(asked: _Asked, images: int, sizes: Sizes) -> Iterator[Found]:
    """What explaining wrong answers by the difference of two classes adds: as many as among the first images."""
    if not asked.failures:
        return
    share = asked.failures / asked.count
    expected = min(round(share * images), sizes.images)
    more = round(expected * asked.maps_of_failures / asked.failures)
    sizes.cases += more
    of = "the images" if asked.count == images else f"the first {asked.count} images"
    yield Found(
        "wrong answers",
        "ok",
        f"{asked.failures} of {of}; each is explained by the predicted class, the labelled one, and why the one rather "
        f"than the other: about {more} maps of each method more",
    )


def _default_layer(bench: Workbench, classifier: Classifier) -> list[Found]:
    """The layer that is taken where the study names none; of one that it names, the methods say whether it fits."""
    found: list[Found] = []
    if bench.attribution.layer is None and set(bench.attribution.methods.made()) - {"lime"}:
        with refused("target layer", found.append):
            said = layer_fact(bench, classifier).removeprefix("target layer ")
            found.append(Found("target layer", "ok", said))
    return found


def _passes(bench: Workbench, classifier: Classifier, pixels: np.ndarray) -> list[Found]:
    """How what needs many forward passes is evaluated; something to look at where no quicker copy agrees."""
    if not set(bench.attribution.methods.made()) & {"scorecam", "lime"}:
        return []
    image = classifier.preprocessing.tensor(pixels)[None].to(classifier.device)  # 3 h w -> 1 3 h w
    said, quick = of_network(classifier.network, image)
    return [Found("forward passes", "ok" if quick else "look", said)]


def _methods(
    bench: Workbench,
    classifier: Classifier,
    pixels: np.ndarray,
    target: int,
    *,
    cases: int,
    channels: dict[str, int],
) -> list[Found]:
    """Each method on one image; those of which the same is to be said together. Then what comparing their maps costs.

    `channels` is filled with those of the target layer, by method that the run would not refuse.
    """
    said: dict[tuple[State, str], list[str]] = {}
    for method in bench.attribution.methods.made():
        told: list[tuple[State, str]] = []
        try:
            rehearsal = rehearse(bench, classifier, method, pixels, target)
            channels[method] = rehearsal.channels
            told.append(("ok", rehearsal.works_on))
            if rehearsal.warning:
                told.append(("look", rehearsal.warning))
        except XaiError as error:
            told.append(("unfit", str(error)))
        for key in told:
            said.setdefault(key, []).append(method)
    found = [
        Found(f"{'method' if len(methods) == 1 else 'methods'} {', '.join(methods)}", state, text)
        for (state, text), methods in said.items()
    ]
    return [*found, *verified(bench, channels, cases)]


def _cost(
    bench: Workbench, classifier: Classifier, view: np.ndarray, sizes: Sizes, channels: dict[str, int]
) -> list[Found]:
    """What each step takes, the longest last."""
    found: list[Found] = []
    with refused("cost", found.append):
        of = works(bench, images=sizes.images, cases=sizes.cases, channels=channels)
        found += [Found("cost", "ok", line) for line in lines_of_cost(of, pace(classifier, view))]
    return found


def _ask(bench: Workbench, classifier: Classifier, look: Look, sizes: Sizes) -> _Asked:
    asked, preprocessing = _Asked(), classifier.preprocessing
    classes = LabelClasses(classifier.matcher)
    names = names_of_images([*(name for name, _, _ in look.good), *(name for name, _ in look.bad)])
    for name, pixels in first_pixels(bench, look, preprocessing, ASKED):
        asked.count += 1
        try:
            said = answer(classifier, pixels, name)
            labels = classes(name, look.labels.get(name, []))
            targets = target_classes(bench.attribution, said.best, labels)
        except XaiError as error:
            asked.left_out.append((name, str(error)))
            continue
        if asked.first is None:
            asked.first = pixels, targets[0]
            sizes.view_pixels = said.view.shape[0] * said.view.shape[1]
        if bench.attribution.explain == "both" and labels and said.best not in labels:
            asked.failures += 1
            asked.maps_of_failures += 2 * len(targets) - 1 - len(labels)
        frame = preprocessing.frame(*pixels.shape[:2])
        asked.views[name], asked.explained[name] = said.view, len(targets)
        asked.cases += [
            classes.case(name, target, targets, look.labels.get(name, []), frame, names[name])
            for target in targets
        ]
    return asked


def _external(bench: Workbench, asked: _Asked, everything: bool) -> list[Found]:
    """The sets of maps that other tools made, on the first image classes; what the run leaves out, with the reasons.

    The run refuses where not one map can be used and the study has no other method.
    """
    found: list[Found] = []
    usable = 0
    for method, given in bench.attribution.methods.external_sets().items():
        try:
            maps = ExternalSet(given, bench.file.resolve)
        except XaiError as error:
            found.append(Found(method, "look", str(error)))
            continue
        without: list[tuple[str, str]] = []
        for case in asked.cases:
            alone = replace(case, alone=asked.explained[case.image_id] == 1, label=None)
            try:
                maps(alone, asked.views[case.image_id])
            except XaiError as error:
                without.append((f"{case.image_id} ({case.target_name})", f"{error.why}. {error.remedy}"))
        known, count = len(asked.cases) - len(without), len(asked.cases)
        usable += known
        first = f"{known} of the first {count} target classes have a map that can be used"
        said = said_of_set(maps, known, count) if everything else first
        found.append(Found(method, "look" if without else "ok", said))
        found += [Found(method, "look", line) for line in lines(without, MAPS)]
    if everything and not usable and not bench.attribution.methods.made():
        return [replace(one, state="unfit") for one in found]
    return found


def _truth(bench: Workbench, asked: _Asked, images: int) -> list[Found]:
    given = bench.attribution.truth
    if given is None:
        return []
    found: list[Found] = []
    tally, without = Tally(), []
    with refused("ground truth", found.append):
        of_case = ground_truth(given, bench.file.resolve, tally)
        for case in asked.cases:
            try:
                of_case(case)
            except XaiError as error:
                without.append((f"{case.image_id} ({case.target_name})", str(error)))
        known, count = len(asked.cases) - len(without), len(asked.cases)
        everything = asked.count == images
        of = f"{count} image classes" if everything else f"the first {count} image classes"
        none = not known and everything
        said = f"{known} of {of} have a mask or boxes that can be used"
        if none:
            said += f": {by_reason(without)[0].line('image classes')}"
        found.append(Found("ground truth", "unfit" if none else "look" if without else "ok", said))
        if not none:
            found += [Found("ground truth", "look", line) for line in lines(without, "image classes")]
        found += [Found("ground truth", "look", line) for line in tally.problems]
    return found
