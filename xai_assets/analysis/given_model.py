"""A model as a command names it, without a study: what is not said is filled in, and each such choice is told."""

from dataclasses import dataclass

from xai_assets.errors import XaiError
from xai_assets.study_words import shown
from xai_assets.study_yaml import NotPlain, parse
from xai_assets.vision.published_preprocessing import published_preprocessing
from xai_assets.vision.spec import ModelSpec, PreprocessingSpec

DEFAULT = "lite/efficientnet-lite0"
"""The model of a first look: its weights come with the installation."""

LIBRARIES = ("torchvision/", "timm/", "diorama/")

IMAGENET = 1000
"""Outputs of a model of one's own that is given without class names."""


@dataclass(frozen=True)
class GivenModel:
    """A model, its class names where they are assumed, and what was decided, a line each."""

    spec: ModelSpec
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def given_model(
    name: str | None,
    *,
    checkpoint: str | None = None,
    classes: str | None = None,
    architecture: str | None = None,
    preprocessing: str | None = None,
) -> GivenModel:
    """The spec of a model that is named by options of a command.

    Args:
        name: of the zoo, or an architecture such as timm/resnet10t, or any name beside `architecture`; None: `DEFAULT`.
        checkpoint: a file of weights.
        classes: a file of class names, one a line.
        architecture: what the weights are of, where `name` is neither.
        preprocessing: as a study writes it, in one line of YAML; None: as the library's published weights want it.

    Raises:
        XaiError: a checkpoint of which the architecture is not said; a preprocessing that is none, or not known.
    """
    own = architecture or (name if checkpoint and name and name.startswith(LIBRARIES) else None)
    if checkpoint and name is None and own is None:
        raise XaiError(
            f"the checkpoint {checkpoint}",
            "it is not said what network its weights are of",
            "Add --architecture, such as torchvision/resnet18 or timm/resnet10t.",
        )
    notes: list[str] = []
    how = None if preprocessing is None else _preprocessing(preprocessing)
    if own is None:
        spec = ModelSpec(name=name or DEFAULT, checkpoint=checkpoint, class_names=classes, preprocessing=how)
        return GivenModel(spec)
    if checkpoint is None:
        raise XaiError(f"the architecture {own}", "it has no weights", "Add --checkpoint FILE.")
    if how is None:
        how = published_preprocessing(own)
        notes.append(f"preprocessing as the published weights of {own} want it: {in_words(how)}")
    spec = ModelSpec(
        name=name or own,
        architecture=own,
        checkpoint=checkpoint,
        class_names=classes,
        num_classes=None if classes else IMAGENET,
        preprocessing=how,
    )
    if classes:
        return GivenModel(spec, None, tuple(notes))
    notes.append(f"no class names are given: those of ImageNet's {IMAGENET:,} classes are assumed")
    return GivenModel(spec, imagenet_names(), tuple(notes))


def imagenet_names() -> tuple[str, ...]:
    """ImageNet's class names by output, as torchvision's weights have them."""
    import torchvision

    return tuple(torchvision.models.get_model_weights("resnet18")["DEFAULT"].meta["categories"])


def in_words(spec: PreprocessingSpec) -> str:
    """A preprocessing in one line, for people."""
    if spec.mode == "native":
        sizes = f"pixels as they are{f', {spec.size} x {spec.size}' if spec.size else ''}"
    elif spec.mode == "squash":
        sizes = f"squashed to {spec.size} x {spec.size} ({spec.interpolation})"
    else:
        sizes = f"shorter side to {spec.resize} ({spec.interpolation}), central {spec.size} x {spec.size}"
    mean, std = (", ".join(f"{value:g}" for value in values) for values in (spec.mean, spec.std))
    return f"{sizes}; mean {mean}; standard deviation {std}"


def _preprocessing(text: str) -> PreprocessingSpec:
    from pydantic import ValidationError

    what = f"--preprocessing {shown(text)}"
    example = "Write it as in a study, such as '{mode: resize_crop, resize: 256, size: 224}'."
    try:
        content = parse(f"preprocessing: {text}").content["preprocessing"]
    except NotPlain as error:
        raise XaiError(what, error.problems[0].said, example) from error
    try:
        return PreprocessingSpec.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise XaiError(what, f"{field + ': ' if field else ''}{first['msg']}", example) from error
