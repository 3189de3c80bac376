"""The pictures that drive a unit most, with the region where it is on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xai_assets.dissection.clip_dissect import top_images
from xai_assets.dissection.layer_activations import LayerActivations
from xai_assets.dissection.probe import ProbeSet
from xai_assets.dissection.resampling import covered, on_pixels


@dataclass(frozen=True)
class TopPictures:
    """The pictures of one unit, strongest first.

    Attributes:
        ids: image ids.
        pixels: one uint8 (h, w, 3) a picture, of its own size.
        masks: one uint8 (h, w) a picture, 1 where the upsampled activation is above the unit's threshold; 0 where
            the model did not look, and everywhere for layers without maps.
        activations: float32, the pooled activation on each.
    """

    ids: tuple[str, ...]
    pixels: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray, ...]
    activations: np.ndarray


def top_pictures(
    layer: LayerActivations,
    units: Iterable[int],
    thresholds: np.ndarray | None,
    probe: ProbeSet,
    boxes: np.ndarray,
    *,
    count: int = 5,
    pooling: Literal["avg", "max"] = "avg",
) -> dict[int, TopPictures]:
    """The `count` pictures that drive each unit most, by response, equal ones in the order of `ties`.

    Args:
        layer: the layer's activations.
        units: which units.
        thresholds: float32 (u,) of the layer, as `top_quantile_thresholds` gives them; None for a layer without maps.
        probe: the images.
        boxes: float32 (n, 4), as `Activations.boxes`.
        count: pictures a unit.
        pooling: what ranks them, the mean over positions or the largest; as in the study's `clip_dissect`.

    Returns:
        unit -> its pictures.
    """
    found, response = {}, layer.response(pooling)
    for unit in units:
        chosen = top_images(response[:, unit : unit + 1], count, ids=probe.ids, numbers=[unit])[:, 0]
        pictures = [probe.image(int(image)) for image in chosen]
        masks = [np.zeros(picture.shape[:2], np.uint8) for picture in pictures]
        if layer.maps is not None and thresholds is not None:
            masks = [
                on_region(layer.maps.find(image, unit), thresholds[unit], picture.shape[:2], boxes[image])
                for image, picture in zip(chosen, pictures, strict=True)
            ]
        found[unit] = TopPictures(
            tuple(probe.ids[image] for image in chosen),
            tuple(pictures),
            tuple(masks),
            response[chosen, unit],
        )
    return found


def on_region(
    cells: np.ndarray | None, threshold: float, size: tuple[int, int], box: np.ndarray
) -> np.ndarray:
    """Where a unit is on in a picture: uint8 (h, w), 0 or 1.

    Args:
        cells: float32 (h', w'), the unit's low-resolution map; None where it was not kept, because no cell of it is
            above the threshold.
        threshold: on is strictly above it, after bilinear upsampling (align_corners=False).
        size: (h, w) of the picture.
        box: top, left, bottom, right of what the model saw, as shares of the picture's sides.
    """
    region = np.zeros(size, np.uint8)
    if cells is not None:
        seen = np.zeros_like(region[covered(size, box)])
        seen.flat[on_pixels(cells[None], np.array([threshold], np.float32), size, box)[1]] = 1
        region[covered(size, box)] = seen
    return region
