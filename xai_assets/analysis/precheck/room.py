"""How much room on the disk a study's results take, from its numbers alone, before anything is computed.

The sizes of what is kept a pixel or a unit were measured on the demo; what is there already is not taken off.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BYTES_A_PIXEL = 3
"""Of a picture as it is kept: RGB, not compressed."""

BYTES_A_TRUE_PIXEL = 5
"""As above with the true masks of its targets, of which there are one or two."""

BYTES_A_MAPPED_PIXEL = 12
"""Of a map, kept raw and with its mask: twice float32, a mask, and what it was made from."""

BYTES_A_VIEWED_PIXEL = 5
"""Of what the model sees of a picture, with the true mask."""

BYTES_A_UNITS_IMAGE = 75
"""Of a unit's activation on a probe image: its largest value and the cells that are near its threshold."""

BYTES_A_SCENE = 50_000
"""Of a rendered probe scene with its labels, as files and decoded."""

BYTES_ANYWAY = 100 * 2**20
"""Reports, the warehouse, the history of some runs, and all that is small."""

MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Amounts:
    """What of a study takes room.

    Attributes:
        picture_pixels: of all pictures to explain together.
        scenes: whether these are scenes with true masks.
        cases: explained classes of all pictures.
        methods: attribution methods.
        view_pixels: of what the explained model sees.
        units: of all dissected layers of each model.
        probe_images: that the units are shown.
        rendered: how many of these are scenes that are rendered first.
    """

    picture_pixels: int = 0
    scenes: bool = False
    cases: int = 0
    methods: int = 0
    view_pixels: int = 0
    units: Sequence[int] = ()
    probe_images: int = 0
    rendered: int = 0

    @property
    def bytes(self) -> int:
        """All of it together."""
        picture = BYTES_A_TRUE_PIXEL if self.scenes else BYTES_A_PIXEL
        view = BYTES_A_VIEWED_PIXEL + BYTES_A_MAPPED_PIXEL * self.methods
        return (
            BYTES_ANYWAY
            + self.picture_pixels * picture
            + self.cases * self.view_pixels * view
            + sum(self.units) * self.probe_images * BYTES_A_UNITS_IMAGE
            + self.rendered * BYTES_A_SCENE
        )


def in_words(count: int) -> str:
    """So many bytes, for people."""
    return f"{count / MIB:.0f} MiB" if count < GIB else f"{count / GIB:.1f} GiB"


def free_bytes(folder: Path) -> int:
    """What is free where the folder stands or would stand."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
