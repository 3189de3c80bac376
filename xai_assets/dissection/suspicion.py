"""Is this picture what it should be? A label map among photographs, or a normalised tensor saved as a picture."""

import re
from collections.abc import Set
from pathlib import PurePosixPath

import numpy as np

MAX_LABEL_COLOURS = 256
MIN_FLAT = 0.6
"""Share of neighbouring pixels that are equal. Measured: 0.71 to 1.00 in 476 label maps of the embedded world, 0.01 and
less in its pictures, 0.24 and less in ten photographs (JPEG)."""

_MAX_GREEN = 15
"""Labels up to 4095: Broden has 1197, ADE20K 3148."""

_SUFFIX = re.compile(
    r"^(?P<picture>.+)[_-](colou?r|objects?|parts?|materials?|scene|textures?|segm?|segmentation|labels?|labelids"
    r"|instances?|instanceids|mask|gt|annotation)([_-]?\d+)?$",
    re.IGNORECASE,
)

_NEAR_ZERO = 4
"""A normalised value lies within -2.7 and 2.7; as a byte it wraps around or is cut off at 0."""

_MIN_SATURATED, _MIN_EACH_END = 0.5, 0.05


def looks_like_label_map(pixels: np.ndarray, name: str, pictures: Set[str]) -> bool:
    """Whether a picture is a map of label numbers.

    It is one where it is flat (neighbours are equal in at least MIN_FLAT of the pairs) and has at most
    MAX_LABEL_COLOURS colours, and then either is coded as Broden codes (number = R + 256 G: no blue, hardly any green,
    more than one number) or is named after another picture (`a_object.png` beside `a.jpg`). A drawing is flat with
    few colours too: neither alone is enough.

    Args:
        pixels: uint8 (h, w, 3), RGB.
        name: its file name or path.
        pictures: the names of all pictures, as paths without suffix.
    """
    if not _flat(pixels):
        return False
    codes = pixels[..., 0].astype(np.uint32) << 16 | pixels[..., 1].astype(np.uint32) << 8 | pixels[..., 2]
    colours = len(np.unique(codes))
    if colours > MAX_LABEL_COLOURS:
        return False
    coded = colours > 1 and not pixels[..., 2].any() and pixels[..., 1].max() <= _MAX_GREEN
    found = _SUFFIX.match(stem(name))
    return bool(coded or (found and found["picture"] in pictures))


def looks_normalised(pixels: np.ndarray) -> bool:
    """Whether a picture's values are those of a tensor that was normalised, (x - mean) / std, and saved as bytes.

    Cast or cut off as it is, such a tensor has values at the ends of the range only: 0 to 4, and 252 to 255 where
    negative numbers wrapped around. Multiplied by 255 and cut off, at least half of its values are exactly 0 or 255,
    with 5 % at either end, in most pictures though not in all; whole ones of the embedded world have 16 % at most. A
    tensor that was multiplied and wrapped, or stretched to the full range, has no such mark.
    A picture of one value is not one of these.

    Args:
        pixels: uint8 (h, w, 3), RGB.
    """
    if pixels.min() == pixels.max():
        return False
    ends = (pixels <= _NEAR_ZERO) | (pixels >= 256 - _NEAR_ZERO)
    if ends.all():
        return True
    black, white = float((pixels == 0).mean()), float((pixels == 255).mean())
    return black + white >= _MIN_SATURATED and min(black, white) >= _MIN_EACH_END


def stem(name: str) -> str:
    """A picture's path without the suffix."""
    return str(PurePosixPath(name).with_suffix(""))


def _flat(pixels: np.ndarray) -> bool:
    if pixels.shape[1] < 2:
        return False
    same = (pixels[:, 1:] == pixels[:, :-1]).all(axis=2)  # h w-1
    return bool(same.mean() >= MIN_FLAT)
