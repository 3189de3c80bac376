"""The one way in: a method's name, a classifier, an image and a class give a map in the model's frame."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import ValidationError

from xai_assets.attribution import cams
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.lime_image import lime
from xai_assets.attribution.maps import AttributionMap, flags_of
from xai_assets.attribution.parameters import (
    PARAMETERS,
    AblationCAMParameters,
    LimeParameters,
    Parameters,
    ScoreCAMParameters,
)
from xai_assets.vision.classifiers import Classifier

METHODS = tuple(PARAMETERS)
"""The methods' names, in the order of every table."""

CODE_VERSION = "attribution 1"
"""Goes into the key of every kept map: raise it when the same inputs give another map."""

_CAM_EXTRAS = ("low_resolution", "channel_weights")


def explain(
    method: str,
    classifier: Classifier,
    pixels: np.ndarray,
    target: int | str,
    *,
    layer: str | None = None,
    parameters: Parameters | Mapping[str, Any] | None = None,
    seed: int = 0,
    image_id: str = "",
) -> AttributionMap:
    """Explain one class of one image.

    Args:
        method: one of METHODS.
        classifier: the model, with its preprocessing.
        pixels: h w 3 uint8 RGB, the original image.
        target: the class, by index or by name.
        layer: module path of the target layer; needed by the CAM methods, unused by LIME.
        parameters: the method's own class, or its fields; the defaults when None.
        seed: of LIME's samples; the CAM methods have no chance in them.
        image_id: the image's name, for the record.

    Returns:
        The map in the model's frame: for LIME as well, which perturbs the model's own view, so that all maps
        of an image lie in one frame. `extras`: `low_resolution` (h' w') and `channel_weights` (c) of the CAM
        methods, `segments` (h w int32) and `weights` (one a superpixel) of LIME. `details`: LIME's `r2`,
        `intercept`, `surrogate_probability`, `probability`, `superpixels`. The same arguments give the same
        bytes on the same machine.

    Raises:
        AttributionError: an unknown method, parameters that do not fit, no layer for a CAM method,
            a layer without a spatial output.
        UnknownClass: a class that the model does not have.
        UnknownLayer: a path that names no module.
    """
    checked = _parameters(method, parameters)
    index = classifier.class_index(target if isinstance(target, str) else int(target))
    values, extras, details = _compute(method, classifier, pixels, index, layer, checked, seed)
    return AttributionMap(
        values=values,
        method=method,
        image_id=image_id,
        target=index,
        target_name=classifier.class_names[index],
        layer=None if method == "lime" else layer,
        frame=classifier.preprocessing.frame(*pixels.shape[:2]),
        parameters=checked.model_dump(mode="json"),
        seed=seed,
        flags=flags_of(values),
        extras=extras,
        details=details,
    )


def _compute(
    method: str,
    classifier: Classifier,
    pixels: np.ndarray,
    target: int,
    layer: str | None,
    parameters: Parameters,
    seed: int,
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, Any]]:
    if isinstance(parameters, LimeParameters):
        found = lime(
            classifier, classifier.preprocessing.view(pixels), target, parameters=parameters, seed=seed
        )
        extras = {"segments": found.segments.astype(np.int32), "weights": found.weights}
        numbers = ("r2", "intercept", "surrogate_probability", "probability")
        return (
            found.values,
            extras,
            {name: getattr(found, name) for name in numbers} | {"superpixels": len(found.weights)},
        )
    if layer is None:
        raise AttributionError(method, "needs a target layer", "Name one by its module path, such as layer4.")
    tensor = classifier.preprocessing.tensor(pixels)[None]  # 3 h w -> 1 3 h w
    match parameters:
        case AblationCAMParameters():
            (cam,) = cams.ablationcam(classifier, tensor, [target], layer, batch_size=parameters.batch_size)
        case ScoreCAMParameters():
            (cam,) = cams.scorecam(classifier, tensor, [target], layer, batch_size=parameters.batch_size)
        case _:
            (cam,) = cams.gradcam(classifier, tensor, [target], layer)
    return cam.values, {name: getattr(cam, name) for name in _CAM_EXTRAS}, {}


def _parameters(method: str, given: Parameters | Mapping[str, Any] | None) -> Parameters:
    if method not in PARAMETERS:
        raise AttributionError(f"the method {method!r}", "is not known", f"Use one of {', '.join(METHODS)}.")
    wanted = PARAMETERS[method]
    if isinstance(given, wanted):
        return given
    if given is not None and not isinstance(given, Mapping):
        raise AttributionError(
            f"parameters of {method}", f"are {type(given).__name__}", f"Use {wanted.__name__}."
        )
    try:
        return wanted.model_validate(dict(given or {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "parameters"
        raise AttributionError(
            f"{method}: {where}", first["msg"], f"See {wanted.__name__} for what it takes."
        ) from error
