"""LIME parameters per image, as an older tool pickled them: the arguments of `explain_instance`, by image.

The file holds a dictionary from an image's name (or its label) to a dictionary of arguments of
`lime.lime_image.LimeImageExplainer`, and of the segmentation's. What has the same meaning here is carried over, the
library's defaults included, so that the result is what the older tool ran; what has none is named.
"""

import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from xai_assets.attribution.parameters import Felzenszwalb, Grid, LimeParameters, Quickshift, Slic
from xai_assets.errors import XaiError
from xai_assets.interop.plain_pickle import MAX_BYTES, PARAMETERS_ALONE, read_plain_pickle
from xai_assets.reading import read_regular, shown
from xai_assets.study_words import sentence

ALL_FEATURES = 100_000
"""The library's own way to say: as many as there are."""

SEGMENTATIONS = {kind.model_fields["name"].default: kind for kind in (Slic, Quickshift, Felzenszwalb, Grid)}

_OF_SCIKIT_IMAGE: dict[str, dict[str, float]] = {
    "quickshift": {"kernel_size": 5, "max_dist": 10, "ratio": 1.0, "sigma": 0},
    "slic": {"n_segments": 100, "compactness": 10, "sigma": 0},
    "felzenszwalb": {"scale": 1, "sigma": 0.8, "min_size": 20},
    "grid": {},
}
"""Its defaults, which hold where the file names a segmentation. Where it names none, `lime` runs quickshift with
parameters of its own, which are `Quickshift`'s defaults."""

_SAME_NAME = (
    "top_labels", "num_samples", "batch_size", "kernel_width", "positive_only", "distance_metric", "feature_selection",
    "model_regressor",
)  # fmt: skip
_SEGMENTATION = ("segmentation_alg", "segmentation", "segmentation_fn")
_SEGMENTATION_FIELDS = {field for kind in SEGMENTATIONS.values() for field in kind.model_fields} - {"name"}
_KNOWN = {*_SAME_NAME, *_SEGMENTATION, *_SEGMENTATION_FIELDS, "hide_color", "num_features"}
_OF_THE_STUDY = {
    "labels": "`attribution.explain` of the study says which classes are explained",
    "random_seed": "`seed` of the study is the one seed",
}


class LegacyLimeError(XaiError):
    """A file that holds no LIME parameters by image."""


@dataclass(frozen=True)
class LegacyLime:
    """What such a file says.

    Attributes:
        parameters: by the image's name in the file, in its order.
        refused: why an image's parameters could not be carried over, by its name.
        notes: arguments that were not carried over, and why; each said once, with the number of images.
    """

    parameters: dict[str, LimeParameters]
    refused: dict[str, str]
    notes: tuple[str, ...]


def read_legacy_lime(path: str | Path) -> LegacyLime:
    """Read a pickle of LIME parameters by image, of at most `plain_pickle.MAX_BYTES`; nothing in it is run.

    Raises:
        PickleRefused: empty, damaged, or more than plain data.
        LegacyLimeError: absent, no regular file, too large, or plain data of another kind.
    """
    data = read_regular(path, MAX_BYTES, error=LegacyLimeError, remedy=PARAMETERS_ALONE)
    return convert(read_plain_pickle(data, name=shown(path)), source=shown(path))


def convert(content: Any, *, source: str) -> LegacyLime:
    """What `read_legacy_lime` finds, from the plain value that the file holds; `source` is for errors.

    Raises:
        LegacyLimeError: not a dictionary of dictionaries, or an empty one.
    """
    remedy = "It should be a dictionary: image name, then the arguments of explain_instance."
    if not isinstance(content, dict):
        raise LegacyLimeError(source, f"it holds a {type(content).__name__}, no parameters by image", remedy)
    if not content:
        raise LegacyLimeError(source, "it holds no image: the dictionary is empty", remedy)
    if content.keys() & (set(LimeParameters.model_fields) | set(_SEGMENTATION) | _OF_THE_STUDY.keys()):
        why = "it holds one set of parameters, not one by image"
        raise LegacyLimeError(source, why, "Write it under `attribution.methods.lime` of a study.")
    parameters: dict[str, LimeParameters] = {}
    refused: dict[str, str] = {}
    notes: dict[str, list[str]] = {}
    for image, arguments in content.items():
        name = _shown(image)
        if name != image:  # control characters in a name could rewrite the terminal that it is shown on
            refused[name] = "no name that can be printed"
            continue
        if not isinstance(arguments, dict) or not arguments:
            refused[name] = "no parameters: empty, or no dictionary"
            continue
        said: list[str] = []
        try:
            parameters[name] = _parameters(arguments, said.append)
        except (ValueError, TypeError) as error:
            refused[name] = _reason(error)
        for note in said:
            notes.setdefault(note, []).append(name)
    return LegacyLime(
        parameters, refused, tuple(_counted(note, images, len(content)) for note, images in notes.items())
    )


