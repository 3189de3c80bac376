"""A study: what one analysis is made of. This is the schema of `data/studies/*.yaml`.

A study has a dissection (what have the units of these models learned?), an attribution (where did this model
look in these images?), or both. Every field is described where it is defined; `xai check NAME` validates a file,
and `xai_assets.study_file` turns what is wrong with it into file, line and field.
"""

from functools import cache
from typing import Annotated, Any, Literal, Self, cast
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from xai_assets.attribution.binarisation import BinarisationPolicy
from xai_assets.attribution.parameters import (
    EXTERNAL,
    AblationCAMParameters,
    ExternalParameters,
    GradCAMParameters,
    LimeParameters,
    ScoreCAMParameters,
    VerifyParameters,
)
from xai_assets.dissection.class_pattern import class_pattern, is_pattern
from xai_assets.dissection.parameters import ClipDissect, SoftWPMI
from xai_assets.evaluation.parameters import Faithfulness, Robustness
from xai_assets.suggest import did_you_mean
from xai_assets.vision.spec import MEMORY_MIB, EncoderSpec, LayoutSpec, ModelSpec

Report = Literal["dissection", "cam", "lime", "comparison", "failures", "study"]
REPORTS: tuple[Report, ...] = ("dissection", "cam", "lime", "comparison", "failures", "study")
"""Every report, in the order in which they are made."""

STUDY_NAME = r"^[a-z0-9][a-z0-9-]{0,63}$"
"""A study's name: it stands in paths, in the warehouse and on the command line."""

ONE_LINE = r"^[^\r\n]*$"
"""A text without line breaks: terminals, tables and headings show it in one line."""


class Part(BaseModel):
    """A piece of a study: unknown fields are errors, and nothing changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DioramaProbe(Part):
    """Fresh scenes of the embedded picture world, with exact labels in Broden's six categories."""

    count: int = Field(1000, ge=100, le=100_000, description="how many scenes")


class ProbeSource(Part):
    """Where the probe images come from: exactly one of the three."""

    diorama: DioramaProbe | None = Field(None, description="scenes of the embedded picture world")
    broden: str | None = Field(
        None, description="a folder in Broden's published layout (index.csv, label.csv, …)"
    )
    folder: str | None = Field(None, description="a folder of images without labels: CLIP-Dissect only")
    classes: str | None = Field(
        None,
        description="of a folder, by which its encoder is judged: how file names say the class that an image shows, such "
        "as `n#_{class}.JPEG` or `{class}_#.*` (* is any text, # digits), or a CSV file with the columns image and class",
    )
    limit: int | None = Field(None, ge=1, description="use the first so many images only")

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(self, ("diorama", "broden", "folder"))
        if self.classes is not None:
            if self.folder is None:
                raise ValueError("`classes` is for a folder of images; the others have labels")
            if is_pattern(self.classes):
                class_pattern(self.classes)
        return self


class DissectedModel(Part):
    """A model and the layers whose units are looked at."""

    model: ModelSpec = Field(description="an entry of the model zoo, or a model of your own")
    layers: tuple[str, ...] = Field(min_length=1, description="module paths, such as layer4 or features.7")
    layout: dict[str, LayoutSpec] = Field(
        default_factory=dict,
        description="by layer, the axes of its output, such as {features.7: nhwc}; of the others they are read off it",
    )

    @model_validator(mode="before")
    @classmethod
    def _one_layout_is_of_all_layers(cls, value: Any) -> Any:
        given = value.get("layout") if isinstance(value, dict) else None
        one = isinstance(given, str) or (isinstance(given, dict) and "axes" in given)
        layers = value.get("layers") if one else None
        if isinstance(layers, (list, tuple)):
            return {**value, "layout": {layer: given for layer in layers if isinstance(layer, str)}}
        return value

    @model_validator(mode="after")
    def _layouts_are_of_layers(self) -> Self:
        others = sorted(set(self.layout) - set(self.layers))
        if others:
            raise ValueError(f"`layout` names {', '.join(others)}, which is not among `layers`")
        return self


