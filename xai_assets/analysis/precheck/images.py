"""The images to explain, as the run's first step takes them or sets them aside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from xai_assets.analysis.images import SPLIT, nothing_usable, read_fitting, unfit
from xai_assets.analysis.own_images import own_images
from xai_assets.analysis.precheck.found import Found, Sizes
from xai_assets.analysis.room import SCENE_SIDE, explained_images
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.reading import read_regular
from xai_assets.set_aside import by_reason, lines
from xai_assets.vision.images import MAX_BYTES, ImageError, open_image
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.world.images import study_images, study_scenes

WHOLE = 200
"""Images of a folder that are decoded as in the run; of the others the header is read."""

TURNED = (5, 6, 7, 8)
"""EXIF orientations that exchange the sides."""
_ORIENTATION = 0x0112


@dataclass
class Look:
    """What was seen of a study's images.

    Attributes:
        good: name, height and width of each image that can be used, in order.
        bad: name and reason of each that will be set aside.
        notes: name and sentence of what is unusual.
        paths: the files by name; empty for scenes of the embedded world.
        folder: that the paths begin with; None where images are known by the names of their files.
        labels: of each image, where it has some, as its source writes them.
        tally: what was said of the folder and the labels.
    """

    good: list[tuple[str, int, int]] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    paths: dict[str, Path] = field(default_factory=dict)
    folder: Path | None = Path()
    labels: dict[str, list[str]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)


def look_at_images(bench: Workbench, preprocessing: Preprocessing, sizes: Sizes) -> tuple[Look, list[Found]]:
    """The images of the study, and what is to be said of them; nothing is written.

    Raises:
        XaiError: the folder cannot be used, or not one image of it.
    """
    source = bench.attribution.images
    found = _scenes(bench, preprocessing) if source.diorama else _files(bench, preprocessing)
    if not found.good:
        raise nothing_usable(bench.file, found.bad)
    sizes.picture_pixels = sum(height * width for _, height, width in found.good)
    cases = sum(len(found.labels.get(name, [""])) for name, _, _ in found.good)
    explained = explained_images(bench.attribution.sample, len(found.good), len(_classes(found)))
    sizes.images, sizes.cases = explained, round(cases * explained / len(found.good))
    return found, [*_said(found), *_sample(bench, found)]


def _classes(found: Look) -> set[str]:
    return {label for name, _, _ in found.good for label in found.labels.get(name, [])}


def _sample(bench: Workbench, found: Look) -> Iterator[Found]:
    """Which of the images are explained, where it is not all."""
    sample, count = bench.attribution.sample, len(found.good)
    if sample is None:
        return
    drawn = min(sample.random, count)
    said = f"of {count:,} images, which are all classified, {drawn:,} are drawn and explained"
    if sample.failures and _classes(found):
        beside = ", and a right answer beside each" if sample.successes == "matched" else ""
        yield Found(
            "sample", "ok", f"{said}, up to {sample.failures} wrong answers of each confused pair{beside}"
        )
    elif sample.failures:
        yield Found("sample", "look", f"{said}; none is known to be wrong, since no image has a label")
    else:
        yield Found("sample", "ok", said)


def _said(found: Look) -> Iterator[Found]:
    by_area = sorted(((width, height) for _, height, width in found.good), key=lambda size: size[0] * size[1])
    (least, most), count = (by_area[0], by_area[-1]), len(found.good)
    kind = "images" if found.paths else "scenes of the embedded world"
    said = f"{count} {kind} of {least[0]} x {least[1]} to {most[0]} x {most[1]} pixels"
    if len(found.paths) > WHOLE:
        said += f"; {WHOLE} were decoded, of the others the headers were read"
    yield Found("images", "ok", said)
    for group in by_reason(found.bad):
        yield Found("images set aside", "look", group.line("images"))
    for line in (*lines(found.notes, "images"), *found.tally.problems):
        yield Found("images to look at", "look", line)
    yield from (Found("images", "ok", fact) for fact in found.tally.facts)


def _scenes(bench: Workbench, preprocessing: Preprocessing) -> Look:
    wanted = bench.attribution.images.diorama
    assert wanted is not None
    found = Look()
    why = unfit(preprocessing, SCENE_SIDE, SCENE_SIDE)
    for scene in study_scenes(SPLIT, wanted.singles, wanted.pairs):
        if why:
            found.bad.append((scene.id, why))
        else:
            found.good.append((scene.id, SCENE_SIDE, SCENE_SIDE))
            found.labels[scene.id] = [target.class_name for target in scene.targets]
    return found


def _files(bench: Workbench, preprocessing: Preprocessing) -> Look:
    found = Look()
    own = own_images(bench.file, found.tally)
    found.folder = own.folder
    found.paths = dict(zip(own.ids, own.paths, strict=True))
    found.labels = {name: list(labels) for name, labels in (own.labels or {}).items()}
    for name, file in read_fitting(own.paths[:WHOLE], preprocessing, own.folder):
        found.notes += [(name, note) for note in file.notes]
        if file.image is None or file.unfit:
            found.bad.append((name, file.unfit or ""))
        else:
            height, width = file.image.pixels.shape[:2]
            found.good.append((name, height, width))
    for name, path in list(found.paths.items())[WHOLE:]:
        _by_header(name, path, preprocessing, found)
    return found


def _by_header(name: str, path: Path, preprocessing: Preprocessing, found: Look) -> None:
    try:
        width, height = _upright(open_image(path, read_regular(path, MAX_BYTES, error=ImageError)))
    except ImageError as error:
        found.bad.append((name, f"{error.why}. {error.remedy}"))
        return
    if why := unfit(preprocessing, height, width):
        found.bad.append((name, why))
    else:
        found.good.append((name, height, width))


def _upright(image: Image.Image) -> tuple[int, int]:
    """Width and height as the image is read."""
    width, height = image.size
    return (height, width) if image.getexif().get(_ORIENTATION) in TURNED else (width, height)


def first_pixels(
    bench: Workbench, found: Look, preprocessing: Preprocessing, most: int
) -> Iterator[tuple[str, np.ndarray]]:
    """Name and pixels (h w 3 uint8) of the first images that can be used, at most so many."""
    if not found.paths:
        wanted = bench.attribution.images.diorama
        assert wanted is not None
        for scene in study_images(SPLIT, *_first(wanted.singles, wanted.pairs, most)):
            yield scene.id, scene.image
        return
    names: Sequence[str] = [name for name, _, _ in found.good[:WHOLE]]
    files = read_fitting((found.paths[name] for name in names), preprocessing, found.folder)
    for name, file in islice(files, most):
        if file.image is not None:
            yield name, file.image.pixels


def _first(singles: int, pairs: int, most: int) -> tuple[int, int]:
    return min(singles, most), min(pairs, max(0, most - singles))
