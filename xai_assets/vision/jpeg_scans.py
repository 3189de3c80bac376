"""How many scans a JPEG file has: each goes over all pixels, and may take a hundred bytes."""

import re

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # neither a stuffed byte, nor a restart, nor filling
_START_OF_SCAN, _END, _ALONE = 0xDA, 0xD9, (0x01, 0xD8)


def count_scans(data: bytes, most: int) -> int:
    """The scans of the first image of a JPEG file (ITU-T T.81, annex B), counted up to `most` + 1."""
    scans, at = 0, 0
    while scans <= most and (found := _MARKER.search(data, at)):
        marker, at = data[found.end() - 1], found.end()
        if marker == _END:
            break
        scans += marker == _START_OF_SCAN
        if marker not in _ALONE:
            at += max(2, int.from_bytes(data[at : at + 2], "big"))  # the segment with its length
    return scans
