"""What a study may say about each attribution method. No torch and no skimage here: studies import it."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from xai_assets.attribution.binarisation import BinarisationPolicy

Channel = Annotated[int, Field(ge=0, le=255)]


AUTO = "auto"
"""As LIME's number of samples: as many as the mask needs."""


class _Parameters(BaseModel):
    """Unknown fields and numbers that are not finite are errors, and nothing changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GradCAMParameters(_Parameters):
    """Grad-CAM (Selvaraju et al. 2017) has none: one forward and one backward pass. Its relatives have none either."""


class AblationCAMParameters(_Parameters):
    """AblationCAM (Ramaswamy & Desai 2020): what lies behind the layer is evaluated once a channel."""

    batch_size: int = Field(64, ge=1, le=4096, description="ablated copies evaluated together")
    denominator: Literal["score", "magnitude"] = Field(
        "score",
        description="a channel's weight is the score's fall divided by this: the score, as the library has it, which "
        "turns the map's sign round where the score is negative, or its magnitude, which does not",
    )
    value: Literal["library", "zero"] = Field(
        "library",
        description="what a channel is replaced by: 0 where the layer's smallest value is 0 and else about -1e7, as the "
        "library has it, or 0 everywhere, as the paper has it",
    )


class ScoreCAMParameters(_Parameters):
    """ScoreCAM (Wang et al. 2020): one forward pass for each channel of the target layer; fast mode takes fewer."""

    mode: Literal["exact", "fast"] = Field(
        "exact",
        description="exact: every channel is scored. fast: channels are scored a few at a time, and the scores of the "
        "others are predicted; the map states which IoU with the exact map's mask it expects, and claims at least",
    )
    iou: float = Field(
        0.98,
        gt=0,
        lt=1,
        description="fast mode: stop when this IoU with the exact map's mask is to be expected",
    )
    passes: int = Field(
        256, ge=8, le=1_000_000, description="fast mode: most channels that are scored, whatever is expected"
    )
    batch_size: int = Field(64, ge=1, le=4096, description="masked copies evaluated together")
    weighting: Literal["softmax", "increase"] = Field(
        "softmax",
        description="how scores become weights: a softmax over the channels' scores, as the library has it, or how much "
        "more probable the class becomes than without the image; fast mode takes softmax only",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="what masked copies are computed in; the error of bfloat16 is measured and kept with the map",
    )

    @model_validator(mode="after")
    def _fast_mode_takes_softmax(self) -> Self:
        if self.mode == "fast" and self.weighting != "softmax":
            raise ValueError("mode: fast predicts the scores that a softmax weights; leave `weighting` out")
        return self

    @model_serializer(mode="wrap")
    def _of_the_mode(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Exact maps keep the keys and files that they had before there was another mode."""
        found: dict[str, Any] = whole(self)
        if self.mode == "exact":
            for name in ("mode", "iou", "passes"):
                found.pop(name, None)
        return found


class Slic(_Parameters):
    """Superpixels by k-means in colour and place (Achanta et al. 2012), as scikit-image has it."""

    name: Literal["slic"] = Field("slic", description="the segmentation's name")
    n_segments: int = Field(60, ge=2, le=5000, description="about how many superpixels")
    compactness: float = Field(
        12.0, gt=0, description="weight of place against colour; higher: squarer superpixels"
    )
    sigma: float = Field(
        1.0, ge=0, le=1000, description="width in pixels of the Gaussian that smooths the image first"
    )
    max_num_iter: int = Field(10, ge=1, le=1000, description="most rounds of k-means")
    slic_zero: bool = Field(
        False, description="SLICO: compactness adapted to each superpixel; `compactness` only starts it"
    )


class Quickshift(_Parameters):
    """Superpixels by mode seeking (Vedaldi & Soatto 2008), as scikit-image has it.

    The defaults are those of `lime`. Its `random_seed` never reaches scikit-image, whose argument is `rng` by now, so
    that every picture's ties are broken by 42 there; they are here.
    """

    name: Literal["quickshift"] = Field("quickshift", description="the segmentation's name")
    kernel_size: float = Field(
        4.0,
        ge=1,
        le=1000,
        description="width of the density kernel, at least 1 as in scikit-image; higher: fewer superpixels",
    )
    max_dist: float = Field(200.0, gt=0, description="cut of the tree of modes; higher: fewer superpixels")
    ratio: float = Field(0.2, ge=0, le=1, description="weight of colour against place")
    sigma: float = Field(
        0.0, ge=0, le=1000, description="width in pixels of the Gaussian that smooths the image first"
    )
    rng: int | None = Field(
        42, ge=0, lt=2**32, description="breaks ties; 42 as in `lime`; none: the study's seed"
    )


