"""The images of a study: scenes of the embedded world, or a folder of photographs, and which of them are unfit."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.ahead import ahead
from xai_assets.analysis.filling import Filling
from xai_assets.analysis.own_images import own_images
from xai_assets.analysis.workbench import Tally, Workbench
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint, sha256_bytes
from xai_assets.joined import join_names
from xai_assets.resources.tables import TABLES
from xai_assets.set_aside import by_reason, lines
from xai_assets.study_file import StudyFile
from xai_assets.vision.images import LoadedImage, Quarantined, read_each
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.zoo import resolve
from xai_assets.world.images import study_scenes
from xai_assets.world.render import render

SPLIT = "demo"
"""Scenes that neither training nor the probe set has seen."""

PICTURES = "pictures"
"""The kind of the artifacts that hold images."""

QUARANTINED = "quarantined"
"""The status of an image that was set aside."""

NAMED = 3
"""How many reasons are named where not one image is left."""


def images(bench: Workbench) -> pd.DataFrame:
    """One row an image of the study, as the warehouse's table `images`.

    Good images are kept as artifacts of kind `pictures`: `pixels` (h w 3, uint8, RGB) and, where the truth is known,
    `truth` and `parts` (targets h w, uint8, 0 or 1): the targets, and of each the part that decides its class. An image
    that cannot be read, or that the model's preprocessing does not take, has status `quarantined` and a reason.

    Raises:
        XaiError: when not one image is left.
    """
    source = bench.attribution.images
    preprocessing = explained_preprocessing(bench)
    pictures = Filling(bench.store, PICTURES, bench.tally)
    of = _diorama if source.diorama else _files
    rows = list(of(bench, preprocessing, pictures))
    pictures.close()
    bench.tally.images += [(row["image_id"], row["reason"]) for row in rows if row["status"] != "ok"]
    if not any(row["status"] == "ok" for row in rows):
        raise nothing_usable(bench.file, bench.tally.images)
    return pd.DataFrame(rows, columns=list(TABLES["images"].columns))


def explained_preprocessing(bench: Workbench) -> Preprocessing:
    """The preprocessing of the model that the study explains; no weights are read."""
    entry = resolve(bench.attribution.model, bench.settings, base=bench.file.path.parent)
    return Preprocessing(entry.preprocessing)


def nothing_usable(file: StudyFile, bad: Sequence[tuple[str, str]]) -> XaiError:
    """The error of a study that has no image left, with the reasons; `bad`: name and reason of each image."""
    assert file.study.attribution is not None
    source = file.study.attribution.images
    where = source.folder or ("installed packages" if source.packaged else "the embedded world")
    reasons = "; ".join(group.line("images") for group in by_reason(bad)[:NAMED]) or "there are none"
    return XaiError(
        f"images of study {file.study.name}",
        f"no image can be used from {where}: {reasons}",
        "Put images there that the model takes, or name another folder under attribution.images.",
    )


def unfit(preprocessing: Preprocessing, height: int, width: int) -> str | None:
    """Why the model's preprocessing does not take an image of that size, or None."""
    try:
        preprocessing.frame(height, width)
    except XaiError as error:
        return str(error)
    return None


