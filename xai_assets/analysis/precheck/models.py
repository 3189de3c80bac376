"""The models of a study: their weights fit, they have the layers, and what they make of an empty picture."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from xai_assets.analysis.embeddings import concept_words
from xai_assets.analysis.pixel_labels import vectors_left_out
from xai_assets.analysis.precheck.found import SCENE_SIDE, Found, Sizes
from xai_assets.analysis.precheck.layers import blank_by_gradient, look, refuse_vectors
from xai_assets.analysis.precheck.pictures import pictures, probe
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.formulas import CLASSES, WITHOUT_GRADIENT
from xai_assets.errors import XaiError
from xai_assets.settings import Settings
from xai_assets.study_file import StudyFile
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.encoders import load_encoder
from xai_assets.vision.images import FORMATS, read_folder


def explained(file: StudyFile, settings: Settings, sizes: Sizes) -> Iterator[Found]:
    """The classifier that is explained, and its pictures."""
    if (attribution := file.study.attribution) is None:
        return
    what = f"explained model {attribution.model.name}"
    try:
        classifier = load_classifier(attribution.model, settings, base=file.path.parent, device="cpu")
        folder = attribution.images.folder
        size = _image_size(classifier, file.resolve(folder) if folder else None)
        methods = attribution.methods.chosen()
        layers = () if set(methods) == {"lime"} else (attribution.layer,)  # LIME has no target layer
        seen, sizes.view_pixels = look(classifier, layers, [attribution.layout] * len(layers), size=size)
        blank = None
        for path, (_, layout) in zip(layers, seen, strict=True):
            if layout is None:
                refuse_vectors(classifier, path, size)
            if _weighted_by_gradient(methods):
                blank = blank_by_gradient(classifier, path, attribution.layout, size=size)
    except XaiError as error:
        yield Found(what, "unfit", str(error))
        return
    side = classifier.preprocessing.spec.size or SCENE_SIDE
    named = "".join(f", {path} of {units} channels" for path, (units, _) in zip(layers, seen, strict=True))
    yield Found(what, "ok", f"{len(classifier.class_names)} classes{named}, {side} px")
    if blank is not None:
        yield Found(f"target layer {attribution.layer}", "look", f"maps by gradient will be blank: {blank}")
    yield from _model_facts(classifier, what)
    yield from pictures(file, classifier, sizes)


def dissected(file: StudyFile, settings: Settings, sizes: Sizes) -> Iterator[Found]:
    """The dissected models, the encoder and its concepts, and the probe set."""
    if (dissection := file.study.dissection) is None:
        return
    for entry in dissection.models:
        what = f"dissected model {entry.model.name}"
        try:
            classifier = load_classifier(entry.model, settings, base=file.path.parent, device="cpu")
            folder = dissection.probe.folder
            size = _image_size(classifier, file.resolve(folder) if folder else None)
            seen, _ = look(
                classifier, entry.layers, [entry.layout.get(path) for path in entry.layers], size=size
            )
        except XaiError as error:
            yield Found(what, "unfit", str(error))
            continue
        sizes.units.append(sum(units for units, _ in seen))
        layers = ", ".join(f"{path} of {units}" for path, (units, _) in zip(entry.layers, seen, strict=True))
        yield Found(what, "ok", f"units: {layers}")
        without = [path for path, (_, layout) in zip(entry.layers, seen, strict=True) if layout is None]
        if without and dissection.probe.folder is None:
            yield Found(what, "look", vectors_left_out(entry.model.name, without))
        yield from _model_facts(classifier, what)
    try:
        load_encoder(dissection.encoder, settings, base=file.path.parent, device="cpu")
        words = concept_words(Workbench(settings, file))
        yield Found("encoder and concepts", "ok", f"{dissection.encoder.name}, {len(words)} concepts")
    except XaiError as error:
        yield Found("encoder and concepts", "unfit", str(error))
    yield probe(file, sizes)


def _weighted_by_gradient(methods: Sequence[str]) -> bool:
    return any(method in CLASSES and method not in WITHOUT_GRADIENT for method in methods)


def _model_facts(classifier: Classifier, what: str) -> Iterator[Found]:
    """What was decided about the checkpoint, each in a line."""
    for note in classifier.notes():
        yield Found(what, "look" if "transform_input" in note else "ok", note)


def _image_size(classifier: Classifier, folder: Path | None) -> tuple[int, int] | None:
    """Height and width of the first image that can be opened, where the model takes images as they are."""
    if classifier.preprocessing.spec.size is not None or folder is None or not folder.is_dir():
        return None
    for path in read_folder(folder):
        try:
            with Image.open(path, formats=FORMATS) as image:
                return image.height, image.width
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # said where the images are looked at
    return None
