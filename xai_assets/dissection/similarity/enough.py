"""Whether a probe set has as many images as a similarity function looks at."""

from xai_assets.dissection.parameters import WPMI, ClipDissect, RankReorder, SoftWPMI
from xai_assets.errors import XaiError


def check_images(parameters: ClipDissect, images: int) -> None:
    """Raise XaiError where the function cannot score units on so many probe images."""
    match parameters:
        case SoftWPMI() | WPMI():
            if parameters.top_k > images:
                raise XaiError(
                    f"clip_dissect.top_k = {parameters.top_k}",
                    f"there are {images} probe images",
                    f"Use more images, or set top_k to {images} or less.",
                )
        case RankReorder():
            count = top_count(parameters, images)
            if count < 2:
                raise XaiError(
                    f"clip_dissect.top_fraction = {parameters.top_fraction:g}",
                    f"it leaves {count} of {images} probe images, too few to put in order",
                    "Use more images or a larger fraction.",
                )


def top_count(parameters: RankReorder, images: int) -> int:
    """How many of so many images rank reorder looks at."""
    return int(images * parameters.top_fraction)
