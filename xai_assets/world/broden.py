"""The probe set in Broden's published folder layout, so that real Broden can stand in its place.

The layout is that of `joinseg.py` of Bau et al. 2017 (github.com/CSAILVision/NetDissect), which says: a label
has one number whatever categories use it; a pixel label map is a PNG whose red + 256 * green is the label's
number, at half the picture's size; a label of the whole picture is written as its number. Differences:
pictures are PNG (lossless) instead of JPEG, and the numbers follow the vocabulary instead of the frequency,
so that they never change.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from xai_assets.files import write_json
from xai_assets.world.broden_tables import Row, Tally, write_tables
from xai_assets.world.description import describe
from xai_assets.world.errors import WorldError
from xai_assets.world.labels import NUMBERS, broden_numbers
from xai_assets.world.render import render
from xai_assets.world.vocabulary import CATEGORIES, PIXEL_CATEGORIES, SIDE, WORLD_VERSION

LABEL_SIDE = SIDE // 2
_MARKER = "complete.json"
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]  # noise hardly shrinks, and speed counts


def write_probe(
    folder: Path,
    *,
    split: str = "probe",
    count: int = 1000,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Render scenes 0..count-1 of a split into `folder`, or leave it where they stand there complete already.

    Everything is written into a temporary folder beside it, which is renamed at the end: `folder` is whole or
    absent.

    Args:
        folder: the probe set's folder: index.csv, label.csv, category.csv, c_<category>.csv, images/.
        split: a split of scenes.
        count: number of pictures.
        workers: processes to render with; 1 renders in this one.
        progress: called with pictures done and pictures in all.

    Raises:
        WorldError: `folder` is something else than a probe set written here.
    """
    folder = Path(folder)
    wanted = _marker(split, count)
    if folder.exists():
        if is_complete(folder, split=split, count=count):
            return
        if any(folder.iterdir()) and not (folder / _MARKER).is_file():
            raise WorldError(
                f"folder {folder}", "it holds files that are no probe set", "Name another folder."
            )
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
    try:
        images = part / "images" / "diorama"
        images.mkdir(parents=True)
        tally, rows = Tally(), []
        for done, (row, numbers) in enumerate(_written(images, split, count, workers), start=1):
            rows.append(row)
            tally.add(numbers)
            if progress is not None:
                progress(done, count)
        write_tables(part, rows, tally)
        write_json(part / _MARKER, wanted)
        part.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def is_complete(folder: Path, *, split: str = "probe", count: int = 1000) -> bool:
    """Whether `folder` holds exactly the probe set that `write_probe` would write."""
    marker = Path(folder) / _MARKER
    return marker.is_file() and json.loads(marker.read_text("utf-8")) == _marker(split, count)


def _marker(split: str, count: int) -> dict[str, object]:
    return {"world": WORLD_VERSION, "split": split, "count": count, "side": SIDE, "label_side": LABEL_SIDE}


def _written(
    images: Path, split: str, count: int, workers: int
) -> Iterator[tuple[Row, dict[str, np.ndarray]]]:
    jobs = [(images, split, index) for index in range(count)]
    if workers == 1:
        yield from map(_write_scene, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        yield from pool.map(_write_scene, jobs, chunksize=25)


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _write_scene(job: tuple[Path, str, int]) -> tuple[Row, dict[str, np.ndarray]]:
    """Write one picture and its label maps; its line of the index and its labels' numbers by category."""
    images, split, index = job
    rendered = render(describe(split, index))
    (images / f"{rendered.id}.png").write_bytes(_png(rendered.image[..., ::-1]))
    numbers = broden_numbers(rendered, LABEL_SIDE)
    cells = dict.fromkeys(CATEGORIES, "")
    if rendered.scene:
        cells["scene"] = str(NUMBERS[rendered.scene])
        numbers["scene"] = np.full((1, 1), NUMBERS[rendered.scene], np.uint16)
    for category in PIXEL_CATEGORIES:
        if numbers[category].any():
            name = f"{rendered.id}_{category}.png"
            cells[category] = f"diorama/{name}"
            code = numbers[category]
            (images / name).write_bytes(
                _png(cv2.merge((np.zeros_like(code), code >> 8, code & 255)).astype(np.uint8))
            )
    return Row(f"diorama/{rendered.id}.png", cells), numbers


def _png(bgr: np.ndarray) -> bytes:
    return cv2.imencode(".png", bgr, _PNG)[1].tobytes()
