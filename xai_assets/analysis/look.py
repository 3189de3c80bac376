"""A first look at photographs: what a model answers, what part of each it sees, and where the evidence lies.

No study, no tables and nothing kept: one pass and one Grad-CAM a photograph, for a page that a person reads once.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from xai_assets.analysis.answer import answer
from xai_assets.analysis.given_model import GivenModel
from xai_assets.attribution import cams
from xai_assets.attribution.scaling import is_constant, scale
from xai_assets.attribution.target_layers import layer_of
from xai_assets.errors import XaiError
from xai_assets.progress import Progress, silent
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.geometry import Frame
from xai_assets.vision.image_files import ImageError, list_folder
from xai_assets.vision.images import read_image
from xai_assets.vision.layers import get_layer

TOP = 5
"""Classes that are named of each photograph."""

LARGEST = 1600
"""Pixels of the longer side of an original that is kept for the page."""


@dataclass(frozen=True)
class Photograph:
    """What a model says about one photograph.

    Attributes:
        name: the file's name, with its folder where another photograph has the same.
        pixels: h w 3 uint8, the original, its longer side at most `LARGEST`.
        frame: how the model's frame lies in the original (of its own size).
        view: h w 3 uint8, what the model sees.
        overlay: h w float32 in 0..1, Grad-CAM of the predicted class in the model's frame.
        blank: the map is the same everywhere, and shows nothing.
        classes: name and probability of the likeliest classes, the predicted one first.
        notes: what is unusual about the file, or its map.
    """

    name: str
    pixels: np.ndarray = field(repr=False)
    frame: Frame
    view: np.ndarray = field(repr=False)
    overlay: np.ndarray = field(repr=False)
    blank: bool
    classes: tuple[tuple[str, float], ...]
    notes: tuple[str, ...] = ()

    @property
    def seen(self) -> float:
        """The share of the original's area that the model sees, 0..1."""
        return self.frame.seen()


@dataclass
class Look:
    """Photographs that were looked at, the model, and what was left out.

    Attributes:
        classifier: the model.
        layer: the target layer of Grad-CAM.
        chosen: the layer was not named: it is the default one.
        photographs: in the order in which they were given.
        left_out: name and reason of each file that could not be used.
        assumed: what was not said of the model and filled in, a line each.
    """

    classifier: Classifier
    layer: str
    chosen: bool
    assumed: tuple[str, ...] = ()
    photographs: list[Photograph] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)

    @property
    def notes(self) -> list[str]:
        """What was assumed, and what was decided about the checkpoint."""
        return [*self.assumed, *self.classifier.notes()]


def photographs_of(paths: Sequence[Path], most: int) -> tuple[list[Path], list[tuple[str, str]], int]:
    """The image files of files and folders, in order, each once.

    Returns:
        At most so many files; name and reason of each that is none; how many there are in all.
    """
    found: list[Path] = []
    left_out: list[tuple[str, str]] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        try:
            listing = list_folder(path)
        except XaiError as error:
            left_out.append((str(path), f"{error.why}. {error.remedy}"))
            continue
        found += listing.images
        left_out += [(one.name, one.why) for one in listing.left_out]
    once = list(dict.fromkeys(found))
    return once[:most], left_out, len(once)


def open_model(given: GivenModel, settings: Settings, progress: Progress = silent) -> Classifier:
    """The classifier that a command names, with the class names that are assumed where none are given.

    Raises:
        XaiError: as `load_classifier`.
    """
    classifier = load_classifier(given.spec, settings, progress=progress)
    if given.class_names is None:
        return classifier
    return dataclasses.replace(classifier, class_names=given.class_names)


def look(
    given: GivenModel,
    paths: Sequence[Path],
    settings: Settings,
    *,
    layer: str | None = None,
    progress: Progress = silent,
    begins: Callable[[str], object] = lambda what: None,
) -> Look:
    """Look at photographs; one that cannot be used is left out by name and does not stop the others.

    Args:
        given: the model.
        paths: image files.
        settings: what to compute on.
        layer: the target layer; None: the model's last layer with positions.
        progress: called after each photograph.
        begins: called with what begins, for the person who waits.

    Raises:
        XaiError: the model cannot be loaded, or does not have the layer.
    """
    begins("loading the model")
    classifier = open_model(given, settings)
    if layer is not None:
        get_layer(classifier.network, layer)
    found = Look(classifier, layer or layer_of(classifier), layer is None, given.notes)
    begins("photographs")
    names = _names(paths)
    for done, path in enumerate(paths, 1):
        try:
            found.photographs.append(_look_at(classifier, found.layer, path, names[path]))
        except ImageError as error:
            found.left_out.append((names[path], f"{error.why}. {error.remedy}"))
        except XaiError as error:
            found.left_out.append((names[path], str(error)))
        progress(done, len(paths))
    return found


def _names(paths: Sequence[Path]) -> dict[Path, str]:
    names = [path.name for path in paths]
    return {
        path: path.name if names.count(path.name) == 1 else f"{path.parent.name}/{path.name}"
        for path in paths
    }


def _look_at(classifier: Classifier, layer: str, path: Path, name: str) -> Photograph:
    image = read_image(path)
    said = answer(classifier, image.pixels, name)
    frame = classifier.preprocessing.frame(*image.pixels.shape[:2])
    (cam,) = cams.gradcam(classifier, said.batch, [said.best], layer)
    if not np.isfinite(cam.values).all():
        raise XaiError(
            f"Grad-CAM of {name}", "has values that are not finite", "Look at the checkpoint's weights."
        )
    order = np.argsort(-said.scores, kind="stable")[:TOP]
    return Photograph(
        name,
        _reduced(image.pixels),
        frame,
        said.view,
        scale(cam.values),
        is_constant(cam.values),
        tuple((classifier.class_names[index], float(said.scores[index])) for index in order),
        tuple(_notes(image.notes, frame, cam.details.get("warning"))),
    )


def _notes(of_file: Sequence[str], frame: Frame, warning: str | None) -> Iterator[str]:
    yield from of_file
    top, left, bottom, right = frame.box
    times = max(frame.size[0] / (bottom - top), frame.size[1] / (right - left))
    if times > 2:
        yield f"small: the model sees it enlarged {times:.0f} times"
    if warning:
        yield warning


def _reduced(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    times = LARGEST / max(height, width)
    if times >= 1:
        return pixels
    size = max(1, round(width * times)), max(1, round(height * times))
    return cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
