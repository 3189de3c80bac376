"""The four methods as functions, for a notebook: `from xai_assets import gradcam`.

All take a network, or a classifier with its preprocessing, and an image, and give the map in the model's frame.
`explain` takes any method by name; `Explainer` is quicker for many images.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from xai_assets.attribution.explain import Explainer
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.in_memory import Given, Picture, predicted, prepared
from xai_assets.attribution.maps import AttributionMap
from xai_assets.attribution.target_layers import default_layer
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.spec import LayoutSpec

Declared = LayoutSpec | str | None
Named = int | str | None


def gradcam(
    model: Classifier | nn.Module,
    image: Picture,
    target: Named = None,
    *,
    contrast: Named = None,
    layer: str | None = None,
    layout: Declared = None,
    preprocessing: Given = None,
    class_names: Sequence[str] | None = None,
    image_id: str = "",
) -> AttributionMap:
    """Grad-CAM (Selvaraju et al. 2017): the layer's channels, weighted by the class score's mean gradient in each.

    Args:
        model: any network that gives scores (n k) for images (n 3 h w), which is left as it was; or a classifier with its
            preprocessing, see `vision.classifiers.load_classifier`.
        image: uint8 (h, w, 3) RGB, a PIL image or a path, the original; or a float tensor (3, h, w) or (1, 3, h, w) that
            is normalised already.
        target: the class, by index or by name; None: the predicted one.
        contrast: another class, by index or by name: why `target` rather than this one, from the difference of the two
            logits, see `attribution.targets`. `gradcam(network, image, contrast="vulture")` asks why the network did not
            say vulture.
        layer: module path of the target layer, such as "layer4"; None: the network's last layer with positions, see
            `attribution.target_layers`.
        layout: the axes of its output where they cannot be read off it, such as "nhwc".
        preprocessing: of a network and an image that is no tensor: the fields of `PreprocessingSpec`, such as
            {"mode": "resize_crop", "resize": 256, "size": 224}.
        class_names: of a network, one an output; the outputs' numbers when None.
        image_id: the image's name, for the record.

    Returns:
        The raw map, float32 (h', w') in the model's frame, at least 0, with the frame, the classes, the layer and what is
        in `extras` and `details` as `Explainer` says. `scaled()` gives it in 0..1.

    Raises:
        AttributionError: an image or a network that cannot be used; no layer with positions; a class rather than itself.
        LayoutError: a layer without a map, or whose axes cannot be told.
        UnknownClass, UnknownLayer: the model does not have it; the message lists those there are.
    """
    given = {"preprocessing": preprocessing, "class_names": class_names}
    return _explain(
        "gradcam",
        model,
        image,
        target,
        given,
        contrast=contrast,
        layer=layer,
        layout=layout,
        image_id=image_id,
    )


def ablationcam(
    model: Classifier | nn.Module,
    image: Picture,
    target: Named = None,
    *,
    contrast: Named = None,
    layer: str | None = None,
    layout: Declared = None,
    preprocessing: Given = None,
    class_names: Sequence[str] | None = None,
    image_id: str = "",
    **parameters: Any,
) -> AttributionMap:
    """AblationCAM (Ramaswamy & Desai 2020): channels weighted by how far the score falls without each.

    Args, returns and errors as `gradcam`; `parameters` are the fields of `AblationCAMParameters`.
    """
    given = {"preprocessing": preprocessing, "class_names": class_names}
    return _explain(
        "ablationcam",
        model,
        image,
        target,
        given,
        contrast=contrast,
        layer=layer,
        layout=layout,
        image_id=image_id,
        **parameters,
    )


def scorecam(
    model: Classifier | nn.Module,
    image: Picture,
    target: Named = None,
    *,
    contrast: Named = None,
    layer: str | None = None,
    layout: Declared = None,
    preprocessing: Given = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    image_id: str = "",
    **parameters: Any,
) -> AttributionMap:
    """ScoreCAM (Wang et al. 2020): channels weighted by the score of the image masked with each.

    Args, returns and errors as `gradcam`; `parameters` are the fields of `ScoreCAMParameters`. With `mode="fast"` some
    channels are scored and the others predicted, by `seed`; `details["claimed_iou"]` is then the IoU with the exact map's
    mask that the map claims to reach.
    """
    given = {"preprocessing": preprocessing, "class_names": class_names}
    return _explain(
        "scorecam",
        model,
        image,
        target,
        given,
        contrast=contrast,
        layer=layer,
        layout=layout,
        seed=seed,
        image_id=image_id,
        **parameters,
    )


def lime(
    model: Classifier | nn.Module,
    image: Picture,
    target: Named = None,
    *,
    contrast: Named = None,
    preprocessing: Given = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    image_id: str = "",
    **parameters: Any,
) -> AttributionMap:
    """LIME (Ribeiro et al. 2016): each superpixel's weight in a linear surrogate of the class probability.

    With `contrast`, of the log-odds of the two classes.

    Args:
        model, target, contrast, preprocessing, class_names, image_id: as of `gradcam`.
        image: as of `gradcam`, but no tensor: LIME hides parts of a picture.
        seed: of the samples; the same seed gives the same bytes.
        parameters: the fields of `LimeParameters`, such as `num_samples=1000` or `segmentation="slic"`.

    Returns:
        The map, float32 (h', w') in the model's frame: every pixel has its superpixel's weight, of either sign.
        `extras` holds `segments` and `weights`, `details` the surrogate's R2 among others.

    Raises:
        AttributionError: parameters that do not fit; an image or a network that cannot be used.
        UnknownClass: the model does not have it.
    """
    given = {"preprocessing": preprocessing, "class_names": class_names}
    return _explain(
        "lime", model, image, target, given, contrast=contrast, seed=seed, image_id=image_id, **parameters
    )


def _explain(
    method: str,
    model: Classifier | nn.Module,
    image: Picture,
    target: Named,
    given: Mapping[str, Any],
    *,
    contrast: Named,
    layer: str | None = None,
    layout: Declared = None,
    seed: int = 0,
    image_id: str = "",
    **parameters: Any,
) -> AttributionMap:
    classifier, pixels = prepared(model, image, **given)
    if layer is None and method != "lime":
        size = tuple(classifier.preprocessing.tensor(pixels).shape[1:])
        layer = default_layer(classifier.network, (size[0], size[1]))
    with untouched(classifier.network):  # LIME asks the network as it is: not in training mode
        explainer = Explainer(
            method,
            classifier,
            layer=layer,
            layout=LayoutSpec.model_validate(layout) if isinstance(layout, str) else layout,
            parameters=parameters,
            seed=seed,
        )
        return explainer(
            pixels,
            predicted(classifier, pixels) if target is None else target,
            contrast=contrast,
            image_id=image_id,
        )
