"""The truth that a study brings with it: masks or boxes of the explained classes, in the model's frame."""

from collections.abc import Callable, Sequence

import numpy as np

from xai_assets.analysis.reference_masks import Case, MaskError, find_mask, mask_files
from xai_assets.analysis.workbench import Workbench
from xai_assets.errors import XaiError
from xai_assets.interop.boxes import Box, read_boxes
from xai_assets.study import TruthSource
from xai_assets.vision.geometry import Frame

Truth = Callable[[Case], np.ndarray | None]


def own_truth(bench: Workbench) -> Truth:
    """What gives the true mask of a case, h w bool in the model's frame, or None where the study has none for it.

    Why a case has none is a problem of the study's tally.

    Raises:
        MaskError: no such folder of masks.
        BoxError: a file of boxes that cannot be read.
    """
    given = bench.attribution.truth
    if given is None:
        return lambda case: None
    of_case = _drawn(bench, given) if given.masks else _boxed(bench, given)

    def truth(case: Case) -> np.ndarray | None:
        try:
            return of_case(case)
        except XaiError as error:
            name = f"{case.image_id} ({case.target_name})"
            bench.tally.leave_out("image classes", name, f"no ground truth: {error}")
            return None

    return truth


def _drawn(bench: Workbench, given: TruthSource) -> Callable[[Case], np.ndarray]:
    folder = bench.file.resolve(given.masks or "")
    files = mask_files(folder)
    return lambda case: find_mask(case, files, folder, lies=given.lies)


def _boxed(bench: Workbench, given: TruthSource) -> Callable[[Case], np.ndarray]:
    path = bench.file.resolve(given.boxes or "")
    boxes = read_boxes(path)

    def boxed(case: Case) -> np.ndarray:
        own = boxes.get((case.image_id, case.target_name))
        if own is None:
            raise MaskError("its box", f"there is none of this image and class in {path}", "Add a line.")
        return within(own, case.frame)

    return boxed


def within(boxes: Sequence[Box], frame: Frame) -> np.ndarray:
    """Which pixels of the model's frame, h w bool, have their centre in any of the boxes of the original.

    Raises:
        MaskError: the boxes lie outside of the picture, or of what the model sees of it.
    """
    height, width = frame.original
    mask = np.zeros(frame.original, dtype=bool)
    rows, columns = np.arange(height) + 0.5, np.arange(width) + 0.5
    for left, top, right, bottom in boxes:
        mask |= ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
    placed = frame.crop_mask(mask)
    if not placed.any():
        raise MaskError(
            f"{len(boxes)} boxes on a picture of {width} x {height} pixels",
            "have no pixel of what the model sees",
            "Give edges in pixels of the original picture, or use the mode squash.",
        )
    return placed
