"""Whether a stored map is what the published library makes: `grad-cam` for class activation maps, `lime` for LIME.

Maps are compared scaled to 0..1: the library's are, and it divides by its largest value + 1e-7, which is taken back by
scaling them once more. What has no counterpart in the library is said, and is never within the tolerance.
"""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

import numpy as np

from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.parameters import (
    PARAMETERS,
    AblationCAMParameters,
    LimeParameters,
    Parameters,
    ScoreCAMParameters,
)
from xai_assets.attribution.scaling import is_constant, scale
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.spec import LayoutSpec

CODE_VERSION = "1"
"""Raise it when the same map and the same library give another comparison: kept ones are then made anew."""

GRAD_CAM, LIME = "grad-cam", "lime"

OF_A_GRADIENT = 3
"""Forward passes that a map of one forward and one backward pass counts as."""

AS_FAR = 10
"""Rounding explains a difference of up to so many times what float64 changes of the library's own map."""

Verdict = Literal["within", "beyond", "not_compared"]


@dataclass(frozen=True)
class Reference:
    """What a method's maps are held against.

    Attributes:
        library: its name as a package.
        tolerance: largest difference of two maps scaled to 0..1 that is rounding.
        reason: why it is not 0.
    """

    library: str
    tolerance: float
    reason: str

    @property
    def named(self) -> str:
        """The library with the version that is installed."""
        return f"{self.library} {version(self.library)}"


_ROUNDING = "sums over channels and gradients in float32, added up in another order"
_FALLS = "a weight is the difference of two nearly equal scores in float32, here from one gradient where that is exact"
_ANSWERS = (
    "weights are fitted on probabilities of float32 passes in other batches; lasso stops at its own tolerance"
)

REFERENCES: dict[str, Reference] = {
    method: Reference(GRAD_CAM, 1e-4, _ROUNDING) for method in PARAMETERS if method != "lime"
} | {"ablationcam": Reference(GRAD_CAM, 1e-3, _FALLS), "lime": Reference(LIME, 1e-3, _ANSWERS)}
"""By method, the library and the tolerance; 0.001 is a quarter of one of 255 grey levels."""


@dataclass(frozen=True)
class Comparison:
    """One map and the library's.

    Attributes:
        verdict: within or beyond the method's tolerance; not_compared: `note` says why.
        difference: largest absolute difference of the scaled maps; None where there is none to be had.
        note: why not, or what has to be said of how the library's map was made.
    """

    verdict: Verdict
    difference: float | None = None
    note: str | None = None


def library_passes(method: str, samples: int | None, channels: int) -> int:
    """Forward passes of one image that the library takes for a map: LIME's samples, a layer's channels, or a gradient."""
    if method == "lime":
        assert samples is not None
        return samples
    return channels if method in ("ablationcam", "scorecam") else OF_A_GRADIENT


def without_counterpart(method: str, parameters: Parameters) -> str | None:
    """Why the library has no map with these parameters; None where it has."""
    match parameters:
        case AblationCAMParameters(denominator="magnitude"):
            return "the library divides by the score, and the study asks for its magnitude"
        case AblationCAMParameters(value="zero"):
            return "the library has its own value for a channel that is left out, and the study asks for 0"
        case ScoreCAMParameters(mode="fast"):
            return "the library scores every channel, and fast mode predicts most scores: the map has its own claim"
        case ScoreCAMParameters(weighting="increase"):
            return "the library weights by a softmax over scores, and the study asks for the increase"
        case ScoreCAMParameters(precision="bfloat16") | LimeParameters(precision="bfloat16"):
            return f"the study asks for bfloat16, and {REFERENCES[method].library} computes in float32"
    return None


def compare(
    stored: AttributionMap,
    classifier: Classifier,
    pixels: np.ndarray,
    *,
    layout: LayoutSpec | None = None,
) -> Comparison:
    """Make a map again with the library, and compare.

    Where the difference is beyond the tolerance, the library's map is made once more in float64: if rounding alone
    moves it as far, the map is what is left of terms that cancel, and says nothing of either.

    Args:
        stored: the map, with the layer, target, parameters and seed that it was made with.
        classifier: the model that made it.
        pixels: h w 3 uint8, the original image.
        layout: of the layer's output; None: it is read off it.
    """
    from xai_assets.attribution.library_cams import NoCounterpart, library_cam  # the libraries take seconds
    from xai_assets.attribution.library_lime import library_lime

    reference = REFERENCES[stored.method]
    parameters = PARAMETERS[stored.method].model_validate(stored.parameters)
    if (why := without_counterpart(stored.method, parameters)) is not None:
        return Comparison("not_compared", note=why)
    if isinstance(parameters, LimeParameters):
        view = classifier.preprocessing.view(pixels)
        fixed = parameters.fixed(stored.details.get("samples"))
        values = library_lime(classifier, view, stored.asked, parameters=fixed, seed=stored.seed)
        return _judged(stored, values, reference.tolerance)
    assert stored.layer is not None
    tensor = classifier.preprocessing.tensor(pixels)[None]  # 3 h w -> 1 3 h w
    given = (classifier, tensor, stored.asked, stored.layer)
    try:
        found = library_cam(*given, method=stored.method, layout=layout)
    except NoCounterpart as error:
        return Comparison("not_compared", note=str(error))
    judged = _judged(stored, found.values, reference.tolerance, found.note)
    if judged.verdict != "beyond" or judged.difference is None:
        return judged
    try:
        exact = library_cam(*given, method=stored.method, layout=layout, exact=True)
    except NoCounterpart:  # a network that float64 does not suit says nothing of rounding
        return judged
    own = largest_difference(found.values, exact.values)
    if own <= reference.tolerance or judged.difference > AS_FAR * own:
        return judged
    why = f"the map is what is left of terms that cancel: in float64 the library's own differs by {own:.1g}"
    return Comparison("not_compared", judged.difference, why)


def largest_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Of two maps (h w), each scaled to 0..1; a constant map is 0 everywhere."""
    return float(np.abs(scale(a) - scale(b)).max())


def _judged(
    stored: AttributionMap, values: np.ndarray, tolerance: float, note: str | None = None
) -> Comparison:
    if values.shape != stored.values.shape:
        return Comparison("beyond", 1.0, f"the library's map is {values.shape}, ours {stored.values.shape}")
    if is_constant(values) and is_constant(stored.values):
        return Comparison("not_compared", note="both maps are constant and show nothing")
    if not np.isfinite(values).all() and not np.isfinite(stored.values).all():
        return Comparison("not_compared", note="both maps have values that are not finite")
    difference = largest_difference(stored.values, values)
    return Comparison("within" if difference <= tolerance else "beyond", difference, note)