class Felzenszwalb(_Parameters):
    """Superpixels by graph merging (Felzenszwalb & Huttenlocher 2004), as scikit-image has it."""

    name: Literal["felzenszwalb"] = Field("felzenszwalb", description="the segmentation's name")
    scale: float = Field(100.0, gt=0, description="higher: fewer and larger superpixels")
    sigma: float = Field(
        0.5, ge=0, le=1000, description="width in pixels of the Gaussian that smooths the image first"
    )
    min_size: int = Field(50, ge=1, le=10**9, description="the smallest superpixel, in pixels")


class Grid(_Parameters):
    """Equal rectangles that know nothing of the image: what LIME sees without a segmentation's help."""

    name: Literal["grid"] = Field("grid", description="the segmentation's name")
    rows: int = Field(8, ge=1, le=256, description="rectangles from top to bottom")
    columns: int = Field(8, ge=1, le=256, description="rectangles from left to right")


Segmentation = Annotated[Slic | Quickshift | Felzenszwalb | Grid, Field(discriminator="name")]


class Ridge(_Parameters):
    """Least squares with a quadratic penalty: the surrogate of `lime`."""

    name: Literal["ridge"] = Field("ridge", description="the regressor's name")
    alpha: float = Field(1.0, gt=0, description="the penalty's weight against the squared errors' sum")


class Linear(_Parameters):
    """Least squares without a penalty; of several solutions the one of smallest norm."""

    name: Literal["linear"] = Field("linear", description="the regressor's name")


class Lasso(_Parameters):
    """Least squares with an absolute penalty: superpixels that say little get exactly 0 (Tibshirani 1996)."""

    name: Literal["lasso"] = Field("lasso", description="the regressor's name")
    alpha: float = Field(
        0.001, gt=0, description="the penalty's weight against half the mean squared error of a probability"
    )


ModelRegressor = Annotated[Ridge | Linear | Lasso, Field(discriminator="name")]


class AutoSamples(_Parameters):
    """As many perturbed copies as the mask needs: LIME stops where more of them would hardly change it."""

    confidence: float = Field(
        0.95, ge=0.5, lt=1, description="how sure it has to be that the mask is stable, see `overlap`"
    )
    overlap: float = Field(
        0.8,
        gt=0,
        le=1,
        description="a mask is stable that overlaps, by at least this IoU, with the mask of endlessly many copies",
    )
    at_most: int = Field(
        1000, ge=2, le=1_000_000, description="stop at so many, stable or not; the report says which"
    )
    mask: BinarisationPolicy | None = Field(
        None, description="what makes the map a mask; none: the study's `binarisation`"
    )