def _keep(pictures: Filling, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> str:
    key = fingerprint(
        {
            "arrays": {name: sha256_bytes(np.ascontiguousarray(a).tobytes()) for name, a in arrays.items()},
            "shape": list(arrays["pixels"].shape),
            **meta,
        }
    )
    pictures.add(key, arrays, meta)
    return key


def _diorama(bench: Workbench, preprocessing: Preprocessing, pictures: Filling) -> Iterator[dict[str, Any]]:
    wanted = bench.attribution.images.diorama
    assert wanted is not None
    scenes = study_scenes(SPLIT, wanted.singles, wanted.pairs)
    for done, scene in enumerate(map(render, scenes), 1):  # one after the other, for there may be thousands
        labels = [target.class_name for target in scene.targets]
        truth = np.stack([target.mask for target in scene.targets]).astype(np.uint8)  # targets h w
        parts = np.stack([target.deciding_part for target in scene.targets]).astype(np.uint8)
        arrays = {"pixels": scene.image, "truth": truth, "parts": parts}
        height, width = scene.image.shape[:2]
        row = _row(
            image_id=scene.id,
            source=f"diorama, split {SPLIT}, scene {scene.description.index}",
            width=width,
            height=height,
            mode="RGB",
            label=join_names(labels),
            sha256=sha256_bytes(scene.image.tobytes()),
        )
        if why := unfit(preprocessing, height, width):
            yield row | {"status": QUARANTINED, "reason": why}
        else:
            yield row | {"picture": _keep(pictures, arrays, {"targets": labels})}
        bench.progress(done, len(scenes))


def _files(bench: Workbench, preprocessing: Preprocessing, pictures: Filling) -> Iterator[dict[str, Any]]:
    own = own_images(bench.file, bench.tally)
    notes: list[tuple[str, str]] = []
    for done, (name, found) in enumerate(ahead(read_fitting(own.paths, preprocessing, own.folder)), 1):
        notes += [(name, note) for note in found.notes]
        yield _of_file(pictures, found, own.labels_of(name))
        bench.progress(done, len(own.paths))
    for line in lines(notes, "images"):
        bench.tally.note(line)


@dataclass(frozen=True)
class FolderImage:
    """One image file: the image where it could be read, and why it is set aside where the model cannot take it."""

    name: str
    image: LoadedImage | None
    unfit: str | None

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual about the file."""
        return self.image.notes if self.image else ()


def read_fitting(
    paths: Iterable[Path], preprocessing: Preprocessing, folder: Path | None
) -> Iterator[tuple[str, FolderImage]]:
    """Each image file by its name (below the folder, if any), read and held against what the preprocessing takes."""
    for name, found in read_each(paths, root=folder):
        if isinstance(found, Quarantined):
            yield name, FolderImage(name, None, f"{found.why}. {found.remedy}")
        else:
            height, width = found.pixels.shape[:2]
            yield name, FolderImage(name, found, unfit(preprocessing, height, width))


def _of_file(pictures: Filling, found: FolderImage, labels: Sequence[str]) -> dict[str, Any]:
    row = _row(image_id=found.name, source=found.name, label=join_names(labels) or None)
    image = found.image
    if image is not None:
        height, width = image.pixels.shape[:2]
        row |= {"width": width, "height": height, "mode": image.mode, "sha256": image.sha256}
    if image is None or found.unfit:
        return row | {"status": QUARANTINED, "reason": found.unfit}
    meta = {"targets": [], **({"notes": list(image.notes)} if image.notes else {})}
    return row | {"picture": _keep(pictures, {"pixels": image.pixels}, meta)}


def _row(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(TABLES["images"].columns)
    return row | {"status": "ok"} | values


def image_names(file: StudyFile) -> tuple[str, ...]:
    """The names of the study's images, in order, without reading them.

    Raises:
        XaiError: the study has no attribution, its folder is missing or empty, or its labels cannot be used.
    """
    if file.study.attribution is None:
        raise XaiError(f"study {file.study.name}", "has no attribution", "Add one first.")
    source = file.study.attribution.images
    if source.diorama is None:
        return own_images(file, Tally()).ids
    return tuple(scene.id for scene in study_scenes(SPLIT, source.diorama.singles, source.diorama.pairs))


def usable(images: pd.DataFrame) -> pd.DataFrame:
    """The images that were not quarantined."""
    return images[images["status"] == "ok"].reset_index(drop=True)


def canonical(parameters: dict[str, Any]) -> str:
    """Parameters as JSON in one order, for tables and keys."""
    return json.dumps(parameters, sort_keys=True, allow_nan=False)
