"""The models of a study: their weights fit, they have the layers, and what they make of an empty picture."""

from collections.abc import Iterator

import numpy as np
import torch

from xai_assets.analysis.embeddings import concept_words
from xai_assets.analysis.precheck.found import SCENE_SIDE, Found, Sizes
from xai_assets.analysis.precheck.pictures import pictures, probe
from xai_assets.analysis.workbench import Workbench
from xai_assets.errors import XaiError
from xai_assets.settings import Settings
from xai_assets.study_file import StudyFile
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.encoders import load_encoder
from xai_assets.vision.layers import get_layer


def explained(file: StudyFile, settings: Settings, sizes: Sizes) -> Iterator[Found]:
    """The classifier that is explained, and its pictures."""
    if (attribution := file.study.attribution) is None:
        return
    what = f"explained model {attribution.model.name}"
    try:
        classifier = load_classifier(attribution.model, settings, base=file.path.parent, device="cpu")
        units, sizes.view_pixels = units_of(classifier, (attribution.layer,))
    except XaiError as error:
        yield Found(what, "unfit", str(error))
        return
    side = classifier.preprocessing.spec.size or SCENE_SIDE
    yield Found(
        what,
        "ok",
        f"{len(classifier.class_names)} classes, {attribution.layer} of {units[0]} channels, {side} px",
    )
    yield from pictures(file, classifier, sizes)


def dissected(file: StudyFile, settings: Settings, sizes: Sizes) -> Iterator[Found]:
    """The dissected models, the encoder and its concepts, and the probe set."""
    if (dissection := file.study.dissection) is None:
        return
    for entry in dissection.models:
        what = f"dissected model {entry.model.name}"
        try:
            classifier = load_classifier(entry.model, settings, base=file.path.parent, device="cpu")
            units, _ = units_of(classifier, entry.layers)
        except XaiError as error:
            yield Found(what, "unfit", str(error))
            continue
        sizes.units.append(sum(units))
        layers = ", ".join(f"{name} of {count}" for name, count in zip(entry.layers, units, strict=True))
        yield Found(what, "ok", f"units: {layers}")
    try:
        load_encoder(dissection.encoder, settings, base=file.path.parent, device="cpu")
        words = concept_words(Workbench(settings, file))
        yield Found("encoder and concepts", "ok", f"{dissection.encoder.name}, {len(words)} concepts")
    except XaiError as error:
        yield Found("encoder and concepts", "unfit", str(error))
    yield probe(file, sizes)


@torch.inference_mode()
def units_of(classifier: Classifier, layers: tuple[str, ...]) -> tuple[list[int], int]:
    """The units of each layer, as one empty picture shows them, and the pixels of what the model sees."""
    seen: dict[str, int] = {}
    hooks = []
    for path in layers:

        def hook(_: object, __: object, output: object, path: str = path) -> None:
            if isinstance(output, torch.Tensor) and output.ndim > 1:
                seen[path] = output.shape[1]

        hooks.append(get_layer(classifier.network, path).register_forward_hook(hook))
    try:
        size = classifier.preprocessing.spec.size or SCENE_SIDE
        view = classifier.preprocessing.view(np.zeros((size, size, 3), np.uint8))
        classifier.logits(classifier.preprocessing.from_view(view[None]))
    except (RuntimeError, ValueError) as error:
        raise XaiError(
            classifier.name, f"it does not answer a picture ({error})", "Look at its preprocessing."
        ) from error
    finally:
        for handle in hooks:
            handle.remove()
    for path in layers:
        if path not in seen:
            raise XaiError(
                f"the layer {path!r} of {classifier.name}", "gives no tensor of units", "Name another layer."
            )
    return [seen[path] for path in layers], view.shape[0] * view.shape[1]
