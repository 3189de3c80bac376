"""How much room on the disk a study's results take, from its numbers alone, before anything is computed.

The sizes of what is kept a pixel or a unit were measured on the demo. No torch here: a run asks before it loads any.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xai_assets.analysis.own_images import own_images
from xai_assets.analysis.workbench import Tally
from xai_assets.attribution.parameters import FURTHER_CAMS
from xai_assets.interop.label_files import LabelError
from xai_assets.resources.frames import has_table
from xai_assets.settings import Settings
from xai_assets.study import Attribution, ExplainedSample
from xai_assets.study_file import StudyFile
from xai_assets.vision.image_files import ImageError

SCENE_SIDE = 128
"""Pixels of the sides of a scene of the embedded world."""

FIRST_TABLES = ("images", "probe_set")
"""The tables that a run leaves first: where one is, results of an earlier run are there as well."""

BYTES_A_PIXEL = 2.2
"""Of an image as it is kept: RGB, packed; noise takes 3, smooth ones 1."""

BYTES_A_TRUE_PIXEL = 2.3
"""As above with the true masks of its targets, of which there are one or two."""

BYTES_A_MAPPED_PIXEL = 12
"""Of a map, kept raw and with its mask: twice float32, a mask, and what it was made from."""

BYTES_A_LAYER_MAP = 12_000
"""Of a map that is kept at the target layer's resolution: some thousand channels' weights, and its metadata."""

BYTES_A_VIEWED_PIXEL = 2.3
"""Of what the model sees of an image, with the true mask; nothing where it is the image itself."""

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
        cases: target classes of all pictures.
        methods: attribution methods.
        layer_methods: those of them whose maps are kept at the target layer's resolution.
        view_pixels: of what the explained model sees.
        units: of all dissected layers of each model.
        probe_images: that the units are shown.
        rendered: how many of these are scenes that are rendered first.
    """

    picture_pixels: int = 0
    scenes: bool = False
    cases: int = 0
    methods: int = 0
    layer_methods: int = 0
    view_pixels: int = 0
    units: Sequence[int] = ()
    probe_images: int = 0
    rendered: int = 0

    @property
    def bytes(self) -> int:
        """All of it together."""
        picture = BYTES_A_TRUE_PIXEL if self.scenes else BYTES_A_PIXEL
        view = BYTES_A_VIEWED_PIXEL + BYTES_A_MAPPED_PIXEL * (self.methods - self.layer_methods)
        return round(
            BYTES_ANYWAY
            + self.picture_pixels * picture
            + self.cases * (self.view_pixels * view + BYTES_A_LAYER_MAP * self.layer_methods)
            + sum(self.units) * self.probe_images * BYTES_A_UNITS_IMAGE
            + self.rendered * BYTES_A_SCENE
        )


def least_amounts(file: StudyFile) -> Amounts:
    """What of a study takes room, as far as its own words and the list of its images say it; the rest counts as 0."""
    attribution, dissection = file.study.attribution, file.study.dissection
    probe = dissection.probe.diorama if dissection else None
    known = Amounts(rendered=probe.count if probe else 0)
    if attribution is None:
        return known
    scenes, side = attribution.images.diorama, None
    if attribution.model.preprocessing is not None:
        side = attribution.model.preprocessing.side
    elif attribution.model.name.startswith("diorama/"):
        side = SCENE_SIDE
    images = scenes.singles + scenes.pairs if scenes else _images(file)
    return Amounts(
        picture_pixels=images * SCENE_SIDE**2 if scenes else 0,
        scenes=scenes is not None,
        cases=explained_images(attribution.sample, images) * max(1, len(attribution.models)),
        methods=len(attribution.methods.chosen()),
        layer_methods=layer_methods(attribution),
        view_pixels=side**2 if side else 0,
        rendered=known.rendered,
    )


def layer_methods(attribution: Attribution) -> int:
    """How many of a study's methods are weighted sums of a layer's maps, which alone are kept."""
    return len({"gradcam", *FURTHER_CAMS} & set(attribution.methods.made()))


def explained_images(sample: ExplainedSample | None, images: int, classes: int = 0) -> int:
    """How many of so many images are explained, as far as it is known before the model has answered.

    Args:
        sample: of the study; None: all are explained.
        images: that are classified.
        classes: of their labels; of each, the failures of one confused pair are counted, with a success beside each.
    """
    if sample is None:
        return images
    beside = 2 if sample.successes == "matched" else 1
    return min(images, sample.random + beside * sample.failures * classes)


def _images(file: StudyFile) -> int:
    assert file.study.attribution is not None
    if file.study.attribution.images.diorama:
        return 0
    try:
        return len(own_images(file, Tally()).paths)
    except (ImageError, LabelError):
        return 0  # the run says so


def ran_before(file: StudyFile, settings: Settings) -> bool:
    """Whether results of an earlier run of the study are there, which the next run takes up again."""
    return any(has_table(settings.artifacts, table, file.study.name, None) for table in FIRST_TABLES)


def in_words(count: int) -> str:
    """So many bytes, for people."""
    return f"{count / MIB:.0f} MiB" if count < GIB else f"{count / GIB:.1f} GiB"


def free_bytes(folder: Path) -> int:
    """What is free where the folder stands or would stand."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
