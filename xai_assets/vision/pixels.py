"""Any of Pillow's modes to 8-bit RGB, without losing what a plain `convert` would clip or drop."""

import numpy as np
from PIL import Image

from xai_assets.errors import XaiError

_WHITE = (255, 255, 255, 255)
_DIRECT = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV")
_WITH_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")


def rgb_pixels(image: Image.Image, *, white: int = 65535) -> np.ndarray:
    """The pixels of a Pillow image, uint8 (h, w, 3), RGB; transparency is laid over white.

    16-bit grey is scaled from 0..`white` to 0..255 with rounding, where Pillow's own conversion would clip
    everything above 255 to white.

    Raises:
        XaiError: floating point and wide integers, which have no agreed white.
    """
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        layer = image.convert("RGBA")
        return np.array(Image.alpha_composite(Image.new("RGBA", layer.size, _WHITE), layer).convert("RGB"))
    if image.mode in _DIRECT:
        return np.array(image.convert("RGB"))
    if image.mode == "I" or image.mode.startswith("I;16"):
        grey = np.asarray(image)  # h w
        if grey.min() >= 0 and grey.max() <= 65535:
            levels = np.minimum((np.arange(65536) * 255 + white // 2) // white, 255).astype(np.uint8)
            found = np.empty((*grey.shape, 3), np.uint8)
            for row, values in enumerate(grey):  # a row at a time: indices take 8 bytes each
                found[row] = levels[values][:, None]
            return found
    raise XaiError(
        f"a picture of mode {image.mode}",
        f"the mode {image.mode} has no agreed white, so its brightness would be a guess",
        "Save it with 8 or 16 bits a channel.",
    )
