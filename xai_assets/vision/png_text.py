"""PNG files without their comments, which Pillow unpacks up to a limit and refuses the whole image beyond it."""

import struct

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXT = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")
_ORIENTED = (b"XML:com.adobe.xmp\0", b"Raw profile type exif\0")  # how some programs save the orientation


def without_text(data: bytes) -> bytes:
    """The PNG without text and colour profile, which no reader here uses; any other bytes as they are.

    Text that can say the image's orientation stays. Nothing is unpacked, and time is linear in the size.
    """
    if not data.startswith(_SIGNATURE):
        return data
    kept, start, at = [], 0, len(_SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            break  # cut: for the decoder to say
        if kind in _TEXT and not data.startswith(_ORIENTED, at + 8):
            kept.append(data[start:at])
            start = end
        if kind == b"IEND":
            break
        at = end
    return b"".join([*kept, data[start:]]) if kept else data
