"""What a study may say about each attribution method. No torch and no skimage here: studies import it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Channel = Annotated[int, Field(ge=0, le=255)]


class _Parameters(BaseModel):
    """Unknown fields are errors, and nothing changes after validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    """ScoreCAM (Wang et al. 2020): one forward pass a channel of the target layer."""

    batch_size: int = Field(64, ge=1, le=4096, description="masked copies evaluated together")
    weighting: Literal["softmax", "increase"] = Field(
        "softmax",
        description="how scores become weights: a softmax over the channels' scores, as the library has it, or how much "
        "more probable the class becomes than without the image",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32",
        description="what masked copies are computed in; the error of bfloat16 is measured and kept with the map",
    )


class Slic(_Parameters):
    """Superpixels by k-means in colour and place (Achanta et al. 2012), as scikit-image has it."""

    name: Literal["slic"] = Field("slic", description="the segmentation's name")
    n_segments: int = Field(60, ge=2, le=5000, description="about how many superpixels")
    compactness: float = Field(
        12.0, gt=0, description="weight of place against colour; higher: squarer superpixels"
    )
    sigma: float = Field(
        1.0, ge=0, description="width in pixels of the Gaussian that smooths the image first"
    )


class Quickshift(_Parameters):
    """Superpixels by mode seeking (Vedaldi & Soatto 2008), as scikit-image has it.

    The defaults of kernel_size, max_dist and ratio are those of `lime`.
    """

    name: Literal["quickshift"] = Field("quickshift", description="the segmentation's name")
    kernel_size: float = Field(
        4.0, gt=0, description="width of the density kernel; higher: fewer superpixels"
    )
    max_dist: float = Field(200.0, gt=0, description="cut of the tree of modes; higher: fewer superpixels")
    ratio: float = Field(0.2, ge=0, le=1, description="weight of colour against place")
    sigma: float = Field(
        0.0, ge=0, description="width in pixels of the Gaussian that smooths the image first"
    )


class Felzenszwalb(_Parameters):
    """Superpixels by graph merging (Felzenszwalb & Huttenlocher 2004), as scikit-image has it."""

    name: Literal["felzenszwalb"] = Field("felzenszwalb", description="the segmentation's name")
    scale: float = Field(100.0, gt=0, description="higher: fewer and larger superpixels")
    sigma: float = Field(
        0.5, ge=0, description="width in pixels of the Gaussian that smooths the image first"
    )
    min_size: int = Field(50, ge=1, description="the smallest superpixel, in pixels")


class Grid(_Parameters):
    """Equal rectangles that know nothing of the image: what LIME sees without a segmentation's help."""

    name: Literal["grid"] = Field("grid", description="the segmentation's name")
    rows: int = Field(8, ge=1, le=256, description="rectangles from top to bottom")
    columns: int = Field(8, ge=1, le=256, description="rectangles from left to right")


Segmentation = Annotated[Slic | Quickshift | Felzenszwalb | Grid, Field(discriminator="name")]


class LimeParameters(_Parameters):
    """LIME for images (Ribeiro et al. 2016), as in `lime.lime_image`."""

    segmentation: Segmentation = Field(
        default_factory=Slic,
        description="how the view is cut into superpixels: a name, or a name with its parameters",
    )
    num_samples: int = Field(
        1000, ge=2, le=1_000_000, description="perturbed copies that the surrogate is fitted on"
    )
    num_features: int | None = Field(
        None,
        ge=1,
        description="superpixels that the surrogate may use; none: all. Up to 6 are chosen by forward "
        "selection, more by their weights",
    )
    hide_color: Literal["mean", "blur"] | tuple[Channel, Channel, Channel] = Field(
        "mean",
        description="what a hidden superpixel shows: its own mean colour, the blurred view, or one colour "
        "(r, g, b)",
    )
    kernel_width: float = Field(
        0.25,
        gt=0,
        description="width of the exponential kernel on the cosine distance from the unperturbed view",
    )
    batch_size: int = Field(100, ge=1, le=4096, description="perturbed copies evaluated together")
    positive_only: bool = Field(
        True, description="paint superpixels that speak for the class only; false: signed weights"
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_string_is_a_segmentation(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("segmentation"), str):
            return {**value, "segmentation": {"name": value["segmentation"]}}
        return value


Parameters = GradCAMParameters | AblationCAMParameters | ScoreCAMParameters | LimeParameters
"""What any of the methods takes."""

FURTHER_CAMS = ("hirescam", "gradcampp", "xgradcam", "layercam", "eigencam")
"""Relatives of Grad-CAM, made where a study asks for them."""

PARAMETERS: dict[str, type[Parameters]] = {
    "gradcam": GradCAMParameters,
    "ablationcam": AblationCAMParameters,
    "scorecam": ScoreCAMParameters,
    **dict.fromkeys(FURTHER_CAMS, GradCAMParameters),
    "lime": LimeParameters,
}
"""The methods by name, in the order of every table, with the class of their parameters."""
