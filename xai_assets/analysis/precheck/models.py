"""The models of a study that compares several: that each opens and can be explained, and what that costs."""

import time
from collections.abc import Iterator

import numpy as np

from xai_assets.analysis.answer import answer
from xai_assets.analysis.compared_models import SharedClasses, compared_models, with_model
from xai_assets.analysis.explanations import rehearse
from xai_assets.analysis.map_keys import parameters_of
from xai_assets.analysis.opened_models import open_classifier
from xai_assets.analysis.precheck.found import Found, model_notes, refused
from xai_assets.analysis.precheck.images import Look, first_pixels
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.parameters import LimeParameters
from xai_assets.attribution.verification import library_passes
from xai_assets.vision.classifiers import Classifier


def compared(bench: Workbench, look: Look, first: Classifier, cases: int) -> list[Found]:
    """What a run would refuse of each model but the first, and about how long the maps of each take on this CPU.

    Args:
        bench: of the study.
        look: its images.
        first: the model that the study explains, of which all else is said elsewhere.
        cases: image and class pairs that will be explained, as far as they are known.
    """
    found: list[Found] = []
    for at, (name, spec) in enumerate(compared_models(bench.attribution).items()):
        what = f"model {name}"
        with refused(what, found.append):
            own = with_model(bench, spec)
            classifier = open_classifier(own, spec) if at else first
            if at:
                found += _classes(what, first, classifier)
                found += model_notes(what, classifier)
            for _, pixels in first_pixels(bench, look, first.preprocessing, 1):
                said = list(_explained(own, what, classifier, pixels, cases))
                found += said if at else said[-1:]
    return found


def _classes(what: str, first: Classifier, classifier: Classifier) -> Iterator[Found]:
    shared = SharedClasses(first.matcher, classifier.matcher)
    known = sum(shared.index(at) is not None for at in range(len(first.class_names)))
    total = len(first.class_names)
    said = f"{len(classifier.class_names)} classes"
    if known == total:
        yield Found(what, "ok", said)
    else:
        yield Found(
            what, "look", f"{said}; it has {known} of the {total} of {first.name}, and is compared on these"
        )


def _explained(
    bench: Workbench, what: str, classifier: Classifier, pixels: np.ndarray, cases: int
) -> Iterator[Found]:
    """What each method warns of on one image; last the forward passes of all maps, by the time that one takes."""
    said = answer(classifier, pixels, classifier.name)
    started = time.perf_counter()
    answer(classifier, pixels, classifier.name)
    seconds = time.perf_counter() - started
    methods, passes = bench.attribution.methods.made(), cases
    layers = []
    for method in methods:
        rehearsal = rehearse(bench, classifier, method, pixels, said.best)
        layers += [rehearsal.works_on] if rehearsal.channels else []
        parameters = parameters_of(bench, method, "")
        samples = parameters.most_samples if isinstance(parameters, LimeParameters) else None
        passes += cases * library_passes(method, samples, rehearsal.channels)
        if rehearsal.warning:
            yield Found(what, "look", f"{method}: {rehearsal.warning}")
    at = f" at {layers[0]}" if layers else ""
    yield Found(
        what,
        "ok",
        f"{cases} maps by {'each of ' * (len(methods) > 1)}{', '.join(methods)}{at}: at most about {passes:,} forward "
        f"passes, {_in_words(passes * seconds)} by the time that one takes here",
    )


def _in_words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
