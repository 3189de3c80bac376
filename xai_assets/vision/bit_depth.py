"""How many of a file's 16 bits its values use: 12-bit values in 16 bits make an image 16 times too dark."""

from PIL import Image

WHITE_OF_16_BITS = 65535
_BITS_PER_SAMPLE = 258  # TIFF 6.0
_BIT_DEPTH = 24  # where a PNG's header has it
_USUAL = (8, 10, 12, 14)
"""Bits of cameras, microscopes and X-ray detectors that are saved in 16."""


def declared_white(image: Image.Image) -> int:
    """The value of white in a grey image of more than 8 bits: 4095 where a TIFF file says 12 bits, else 65535."""
    return 4095 if _bits_of_tiff(image) == (12,) else WHITE_OF_16_BITS


def too_dark(image: Image.Image, data: bytes) -> str | None:
    """What to say of a decoded image whose file has 16 bits a channel of which the values use 14 or fewer, or None.

    Args:
        image: decoded, of a PNG or TIFF file; other formats say how many bits their values have.
        data: the file.
    """
    if image.format not in ("PNG", "TIFF") or declared_white(image) != WHITE_OF_16_BITS:
        return None
    if image.mode == "I" or image.mode.startswith("I;16"):
        largest = int(image.getextrema()[1])  # type: ignore[arg-type]
    elif image.mode.startswith("RGB") and _has_16_bits(image, data):
        # Pillow has kept the upper 8 bits of each value.
        largest = max(int(high) for _, high in image.getextrema()[:3]) * 256 + 255  # type: ignore[misc]
    else:
        return None
    bits = next((bits for bits in _USUAL if largest < 2**bits), None)
    if bits is None or largest == 0:
        return None
    return (
        f"its values are at most {largest:,} of 65,535, as of {bits}-bit values in a 16-bit file; it was read as 16 bits "
        f"and is dark: if the values have {bits} bits, multiply them by {2 ** (16 - bits)} and save it again"
    )


def _has_16_bits(image: Image.Image, data: bytes) -> bool:
    return data[_BIT_DEPTH] == 16 if image.format == "PNG" else set(_bits_of_tiff(image)) == {16}


def _bits_of_tiff(image: Image.Image) -> tuple[int, ...]:
    return tuple(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, ()))