class NetDissect(Part):
    """Network Dissection with pixel labels (Bau et al. 2017)."""

    quantile: float = Field(
        0.005, gt=0, lt=0.5, description="the share of a unit's activations above its threshold"
    )
    min_iou: float = Field(0.04, gt=0, lt=1, description="a unit is a detector above this IoU")
    permutations: int = Field(
        20,
        ge=3,
        le=1000,
        description="how often each image's on-regions meet the labels of another, to say what chance gives",
    )
    shuffles: int = Field(
        20,
        ge=0,
        le=100,
        description="networks with shuffled weights, an untrained baseline for the units of both methods; 0: none. The "
        "network is the unit of this null, so that p is at least 1 / (this + 1): fewer than 20 decide nothing",
    )
    shuffle_images: int = Field(
        250, ge=50, description="probe images, evenly spaced, that each of them is shown"
    )


class Dissection(Part):
    """What has each unit learned?"""

    models: tuple[DissectedModel, ...] = Field(min_length=1, description="target models and their layers")
    probe: ProbeSource = Field(description="the images that the units are shown")
    encoder: EncoderSpec = Field(description="the image-text encoder of CLIP-Dissect")
    concepts: str = Field("diorama", description="`diorama`, or a text file with one concept a line")
    clip_dissect: ClipDissect = Field(
        default_factory=SoftWPMI,
        description="parameters of CLIP-Dissect (Oikarinen & Weng 2023): `similarity` and what belongs to it",
    )
    netdissect: NetDissect = Field(default_factory=NetDissect, description="parameters of Network Dissection")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [entry.model.name for entry in self.models]
        if len(set(names)) != len(names):
            raise ValueError("each model may be named once; list all its layers there")
        return self


PACKAGED = r"^[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+$"
"""A file in a top-level package: no path leaves it, and none is hidden."""

SUBFOLDERS = "subfolders"
"""`labels` of images that lie in folders with the names of their classes."""


class DioramaImages(Part):
    """Fresh scenes to explain, with the true mask of each target."""

    singles: int = Field(9, ge=0, le=10_000, description="scenes with one target")
    pairs: int = Field(3, ge=0, le=10_000, description="scenes with two targets of different classes")


class ImageSource(Part):
    """Where the images to explain come from: exactly one of the first three."""

    diorama: DioramaImages | None = Field(None, description="scenes of the embedded picture world")
    folder: str | None = Field(None, description="a folder of photographs (JPEG, PNG, WebP, …)")
    packaged: tuple[Annotated[str, Field(pattern=PACKAGED)], ...] | None = Field(
        None,
        min_length=1,
        description="image files that come with installed Python packages, such as skimage/data/coffee.png; an image is "
        "named by its file's name",
    )
    recursive: bool | None = Field(
        None,
        description="take the images in folders below as well; an image is then named by its path below the folder. "
        "null: only where `labels` is `subfolders`",
    )
    labels: str | None = Field(
        None,
        description="of files, what the images show: `subfolders` (each folder in it has a class's name), a CSV file "
        "(image,label or image,label,split; several rows an image where it shows several classes), or COCO's "
        "instances_*.json. A class is said by its name, its number from 0 or its WordNet synset (n02099601)",
    )
    split: str | None = Field(
        None,
        min_length=1,
        description="take the images of this split only, as the CSV file's column `split` says",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        _exactly_one(self, ("diorama", "folder", "packaged"))
        of_files = [name for name in ("recursive", "labels", "split") if getattr(self, name) is not None]
        if of_files and self.diorama is not None:
            raise ValueError(f"`{of_files[0]}` is for files of images; of Diorama's scenes all is known")
        if self.packaged is not None and (self.recursive is not None or self.labels == SUBFOLDERS):
            raise ValueError("`recursive` and `labels: subfolders` are for a folder of images")
        names = [path.rpartition("/")[2] for path in self.packaged or ()]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"`packaged` has two files of the name {twice[0]}, which images are known by")
        suffix = (self.labels or "").lower().rpartition(".")[2]
        if self.labels is not None and self.labels != SUBFOLDERS and suffix not in ("csv", "json"):
            raise ValueError(
                f"labels: {self.labels[:80]!r} is neither `{SUBFOLDERS}` nor the name of a .csv or .json file."
                f"{did_you_mean(self.labels, [SUBFOLDERS])}"
            )
        if self.labels == SUBFOLDERS and self.recursive is False:
            raise ValueError(
                f"with `labels: {SUBFOLDERS}` the images are in folders below: leave `recursive` out"
            )
        if self.split is not None and suffix != "csv":
            raise ValueError("`split` needs `labels`: a CSV file with the columns image, label and split")
        return self

    @property
    def below(self) -> bool:
        """Whether images in folders below count."""
        return self.labels == SUBFOLDERS if self.recursive is None else self.recursive

    @property
    def labelled(self) -> bool:
        """Whether the study says what its images show."""
        return self.diorama is not None or self.labels is not None

    @property
    def label_file(self) -> str | None:
        """The file of labels, where there is one."""
        return None if self.labels == SUBFOLDERS else self.labels


