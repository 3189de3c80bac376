"""Reading one mask: a black and white image, or the reason why it is none."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from xai_assets.errors import XaiError
from xai_assets.interop.rendered import black_in_white, is_coloured
from xai_assets.vision.images import FORMATS, ImageError, LoadedImage, read_image

INSIDE = 128
"""Grey from here on is inside: outlines that were smoothed when they were drawn are cut in their middle."""

_MODES = ("1", "L", "P", "RGB", "I;16")  # none with transparency, which would be laid over white: inside

_DARK, _LIGHT = 48, 207
"""Between them a pixel is neither black nor white; what JPEG does to black and white stays outside of them."""

_EDGE = 4
"""Pixels on either side of an outline that may be grey: smoothing, or JPEG's blocks."""

_STRAY = 0.005
"""The share of pixels that may be grey away from any outline."""

_MOST_GREY = 0.2
_MANY_LEVELS = 64
"""A mask has fewer grey pixels than this share, or fewer different greys; a photograph with texture has more of both."""

_WHITE_EDGE = 0.95
_MOSTLY = 0.5


class MaskError(XaiError):
    """A reference mask that is not there, or cannot be used."""


def read_mask(path: Path) -> np.ndarray:
    """A black and white image as a mask, h w bool: white is inside.

    Raises:
        MaskError: no image; transparent, coloured or grey: a photograph, a label map, a rendered heat map; all black or
            all white; a screenshot with margins.
    """
    try:
        image = read_image(path)
    except ImageError as error:
        raise MaskError(error.what, error.why, error.remedy) from error
    if image.mode not in _MODES or _transparent(path):
        mode = image.mode if image.mode not in _MODES else f"{image.mode} with transparency"
        why = f"it is of mode {mode}: the mask may be in the colours or in the alpha channel"
        raise MaskError(str(path), why, "Save it in black and white, without transparency.")
    if is_coloured(image.pixels):
        raise MaskError(
            str(path),
            "it has colours: a label map, a photograph or a rendered heat map?",
            "Save one class in white on black.",
        )
    grey = image.pixels[..., 0] if image.mode != "RGB" else image.pixels.mean(axis=2).astype(np.uint8)
    if share := _greys(grey):
        raise MaskError(
            str(path),
            f"{share:.0%} of its pixels are neither black nor white: a photograph or a rendered heat map?",
            "Save the object in white (255) on black (0).",
        )
    mask = grey >= INSIDE
    if not mask.any():
        why = f"it has no white: {_brightest(path, image, int(grey.max()))}"
        raise MaskError(str(path), why, "White (255) is inside, black is outside.")
    if mask.all():
        raise MaskError(
            str(path), "it is white throughout: nothing is outside", "White is inside, black is outside."
        )
    if black_in_white(mask):
        raise MaskError(
            str(path),
            "a black rectangle lies in white margins: a screenshot with margins, or an inverted mask?",
            "Save the mask alone, in the size of the image, with the object in white on black.",
        )
    return mask


def doubt(mask: np.ndarray) -> str | None:
    """Why a mask (h w bool) that can be read may still be none, or None."""
    edges = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    share = float(mask.mean())
    if share > _MOSTLY and edges.mean() >= _WHITE_EDGE:
        return f"{share:.0%} of it is inside, and all of its border: is it inverted? White is inside, black is outside"
    return None


def _greys(grey: np.ndarray) -> float:
    """The share of grey pixels where they are more than outlines leave; else 0."""
    middle = (grey >= _DARK) & (grey <= _LIGHT)
    share = float(middle.mean())
    if share <= _STRAY:
        return 0.0
    if share > _MOST_GREY and len(np.unique(grey[middle])) > _MANY_LEVELS:
        return share
    inside = grey >= INSIDE
    near = ndimage.binary_dilation(inside, iterations=_EDGE)
    near &= ~ndimage.binary_erosion(inside, iterations=_EDGE, border_value=1)
    return share if float((middle & ~near).mean()) > _STRAY else 0.0


def _transparent(path: Path) -> bool:
    with Image.open(path, formats=FORMATS) as header:  # read_image has read it already
        return "transparency" in header.info


def _brightest(path: Path, image: LoadedImage, grey: int) -> str:
    """What the values of a file without white are."""
    if image.notes:
        return image.notes[-1]
    if image.mode != "I;16":
        return "its values are 0 and 1" if grey == 1 else f"its brightest value is {grey}"
    with Image.open(path, formats=FORMATS) as raw:
        highest = int(np.asarray(raw).max())
    return f"its brightest value is {highest} of 65,535: values of 8 bits in a file of 16?"
