"""The layers that a study names, by one pass of the model: how many channels they have, and what a map of them shows."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from xai_assets.analysis.precheck.found import SCENE_SIDE
from xai_assets.attribution.connection import without_gradient
from xai_assets.attribution.guard import untouched
from xai_assets.errors import XaiError
from xai_assets.vision.classifiers import Classifier
from xai_assets.vision.layout_reader import LayoutReader, outputs_of, units_of
from xai_assets.vision.layouts import Layout
from xai_assets.vision.spec import LayoutSpec

_IMAGES = 3
"""In one pass: no axis but the batch's is likely to have this length with all image sizes."""


def look(
    classifier: Classifier,
    layers: Sequence[str],
    specs: Sequence[LayoutSpec | None],
    *,
    size: tuple[int, int] | None = None,
) -> tuple[list[tuple[int, Layout | None]], int]:
    """The channels and the layout (None: vectors) of each layer, and the pixels of the model's input.

    Args:
        classifier: the model.
        layers: module paths.
        specs: what the study declares of each.
        size: height and width of an image of the study; None: a square one.

    Raises:
        XaiError: the model does not answer such an image, or a layer cannot be read.
    """
    batch = _noise(classifier, size)
    try:
        classifier.logits(batch)
    except (RuntimeError, ValueError, AssertionError, TypeError, IndexError) as error:
        said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        sides = f"{batch.shape[2]} x {batch.shape[3]}"
        raise XaiError(
            classifier.name,
            f"it does not answer an image of {sides} pixels",
            f"Look at the size in its `preprocessing`, and at `arguments` ({said}).",
        ) from error
    with untouched(classifier.network) as network:
        found = list(units_of(network, layers, batch, specs))
    return found, batch.shape[2] * batch.shape[3]


def refuse_vectors(classifier: Classifier, layer: str, size: tuple[int, int] | None) -> None:
    """Refuse a target layer without positions, in the words of the run.

    Raises:
        LayoutError: always, where the layer gives vectors.
    """
    batch = _noise(classifier, size)
    with untouched(classifier.network) as network:
        LayoutReader(network, layer).of_maps(outputs_of(network, [layer], batch)[layer], batch)


def blank_by_gradient(
    classifier: Classifier, layer: str, spec: LayoutSpec | None, *, size: tuple[int, int] | None = None
) -> str | None:
    """Why every map weighted by a layer's gradient is blank, None where it is not."""
    with torch.inference_mode(False), untouched(classifier.network) as network:
        batch = _noise(classifier, size)[:1].clone()
        with torch.no_grad():
            target = int(network(batch.clone())[0].argmax())
        return without_gradient(network, layer, batch, [target], LayoutReader(network, layer, spec))


def _noise(classifier: Classifier, size: tuple[int, int] | None) -> Tensor:
    """Images of noise as the model's input: an empty one has layers that are 0 for want of anything to see."""
    preprocessing = classifier.preprocessing
    side = preprocessing.spec.size or SCENE_SIDE
    height, width = size or (side, side)
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    view = preprocessing.from_view(preprocessing.view(pixels)[None])  # 1 3 h w
    return view.expand(_IMAGES, *view.shape[1:]).clone().to(classifier.device)