class TruthSource(Part):
    """Where the objects of the target classes are: masks, boxes, or both, of which the masks are then used."""

    masks: str | None = Field(
        None,
        description="a folder of PNG files, white inside: `cat.jpg.png` or, where an image has several target "
        "classes, `cat.dog.png` or `dog/cat.png`",
    )
    boxes: str | None = Field(
        None,
        description="a CSV file (image,class,left,top,right,bottom in pixels), or COCO's instances_*.json; beside "
        "masks, each mask is compared with its boxes",
    )
    lies: Literal["original", "model"] = Field(
        "original", description="what masks are drawn on: the original picture, or the model's view of it"
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.masks is None and self.boxes is None:
            raise ValueError("name masks, boxes, or both")
        return self


SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,31}$")]
"""Of maps that another tool made: it is in tables and on axes."""


class Methods(Part):
    """The attribution methods and their parameters; leave one out to leave it out."""

    gradcam: GradCAMParameters | None = Field(None, description="Grad-CAM (Selvaraju et al. 2017)")
    ablationcam: AblationCAMParameters | None = Field(None, description="AblationCAM (Ramaswamy et al. 2020)")
    scorecam: ScoreCAMParameters | None = Field(None, description="ScoreCAM (Wang et al. 2020)")
    hirescam: GradCAMParameters | None = Field(None, description="HiResCAM (Draelos & Carin 2020)")
    gradcampp: GradCAMParameters | None = Field(None, description="Grad-CAM++ (Chattopadhyay et al. 2018)")
    xgradcam: GradCAMParameters | None = Field(None, description="XGradCAM (Fu et al. 2020)")
    layercam: GradCAMParameters | None = Field(None, description="LayerCAM (Jiang et al. 2021)")
    eigencam: GradCAMParameters | None = Field(
        None, description="EigenCAM (Muhammad & Yeasin 2020): looks at no class"
    )
    lime: LimeParameters | None = Field(None, description="LIME (Ribeiro et al. 2016)")
    external: dict[SetName, ExternalParameters] | None = Field(
        None,
        min_length=1,
        description="maps that other tools made: `{maps: DIR}`, or several sets by name, `{NAME: {maps: DIR}}`",
    )

    @field_validator("external", mode="before")
    @classmethod
    def _one_set_needs_no_name(cls, value: Any) -> Any:
        one = isinstance(value, dict) and ("maps" in value and not isinstance(value["maps"], dict))
        return {EXTERNAL: value} if one else value

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.chosen():
            raise ValueError("name at least one method, such as `gradcam: {}`")
        return self

    def chosen(self) -> tuple[str, ...]:
        """The methods that are asked for, in a fixed order: those that are made here, then the external sets."""
        return (*self.made(), *self.external_sets())

    def made(self) -> tuple[str, ...]:
        """The methods whose maps are made here."""
        return tuple(
            name for name in type(self).model_fields if name != EXTERNAL and getattr(self, name) is not None
        )

    def external_sets(self) -> dict[str, ExternalParameters]:
        """The sets of maps that other tools made, by the name of their method in every table: `external:NAME`."""
        return {
            name if name == EXTERNAL else f"{EXTERNAL}:{name}": given
            for name, given in (self.external or {}).items()
        }


