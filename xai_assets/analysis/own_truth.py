"""The ground truth that a study brings with it: masks or boxes of the target classes, in the model's frame."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from xai_assets.analysis.mask_reading import doubt
from xai_assets.analysis.reference_masks import (
    Case,
    MaskError,
    file_of,
    mask_files,
    place,
    read_mask,
    says_class,
    turned,
)
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.errors import XaiError
from xai_assets.interop.boxes import Box, read_boxes
from xai_assets.interop.same_name import Names
from xai_assets.study import TruthSource
from xai_assets.vision.geometry import Frame


class Truth(Protocol):
    """What gives the true mask of a case, h w bool in the model's frame, or None where there is none.

    With `say`, why there is none is put into the study's tally.
    """

    def __call__(self, case: Case, *, say: bool = True) -> np.ndarray | None:
        """The mask, or None."""
        ...


CASES = "image classes"

BEYOND = 2.0
"""Pixels by which a box may reach beyond the image; more, and it was drawn on a larger one."""

LEAST_INSIDE = 0.5
"""The share of a mask that lies in its boxes, and of their common extent, below which the two are not of one object."""


def own_truth(bench: Workbench) -> Truth:
    """What gives the true mask of a case, where the study has one.

    Why a case has none, and which rows of a file of boxes were set aside, is in the study's tally.

    Raises:
        MaskError: no such folder of masks.
        BoxError: a file of boxes that cannot be read.
    """
    given = bench.attribution.truth
    if given is None:
        return lambda case, *, say=True: None
    of_case = ground_truth(given, bench.file.resolve, bench.tally)

    def truth(case: Case, *, say: bool = True) -> np.ndarray | None:
        try:
            return of_case(case)
        except XaiError as error:
            if say:
                name = f"{case.image_id} ({case.target_name})"
                bench.tally.leave_out(CASES, name, f"no ground truth: {error}")
            return None

    return truth


def ground_truth(
    given: TruthSource, resolve: Callable[[str], Path], tally: Tally
) -> Callable[[Case], np.ndarray]:
    """What gives the ground truth of a case; raises XaiError where there is none. Masks and boxes are compared.

    Args:
        given: what the study says.
        resolve: from a path of the study to one of the machine.
        tally: what is set aside on the way.

    Raises:
        XaiError: as `own_truth`.
    """
    masks = Masks(resolve(given.masks), given, tally) if given.masks else None
    boxes = BoxesOfImages(resolve(given.boxes), tally) if given.boxes else None
    if masks is None:
        assert boxes is not None  # the study's validator sees to it
        return boxes
    if boxes is None:
        return masks

    def both(case: Case) -> np.ndarray:
        mask = masks(case)
        agree(mask, boxes(case))
        return mask

    return both


class Masks:
    """The masks of a folder, by case.

    Raises:
        MaskError: no such folder.
    """

    def __init__(self, folder: Path, given: TruthSource, tally: Tally) -> None:
        self._folder, self._given, self._tally = folder, given, tally
        self.files = mask_files(folder)

    def __call__(self, case: Case) -> np.ndarray:
        """The mask, h w bool in the model's frame; raises MaskError where there is none, or none that can be used."""
        file = file_of(case, self.files, self._folder)
        mask = read_mask(file)
        placed = place(mask, case.frame, lies=self._given.lies)
        if why := doubt(mask):
            self._tally.remark("masks", file.name, why)
        if not says_class(case, file, self._folder):
            of = "the class that the image is explained by" if case.label is None else "the image's label"
            self._tally.remark("masks", file.name, f"it names no class and is taken as of {of}")
        return placed