def match_images(names: Iterable[str], images: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Which of a study's images the names of such a file mean.

    A name is an image's file name, its stem, or its stem behind a WordNet id (`n01443537_goldfish` for `goldfish`).

    Returns:
        The image by name, and the reason by name where none or several fit.
    """
    meant: dict[str, list[str]] = {}
    for image in images:
        stem = Path(image).stem
        prefix, _, label = stem.partition("_")
        known = prefix[:1] == "n" and prefix[1:].isdecimal() and label
        for spelling in {image, stem, *([label] if known else [])}:
            meant.setdefault(spelling, []).append(image)
    found, unmatched = {}, {}
    for name in names:
        candidates = meant.get(name, [])
        if len(candidates) == 1:
            found[name] = candidates[0]
        else:
            unmatched[name] = (
                f"means {' and '.join(candidates)}" if candidates else "is no image of the study"
            )
    return found, unmatched


def _parameters(arguments: Mapping[Any, Any], note: Callable[[str], None]) -> LimeParameters:
    given: dict[str, Any] = {"segmentation": _segmentation(arguments, note)}
    given["hide_color"] = _hide_color(arguments.get("hide_color"))
    features = arguments.get("num_features", ALL_FEATURES)
    given["num_features"] = None if features == ALL_FEATURES else features
    for key in _SAME_NAME:
        if arguments.get(key) is not None:
            given[key] = arguments[key]
    for key, value in arguments.items():
        if key in _OF_THE_STUDY:
            if value is not None:
                note(f"{key}={reprlib.repr(value)}: not a parameter of an image here: {_OF_THE_STUDY[key]}")
        elif key not in _KNOWN:
            note(f"{_shown(key)[:60]}: unknown, not carried over")
    return LimeParameters.model_validate(given)


def _segmentation(arguments: Mapping[Any, Any], note: Callable[[str], None]) -> dict[str, Any]:
    """The segmentation by name with its fields, which stand beside it or in a dictionary of their own."""
    given = next((arguments[key] for key in _SEGMENTATION if arguments.get(key) is not None), None)
    fields = {
        key: arguments[key] for key in arguments if key in _SEGMENTATION_FIELDS and arguments[key] is not None
    }
    if isinstance(given, dict):
        fields |= {key: value for key, value in given.items() if key not in ("name", "algo_type")}
        given = given.get("name", given.get("algo_type"))
    defaults = _OF_SCIKIT_IMAGE.get(str(given), {})
    given = given if given is not None else "quickshift"
    if not isinstance(given, str) or given not in SEGMENTATIONS:
        raise ValueError(f"the segmentation {reprlib.repr(given)} is none of {', '.join(SEGMENTATIONS)}")
    unfit = fields.keys() - SEGMENTATIONS[given].model_fields.keys()
    for key in sorted(unfit):
        note(f"{key}: not a parameter of {given}, not carried over")
    return {"name": given, **defaults, **{key: value for key, value in fields.items() if key not in unfit}}


def _hide_color(value: Any) -> Any:
    """The library's None is each superpixel's mean, its number a grey: 0 is black."""
    if value is None:
        return "mean"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (value, value, value)
    return tuple(value) if isinstance(value, list | tuple) else value


def _shown(name: Any) -> str:
    return name if isinstance(name, str) and name.isprintable() else reprlib.repr(name)


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{first['loc'][0]}: {sentence(first, LimeParameters)}"
    return str(error)


def _counted(note: str, images: list[str], total: int) -> str:
    which = "all images" if len(images) == total else ", ".join(images[:3])
    more = f" and {len(images) - 3} more" if len(images) > 3 and len(images) != total else ""
    return f"{note} ({which}{more})"