class ExplainedSample(Part):
    """Which of many images are explained, where not all of them are."""

    failures: int = Field(
        3,
        ge=0,
        le=1000,
        description="the most wrong answers of each confused pair, those with the highest probability",
    )
    successes: Literal["matched", "none"] = Field(
        "matched",
        description="matched: beside each failure a right answer of its class with the nearest probability; none",
    )
    random: int = Field(20, ge=0, le=10_000, description="images that are drawn from all of them")


class Performance(Part):
    """How well does the model do on all labelled images?"""

    min_accuracy: float | None = Field(
        None,
        gt=0,
        le=1,
        description="the accuracy below which its check fails, where the 95 % interval lies below; none: not asked",
    )


class Attribution(Part):
    """Where did the model look?"""

    model: ModelSpec = Field(
        cast("ModelSpec", None),  # of several it is the first, see `_first_of_several`
        validate_default=False,
        description="the classifier that is explained; or `models`, several of them",
    )
    models: tuple[ModelSpec, ...] = Field(
        (),
        description="instead of `model`, several classifiers that explain the same images, such as an old and a new "
        "checkpoint: the first is `model`, the others are compared with it and with each other",
    )
    images: ImageSource = Field(description="the images that are explained")
    truth: TruthSource | None = Field(
        None, description="where the objects really are, for localisation; of Diorama's scenes it is known"
    )
    layer: str | None = Field(
        None,
        min_length=1,
        description="the target layer of the CAM methods, as a module path such as layer4; none: the network's last "
        "layer with positions, of a transformer the norm before the last attention (`xai layers MODEL` lists them)",
    )
    layout: LayoutSpec | None = Field(
        None, description="the axes of the target layer's output, such as nhwc; none: they are read off it"
    )
    explain: Literal["predicted", "labelled", "both"] = Field(
        "predicted",
        description="the class whose evidence is sought: the predicted one; each class that the image is labelled with, "
        "or the predicted one where the model has none of them; or both, once where they are the same, and where the "
        "answer is wrong why the predicted class rather than the labelled one as well (the difference of their logits)",
    )
    methods: Methods = Field(description="the methods and their parameters")
    lime_per_image: dict[str, LimeParameters] = Field(
        default_factory=dict,
        description="LIME parameters for single images, by file name; they replace the global ones",
    )
    binarisation: BinarisationPolicy = Field(
        default_factory=BinarisationPolicy, description="how a map becomes a mask; one policy for all methods"
    )
    sample: ExplainedSample | None = Field(
        None, description="the images that are explained, of all that are classified; null: every image"
    )
    performance: Performance = Field(
        default_factory=Performance, description="how well the model does on all labelled images"
    )
    faithfulness: Faithfulness | None = Field(
        default_factory=Faithfulness,
        description="does the score follow the map as pixels are taken away? null: not measured",
    )
    robustness: Robustness | None = Field(
        default_factory=Robustness,
        description="does a map stay under noise and other seeds, and go with the model? null: not measured",
    )
    verify: VerifyParameters | None = Field(
        None,
        description="are maps those of the libraries that published the methods? {} asks with every run, as "
        "`xai verify` does by hand; null: not asked",
    )
    memory_mib: int = Field(
        MEMORY_MIB,
        ge=32,
        le=2**24,
        description="what the values of one batch of forward passes may hold together on a CPU, in MiB; larger batches "
        "are cut",
    )

    @model_validator(mode="after")
    def _first_of_several(self) -> Self:
        given = self.model_fields_set & {"model", "models"}
        if len(given) == 2:
            raise ValueError("name `model` or `models`, not both; the first of `models` is `model`")
        if "models" in given:
            if not self.models:
                raise ValueError("`models` names no model; name one or more, or write `model: NAME`")
            if twice := [spec.name for at, spec in enumerate(self.models) if spec in self.models[:at]]:
                raise ValueError(f"`models` names {twice[0]} twice; a model does not differ from itself")
            object.__setattr__(self, "model", self.models[0])
            object.__setattr__(self, "models", self.models if len(self.models) > 1 else ())
        elif not given:
            raise ValueError("name the classifier that is explained: `model`, or `models` for several")
        return self

    @model_validator(mode="after")
    def _labels_to_explain(self) -> Self:
        if self.explain != "predicted" and not self.images.labelled:
            raise ValueError(
                f"`explain: {self.explain}` needs labels: give images.labels, or write `explain: predicted`"
            )
        return self

    @model_validator(mode="after")
    def _one_truth(self) -> Self:
        if self.truth and self.images.diorama:
            raise ValueError("the truth of Diorama's scenes is known; `truth` is for a folder of images")
        return self

    @model_validator(mode="after")
    def _verified_are_made(self) -> Self:
        chosen = self.methods.chosen()
        if others := [name for name in self.verify.methods if name not in chosen] if self.verify else []:
            raise ValueError(f"`verify` names {', '.join(others)}, which is not among `methods`")
        return self


