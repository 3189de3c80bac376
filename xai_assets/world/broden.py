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
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from xai_assets.files import write_json
from xai_assets.world.broden_resume import SCENES, WrittenScene, keep_scene, only_one, read_scene
from xai_assets.world.broden_tables import Row, Tally, counted, write_tables
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

    Everything is written into a temporary folder beside it, which is renamed at the end: `folder` is whole or absent. An
    interrupted rendering goes on where it stopped; a second one of the same set waits for the first.

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
    with only_one(folder.with_name(f".{folder.name}.part"), wanted) as part:
        if is_complete(folder, split=split, count=count):
            shutil.rmtree(part)
            return  # another process has made it meanwhile
        try:
            _fill(part, split, count, workers, progress)
        except OSError:
            shutil.rmtree(part, ignore_errors=True)  # the disk is full: what is there would only keep it so
            raise
        write_json(part / _MARKER, wanted)
        shutil.rmtree(part / SCENES)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(part, folder)


def _fill(
    part: Path, split: str, count: int, workers: int, progress: Callable[[int, int], None] | None
) -> None:
    (part / "images" / "diorama").mkdir(parents=True, exist_ok=True)
    tally, rows = Tally(), []
    for done, scene in enumerate(_written(part, split, count, workers), start=1):
        rows.append(scene.row)
        tally.add(scene.counts)
        if progress is not None:
            progress(done, count)
    write_tables(part, rows, tally)


def is_complete(folder: Path, *, split: str = "probe", count: int = 1000) -> bool:
    """Whether `folder` holds exactly the probe set that `write_probe` would write."""
    marker = Path(folder) / _MARKER
    return marker.is_file() and json.loads(marker.read_text("utf-8")) == _marker(split, count)


def _marker(split: str, count: int) -> dict[str, object]:
    return {"world": WORLD_VERSION, "split": split, "count": count, "side": SIDE, "label_side": LABEL_SIDE}


def _written(part: Path, split: str, count: int, workers: int) -> Iterator[WrittenScene]:
    jobs = [(part, split, index) for index in range(count)]
    if workers == 1:
        yield from map(_write_scene, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_thread) as pool:
        yield from pool.map(_write_scene, jobs, chunksize=25)


def _one_thread() -> None:
    cv2.setNumThreads(1)


def _write_scene(job: tuple[Path, str, int]) -> WrittenScene:
    """Write one image and its label maps, unless an interrupted rendering has left them whole."""
    part, split, index = job
    images = part / "images" / "diorama"
    if (found := read_scene(part, index)) is not None:
        return found
    rendered = render(describe(split, index))
    files = {f"{rendered.id}.png": _png(rendered.image[..., ::-1])}
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
            files[name] = _png(cv2.merge((np.zeros_like(code), code >> 8, code & 255)).astype(np.uint8))
    for name, content in files.items():
        (images / name).write_bytes(content)
    scene = WrittenScene(Row(f"diorama/{rendered.id}.png", cells), counted(numbers))
    keep_scene(part, index, scene, files)
    return scene


def _png(bgr: np.ndarray) -> bytes:
    return cv2.imencode(".png", bgr, _PNG)[1].tobytes()