class LimeParameters(_Parameters):
    """LIME for images (Ribeiro et al. 2016), as in `lime.lime_image`."""

    segmentation: Segmentation = Field(
        default_factory=Slic,
        description="how the view is cut into superpixels: a name, or a name with its parameters",
    )
    num_samples: Annotated[int, Field(ge=2, le=1_000_000)] | AutoSamples = Field(
        1000,
        description="perturbed copies that the surrogate is fitted on, 2 to 1,000,000; or `auto`, or what it should "
        "come to, such as {confidence: 0.9}: until the mask is stable",
    )
    num_features: int | None = Field(
        None, ge=1, description="superpixels that the surrogate may use; none: all"
    )
    feature_selection: Literal["auto", "forward_selection", "highest_weights", "lasso_path", "none"] = Field(
        "auto",
        description="how num_features are chosen; auto: up to 6 by forward selection, more by their weights; "
        "none: all are used, whatever num_features says",
    )
    top_labels: int | None = Field(
        None,
        ge=1,
        description="also keep the surrogates of so many most probable classes, from the same samples; none: the "
        "target class alone",
    )
    hide_color: Literal["mean", "blur"] | tuple[Channel, Channel, Channel] = Field(
        "mean",
        description="what a hidden superpixel shows: its own mean colour, the blurred view, or one colour "
        "(r, g, b)",
    )
    distance_metric: Literal["cosine", "euclidean", "l2", "manhattan", "l1", "cityblock", "hamming"] = Field(
        "cosine",
        description="how far a perturbed copy is from the view, by scikit-learn's names; euclidean and manhattan "
        "grow with the number of superpixels, and kernel_width must grow with them",
    )
    kernel_width: float = Field(
        0.25, gt=0, description="width of the exponential kernel on the distance from the unperturbed view"
    )
    model_regressor: ModelRegressor = Field(
        default_factory=Ridge, description="the surrogate: a name, or a name with its parameters"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="what the perturbed copies are computed in; the error of bfloat16 is measured and kept with the map",
    )
    batch_size: int = Field(
        32,
        ge=1,
        le=4096,
        description="perturbed copies evaluated together; a GPU wants more, a CPU is slower with many",
    )
    positive_only: bool = Field(
        True, description="paint superpixels that speak for the class only; false: signed weights"
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_string_is_a_name(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        named = ("segmentation", "model_regressor")
        until: dict[str, Any] = {"num_samples": {}} if value.get("num_samples") == AUTO else {}
        return value | until | {key: {"name": value[key]} for key in named if isinstance(value.get(key), str)}

    @property
    def most_samples(self) -> int:
        """How many perturbed copies it takes, or takes at most."""
        return self.num_samples.at_most if isinstance(self.num_samples, AutoSamples) else self.num_samples

    def fixed(self, samples: int | None = None) -> Self:
        """The same with so many samples, which `auto` may have come to; None: as many as it takes at most."""
        return self.model_copy(update={"num_samples": samples or self.most_samples})


EXTERNAL = "external"
"""The method's name of maps that another tool made; of a named set with its name behind a colon."""


class ExternalParameters(_Parameters):
    """Maps that another tool made, from files: measured as our own are, and not made again."""

    maps: str = Field(
        min_length=1,
        description="a folder of grey PNG, .npy or .safetensors files, named by the image (`cat.npy`) or by image and "
        "class (`cat.dog.npy`, `dog/cat.npy`); or one .safetensors file with a tensor a map, named so",
    )
    tool: str | None = Field(
        None,
        min_length=1,
        max_length=60,
        pattern=r"^[^\r\n]*$",
        description="what made them, such as captum 0.9 IntegratedGradients",
    )
    layer: str | None = Field(None, min_length=1, max_length=200, description="the layer that they are of")
    threshold: float | None = Field(
        None,
        description="the tool's own: where a map is at least so high, in its own values (grey of PNG files is 0 to 1), "
        "it is in the mask; none: the study's `binarisation`",
    )
    frame: Literal["original", "model"] | None = Field(
        None,
        description="what they lie on: the image file, or the model's input; none: the one whose size they have",
    )
    channels: Literal["sum", "absolute"] | None = Field(
        None,
        description="of arrays with a value for each colour channel: the sum, or the sum of magnitudes; none: refused",
    )


def is_external(method: str) -> bool:
    """Whether a method's maps are another tool's."""
    return method == EXTERNAL or method.startswith(f"{EXTERNAL}:")


Parameters = GradCAMParameters | AblationCAMParameters | ScoreCAMParameters | LimeParameters
"""What any of the methods takes."""

FURTHER_CAMS = ("hirescam", "gradcampp", "xgradcam", "layercam", "eigencam")
"""Relatives of Grad-CAM, made where a study asks for them."""

CLASS_AGNOSTIC = ("eigencam",)
"""Methods that look at no class: one map for all, and none of the difference of two."""

Method = Literal[
    "gradcam", "ablationcam", "scorecam", "hirescam", "gradcampp", "xgradcam", "layercam", "eigencam", "lime"
]
"""The name of a method."""

VERIFIED = 3
"""Maps of each method that are made again by the published libraries, unless told otherwise."""


class VerifyParameters(_Parameters):
    """A sample of finished maps is made again by the libraries `grad-cam` and `lime` with every run, and compared."""

    maps: int = Field(
        VERIFIED,
        ge=1,
        le=10_000,
        description="maps of each method, of cases that the study's seed draws; AblationCAM and ScoreCAM take the "
        "library a forward pass for each channel of the layer, LIME one for each sample",
    )
    methods: tuple[Method, ...] = Field((), description="these methods only; none: all that the study has")


PARAMETERS: dict[str, type[Parameters]] = {
    "gradcam": GradCAMParameters,
    "ablationcam": AblationCAMParameters,
    "scorecam": ScoreCAMParameters,
    **dict.fromkeys(FURTHER_CAMS, GradCAMParameters),
    "lime": LimeParameters,
}
"""The methods by name, in the order of every table, with the class of their parameters."""
