"""The four methods as functions, for a notebook: `from xai_assets.attribution import gradcam`.

All take a classifier and an original image and give the map in the model's frame. `explain` takes any method by name;
`Explainer` is quicker for many images.
"""

from typing import Any

import numpy as np

from xai_assets.attribution.explain import explain
from xai_assets.attribution.maps import AttributionMap
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.spec import LayoutSpec

Declared = LayoutSpec | str | None


def gradcam(
    classifier: Classifier,
    pixels: np.ndarray,
    target: int | str,
    *,
    layer: str,
    layout: Declared = None,
    image_id: str = "",
) -> AttributionMap:
    """Grad-CAM (Selvaraju et al. 2017): the layer's channels, weighted by the class score's mean gradient in each.

    Args:
        classifier: the model with its preprocessing, see `vision.classifiers.load_classifier`.
        pixels: uint8 (h, w, 3) RGB, the original image.
        target: the class, by index or by name.
        layer: module path of the target layer, such as "layer4".
        layout: the axes of its output where they cannot be read off it, such as "nhwc".
        image_id: the image's name, for the record.

    Returns:
        The raw map, float32 (h', w') in the model's frame, at least 0, with the frame, the class and what is in
        `extras` and `details` as `Explainer` says.

    Raises:
        LayoutError: a layer without a map, or whose axes cannot be told.
        UnknownClass, UnknownLayer: the model does not have it; the message lists those there are.
    """
    return explain(
        "gradcam", classifier, pixels, target, layer=layer, layout=_spec(layout), image_id=image_id
    )


def ablationcam(
    classifier: Classifier,
    pixels: np.ndarray,
    target: int | str,
    *,
    layer: str,
    layout: Declared = None,
    image_id: str = "",
    **parameters: Any,
) -> AttributionMap:
    """AblationCAM (Ramaswamy & Desai 2020): channels weighted by how far the score falls without each.

    Args, returns and errors as `gradcam`; `parameters` are the fields of `AblationCAMParameters`.
    """
    return explain(
        "ablationcam",
        classifier,
        pixels,
        target,
        layer=layer,
        layout=_spec(layout),
        parameters=parameters,
        image_id=image_id,
    )


def scorecam(
    classifier: Classifier,
    pixels: np.ndarray,
    target: int | str,
    *,
    layer: str,
    layout: Declared = None,
    image_id: str = "",
    **parameters: Any,
) -> AttributionMap:
    """ScoreCAM (Wang et al. 2020): channels weighted by the score of the image masked with each.

    Args, returns and errors as `gradcam`; `parameters` are the fields of `ScoreCAMParameters`.
    """
    return explain(
        "scorecam",
        classifier,
        pixels,
        target,
        layer=layer,
        layout=_spec(layout),
        parameters=parameters,
        image_id=image_id,
    )


def lime(
    classifier: Classifier,
    pixels: np.ndarray,
    target: int | str,
    *,
    seed: int = 0,
    image_id: str = "",
    **parameters: Any,
) -> AttributionMap:
    """LIME (Ribeiro et al. 2016): each superpixel's weight in a linear surrogate of the class probability.

    Args:
        classifier, pixels, target, image_id: as of `gradcam`.
        seed: of the samples; the same seed gives the same bytes.
        parameters: the fields of `LimeParameters`, such as `num_samples=1000` or `segmentation="slic"`.

    Returns:
        The map, float32 (h', w') in the model's frame: every pixel has its superpixel's weight, of either sign.
        `extras` holds `segments` and `weights`, `details` the surrogate's R2 among others.

    Raises:
        AttributionError: parameters that do not fit.
        UnknownClass: the model does not have it.
    """
    return explain("lime", classifier, pixels, target, parameters=parameters, seed=seed, image_id=image_id)


def _spec(layout: Declared) -> LayoutSpec | None:
    return LayoutSpec.model_validate(layout) if isinstance(layout, str) else layout
