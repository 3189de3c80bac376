"""What costs more in a JPEG file than its size: many scans, each over all pixels, and many segments of metadata."""

import re

MAX_SCANS = 100
"""Progressive files have some ten, and each goes over all pixels in as little as a hundred bytes."""

MAX_SEGMENTS = 1000
"""Before the first scan. Pillow copies all EXIF data again for each segment; 20 MB of them are 320 segments."""

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a stuffed byte, nor a restart, nor filling
_START_OF_SCAN, _END, _ALONE = 0xDA, 0xD9, (0x01, 0xD8)


def jpeg_excess(data: bytes) -> str | None:
    """Why a JPEG file would take more than time in proportion to its size, or None; also for other files.

    Markers are those of ITU-T T.81, annex B; the walk ends at the limits or behind the first image.
    """
    if not data.startswith(b"\xff\xd8"):
        return None
    scans, segments, at = 0, 0, 0
    while found := _MARKER.search(data, at):
        marker, at = data[found.end() - 1], found.end()
        if marker == _END:
            break
        scans += marker == _START_OF_SCAN
        segments += not scans
        if scans > MAX_SCANS:
            return f"it has more than {MAX_SCANS} scans"
        if segments > MAX_SEGMENTS:
            return f"it has more than {MAX_SEGMENTS} segments before its pixels"
        if marker not in _ALONE:
            at += max(2, int.from_bytes(data[at : at + 2], "big"))  # the segment with its length
    return None
