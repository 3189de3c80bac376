"""A model that depends on the background beside one that does not: is the alarm raised for the first, and only for it?

The first is trained by the code behind `xai world train` on scenes in which each class has a place of its own, so
that the background gives the class away. On such scenes it is right; on scenes whose background says nothing it
falls to chance.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from benchmarks.failures.scenes import probabilities_of, shipped
from xai_assets.attribution import gradcam
from xai_assets.evaluation.evidence_place import EvidencePlaces, PlacedMap, evidence_places
from xai_assets.evaluation.other_images import blocks_of
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.diorama_net import resnet10
from xai_assets.world.description import describe
from xai_assets.world.render import Rendered, render
from xai_assets.world.scene import Background, SceneDescription
from xai_assets.world.training.classifier_task import TASKS
from xai_assets.world.training.classifiers import WIDTH
from xai_assets.world.training.data import example
from xai_assets.world.training.examples import concatenate
from xai_assets.world.vocabulary import CLASSES, SCENES

TRAINED_ON, STEPS, LOOKED_AT = 1500, 200, 120
LAYER = "layer4"


def at_home(description: SceneDescription) -> SceneDescription:
    """The same scene before the background that its class always has."""
    of = CLASSES.index(description.targets[0].class_name)
    return replace(description, background=Background(SCENES[of % len(SCENES)], 1000 + of))


def as_it_is(description: SceneDescription) -> SceneDescription:
    """The scene itself, whose background says nothing of the class."""
    return description


def dependent(cache: Path | None, *, trained_on: int = TRAINED_ON, steps: int = STEPS) -> Classifier:
    """The model that depends on the background; its weights are kept in `cache`."""
    path = cache / f"background-{trained_on}-{steps}.safetensors" if cache else None
    sound = shipped("diorama/object")
    if path is not None and path.is_file():
        network = resnet10(WIDTH, len(CLASSES))
        network.load_state_dict(
            {name: value.float() for name, value in load_file(path).items()}, strict=False
        )
    else:
        examples = concatenate(
            *(example(render(at_home(describe("train", index)))) for index in range(trained_on))
        )
        task = replace(TASKS["object"], name=f"background-{trained_on}-{steps}", close_views=False)
        none = examples.select(np.zeros(len(examples), bool))
        network = task.train({"close": none, "train": examples}, steps=steps)
        if cache is not None:
            task.save(network, cache)
    return replace(
        sound, name="depends on the background", network=network.eval().requires_grad_(False), sha256="0" * 64
    )


def look(classifier: Classifier, scenes: list[Rendered], labels: np.ndarray) -> EvidencePlaces:
    """Where the evidence of the classifier's answers lies, by Grad-CAM, of scenes that show a pixel of their target."""
    images = np.stack([one.image for one in scenes])
    best = probabilities_of(classifier, images).argmax(axis=1)
    maps = []
    for at, one in enumerate(scenes):
        mask = one.targets[0].mask
        if mask.any():
            found = gradcam(classifier, one.image, int(best[at]), layer=LAYER)
            name = CLASSES[int(best[at])]
            maps.append(
                PlacedMap(
                    one.id, int(best[at]), name, "gradcam", bool(best[at] == labels[at]), found.values, mask
                )
            )
    return evidence_places(_blocks(maps))


def _blocks(maps: list[PlacedMap]) -> Iterator[list[PlacedMap]]:
    for block in blocks_of([one.values.shape for one in maps]):
        yield [maps[int(at)] for at in block]


def rows(
    cache: Path | None = None,
    looked_at: int = LOOKED_AT,
    progress: Callable[[str], None] = print,
    **training: int,
) -> list[dict[str, Any]]:
    """Both models on both kinds of scenes."""
    torch.manual_seed(0)
    models = {
        "object classifier": shipped("diorama/object"),
        "depends on the background": dependent(cache, **training),
    }
    kinds = {"of each class's own place": at_home, "whose background says nothing": as_it_is}
    found = []
    for said, change in kinds.items():
        scenes = [render(change(describe("test", index))) for index in range(looked_at)]
        labels = np.array([CLASSES.index(one.targets[0].class_name) for one in scenes])
        for name, classifier in models.items():
            places = look(classifier, scenes, labels)
            found.append({"model": name, "scenes": said} | summary(places, labels, classifier, scenes))
            progress(str(found[-1]))
    return found


def summary(
    places: EvidencePlaces, labels: np.ndarray, classifier: Classifier, scenes: list[Rendered]
) -> dict[str, Any]:
    """Accuracy, shares on the object, and whether `evidence_on_object` raises an alarm."""
    from xai_assets.checks.evidence import ON_OBJECT

    images = np.stack([one.image for one in scenes])
    right = probabilities_of(classifier, images).argmax(axis=1) == labels
    tests = places.tests.set_index(["question", "region"])
    chance, asked = tests.loc[("chance", "object")], tests.loc[("on_object", "object")]
    verdict = ON_OBJECT.look(places.places, pd.DataFrame(), places.tests)
    return {
        "accuracy": float(right.mean()),
        "on the object": float(chance["value"]),
        "of other images": float(chance["reference"]),
        "p": float(asked["p_holm"]),
        "answer": str(asked["answer"]),
        "alarm": {True: "no", False: "yes", None: "cannot be told"}[verdict.passed],
    }
