"""An attribution map over the image that it is of, for a notebook: drawn as an array, and saved as a file."""

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.maps import AttributionMap
from xai_assets.files import write_bytes
from xai_assets.reporting import figures

if TYPE_CHECKING:
    from xai_assets.attribution.in_memory import Picture

_SUFFIXES = (".png", ".jpg", ".jpeg")


def draw_overlay(found: AttributionMap, image: "Picture", *, original: bool = False) -> np.ndarray:
    """The map in Matplotlib's `inferno` over the greyed image; weak evidence is see-through.

    Args:
        found: a map, scaled here from its minimum to its maximum.
        image: what it was made of: uint8 (h, w, 3) RGB, a PIL image, a path, or the normalised tensor (3, h, w) or
            (1, 3, h, w), which is shown from its minimum to its maximum.
        original: the whole image at its own size, with what the model does not see dimmed and the crop's edge drawn;
            otherwise the model's frame.

    Returns:
        uint8 (h', w', 3) RGB: of the image's size with `original`, else of the model's frame.

    Raises:
        AttributionError: an image of another size than the map was made of.
        ImageError: a file that cannot be read.
    """
    pixels = _picture(image)
    if pixels.shape[:2] != found.frame.original:
        height, width = found.frame.original
        raise AttributionError(
            f"an image of {pixels.shape[1]} x {pixels.shape[0]} pixels",
            f"the map was made of one of {width} x {height}",
            "Give the image that the map is of.",
        )
    frame = found.frame.within()
    top, left, bottom, right = frame.overlay_box()
    crop = np.ascontiguousarray(pixels[top:bottom, left:right])
    height, width = crop.shape[:2] if original else frame.size
    crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    scaled = found.scaled() if frame is found.frame else found.frame.bring(found.scaled(), frame)
    scaled = cv2.resize(scaled, (width, height), interpolation=cv2.INTER_LINEAR)
    drawn = figures.blend(crop, scaled, side=max(height, width))
    if not original:
        return drawn
    whole = figures.marked_crop(pixels, found.frame, side=max(pixels.shape[:2]))
    whole[top:bottom, left:right] = drawn
    return whole


def save_overlay(
    found: AttributionMap, path: str | Path, image: "Picture", *, original: bool = False
) -> Path:
    """`draw_overlay` as a PNG or JPEG file, by the path's suffix; the file is written whole or not at all.

    Raises:
        AttributionError: another suffix, and as `draw_overlay`.
    """
    path = Path(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise AttributionError(
            str(path), f"its suffix is none of {', '.join(_SUFFIXES)}", "Give one of them."
        )
    drawn = draw_overlay(found, image, original=original)
    done, encoded = cv2.imencode(path.suffix.lower(), np.ascontiguousarray(drawn[..., ::-1]))
    if not done:
        raise AttributionError(str(path), f"an overlay of shape {drawn.shape} cannot be encoded", "Use PNG.")
    return write_bytes(path, encoded.tobytes())


def _picture(image: "Picture") -> np.ndarray:
    from xai_assets.attribution.in_memory import of_tensor, pixels_of

    if isinstance(image, (np.ndarray, str, Path)) or hasattr(image, "convert"):
        return pixels_of(image)
    values = of_tensor(image)  # h w 3 float32
    low, high = float(values.min()), float(values.max())
    return np.rint((values - low) / max(high - low, 1e-12) * 255).astype(np.uint8)