class BoxesOfImages:
    """The boxes of a file, by case.

    Raises:
        BoxError: the file cannot be read.
    """

    def __init__(self, path: Path, tally: Tally) -> None:
        self._path, self.file = path, read_boxes(path)
        self._names = Names((*self.file.images, *(image for image, _ in self.file.boxes)))
        self._classes: dict[str, list[str]] = {}
        for image, name in self.file.boxes:
            self._classes.setdefault(image, []).append(name)
        for row, why in self.file.set_aside:
            tally.leave_out(f"rows of {path.name}", f"{path.name}, {row}", why)

    def __call__(self, case: Case) -> np.ndarray:
        """The boxes' pixels, h w bool in the model's frame; raises MaskError where there are none."""
        name = self.name_of(case)
        known = self._classes.get(name, [])
        exact = [case.target_name] if case.target_name in known else []
        found = exact or [word for word in known if case.says(word)]
        if not found:
            has = f"it has {', '.join(known[:3])}" if known else "it has none of any class"
            raise MaskError(
                "its box", f"{self._path.name} has none of this class for the image; {has}", "Add a line."
            )
        return within([box for word in found for box in self.file.boxes[name, word]], case.frame)

    def name_of(self, case: Case) -> str:
        """The image's name in the file.

        Raises:
            MaskError: none or several such names, rows that contradict each other, or boxes of another size.
        """
        image_id, frame, path = case.image_id, case.frame, self._path.name
        names = self._names.image(image_id)
        if names == [Path(image_id).name] and names[0] not in (image_id, *case.called):
            why = f"several images are called {names[0]}, and {path} does not say which it means"
            raise MaskError("its box", why, "Name images by their path below the folder of images.")
        if len(names) != 1:
            why = (
                f"{path} lists {' and '.join(names[:3])}, which differ in their folders only"
                if names
                else f"{path} lists no image of that name"
            )
            raise MaskError("its box", why, "Name images by their file in the folder of images.")
        (name,) = names
        if name in self.file.unclear:
            raise MaskError("its box", f"{path}: {self.file.unclear[name]}", "Correct the entry.")
        height, width = frame.original
        said = self.file.sizes.get(name, (width, height))
        if said != (width, height):
            raise MaskError(
                "its box",
                f"{path} says that {image_id} has {said[0]} x {said[1]} pixels, and it has {width} x {height}"
                f"{turned(said, (width, height))}",
                "Boxes are not scaled. Give those of the image as it is, or the image that they were drawn on.",
            )
        for of in self._classes.get(name, []):
            for box in self.file.boxes[name, of]:
                if max(-box[0], -box[1], box[2] - width, box[3] - height) > BEYOND:
                    edges = ", ".join(f"{edge:g}" for edge in box)
                    raise MaskError(
                        "its box",
                        f"a box of {path} ({edges}) reaches beyond the image of {width} x {height} pixels",
                        "Give edges in pixels of the image as it is; boxes are not scaled.",
                    )
        return name


def agree(mask: np.ndarray, boxed: np.ndarray) -> None:
    """Raises MaskError where a mask and the boxes of the same case (h w bool) are not of one object."""
    inside = float((mask & boxed).sum() / mask.sum())
    one, other = _extent(mask), _extent(boxed)
    common = np.logical_and(one, other).sum() / np.logical_or(one, other).sum()
    if min(inside, common) < LEAST_INSIDE:
        raise MaskError(
            "its mask and its boxes",
            f"do not agree: {inside:.0%} of the mask lies in the boxes, and their extents share {common:.0%}",
            "Look which of the two is of another image, size or class.",
        )


def _extent(mask: np.ndarray) -> np.ndarray:
    """The smallest rectangle around a mask that has pixels, as a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    found = np.zeros_like(mask)
    found[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = True
    return found


def within(boxes: Sequence[Box], frame: Frame) -> np.ndarray:
    """Which pixels of the model's frame, h w bool, have their centre in any of the boxes of the original.

    Raises:
        MaskError: the boxes lie outside of the image, or of what the model sees of it.
    """
    height, width = frame.original
    mask = np.zeros(frame.original, dtype=bool)
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    for left, top, right, bottom in boxes:
        mask |= ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
    placed = frame.crop_mask(mask)
    if not placed.any():
        raise MaskError(
            f"{len(boxes)} boxes on an image of {width} x {height} pixels",
            "have no pixel of what the model sees",
            "Give edges in pixels of the original image, or use the mode squash.",
        )
    return placed