class Drift(Part):
    """When a run's explanations count as others than those of the run before."""

    min_iou: float = Field(
        0.9,
        ge=0,
        le=1,
        description="the mean IoU of a method's masks with those of the last run, below which its check warns",
    )


class Study(Part):
    """One analysis: a file in `data/studies`, and a partition of the asset graph."""

    name: str = Field(pattern=STUDY_NAME, description="the file's name without .yaml")
    title: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        min_length=1, max_length=120, pattern=ONE_LINE, description="stands on the front page"
    )
    description: str = Field("", max_length=2000, description="what is analysed and why, in a few sentences")
    seed: int = Field(0, ge=0, lt=2**32, description="every random choice follows from it")
    dissection: Dissection | None = Field(None, description="what has each unit learned?")
    attribution: Attribution | None = Field(None, description="where did the model look?")
    drift: Drift = Field(default_factory=Drift, description="when explanations count as changed")
    reports: tuple[Report, ...] = Field(REPORTS, description="the reports to make")
    schedule: Annotated[str, Field(pattern=r"^\S+( \S+){4}$")] | None = Field(
        None, description="cron expression, five fields, in `timezone`; none: run by hand"
    )
    timezone: str = Field(
        "UTC", description="where the hours of `schedule` are those of the clock, such as Europe/Berlin"
    )

    @field_validator("timezone")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in _timezones():
            raise ValueError(
                f"there is no time zone {name[:60]!r}; write one such as Europe/Berlin.{did_you_mean(name, _timezones())}"
            )
        return name

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.dissection is None and self.attribution is None:
            raise ValueError("a study needs a dissection, an attribution, or both")
        return self


@cache
def _timezones() -> frozenset[str]:
    """The names of the IANA database, as the system or the package tzdata has it."""
    return frozenset(available_timezones()) | {"UTC"}


def _exactly_one(part: Part, names: tuple[str, ...]) -> None:
    given = [name for name in names if getattr(part, name) is not None]
    if len(given) != 1:
        raise ValueError(f"name exactly one of {', '.join(names)}; found {', '.join(given) or 'none'}")
