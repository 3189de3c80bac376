"""The images of a study: scenes of the embedded world, or a folder of photographs, and which of them are unfit."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.workbench import Workbench
from xai_assets.errors import XaiError
from xai_assets.files import fingerprint, sha256_bytes
from xai_assets.resources.tables import TABLES
from xai_assets.study_file import StudyFile
from xai_assets.vision.images import load_images, read_folder
from xai_assets.world.images import study_images

SPLIT = "demo"
"""Scenes that neither training nor the probe set has seen."""


def images(bench: Workbench) -> pd.DataFrame:
    """One row an image of the study, as the warehouse's table `images`.

    Good images are kept as artifacts of kind `pictures`: `pixels` (h w 3, uint8, RGB) and, where the truth is known,
    `truth` and `parts` (targets h w, uint8, 0 or 1): the targets, and of each the part that decides its class. An image
    that cannot be read has status `quarantined` and a reason.

    Raises:
        XaiError: when not one image is left.
    """
    source = bench.attribution.images
    rows = list(_diorama(bench) if source.diorama else _folder(bench))
    if not any(row["status"] == "ok" for row in rows):
        where = source.folder or "the embedded world"
        reasons = "; ".join(row["reason"] for row in rows[:3] if row["reason"]) or "there are none"
        raise XaiError(
            f"images of study {bench.study.name}",
            f"no image could be read from {where}: {reasons}",
            "Put images there, or name another folder under attribution.images.",
        )
    return pd.DataFrame(rows, columns=list(TABLES["images"].columns))


def _keep(bench: Workbench, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> str:
    key = fingerprint(
        {
            "arrays": {name: sha256_bytes(np.ascontiguousarray(a).tobytes()) for name, a in arrays.items()},
            "shape": list(arrays["pixels"].shape),
            **meta,
        }
    )
    if bench.store.has("pictures", key):
        bench.tally.reused += 1
    else:
        bench.store.put("pictures", key, arrays, meta)
        bench.tally.computed += 1
    return key


def _diorama(bench: Workbench) -> Iterator[dict[str, Any]]:
    wanted = bench.attribution.images.diorama
    assert wanted is not None
    scenes = study_images(SPLIT, wanted.singles, wanted.pairs)
    for done, scene in enumerate(scenes, 1):
        labels = [target.class_name for target in scene.targets]
        truth = np.stack([target.mask for target in scene.targets]).astype(np.uint8)  # targets h w
        parts = np.stack([target.deciding_part for target in scene.targets]).astype(np.uint8)
        arrays = {"pixels": scene.image, "truth": truth, "parts": parts}
        key = _keep(bench, arrays, {"targets": labels})
        height, width = scene.image.shape[:2]
        yield _row(
            image_id=scene.id,
            source=f"diorama, split {SPLIT}, scene {scene.description.index}",
            width=width,
            height=height,
            mode="RGB",
            label=";".join(labels),
            sha256=sha256_bytes(scene.image.tobytes()),
            picture=key,
        )
        bench.progress(done, len(scenes))


def _folder(bench: Workbench) -> Iterator[dict[str, Any]]:
    folder = bench.attribution.images.folder
    assert folder is not None
    paths = read_folder(bench.file.resolve(folder))
    for done, path in enumerate(paths, 1):
        loaded, quarantined = load_images([path])
        for image in loaded:
            height, width = image.pixels.shape[:2]
            key = _keep(bench, {"pixels": image.pixels}, {"targets": []})
            yield _row(
                image_id=path.name,
                source=path.name,
                width=width,
                height=height,
                mode=image.mode,
                sha256=image.sha256,
                picture=key,
            )
        for bad in quarantined:
            reason = f"{bad.why}. {bad.remedy}"
            bench.tally.problems.append(f"{path.name}: {reason}")
            yield _row(image_id=path.name, source=path.name, status="quarantined", reason=reason)
        bench.progress(done, len(paths))


def _row(**values: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(TABLES["images"].columns)
    return row | {"status": "ok"} | values


def image_names(file: StudyFile) -> tuple[str, ...]:
    """The names of the study's images, in order, without reading them.

    Raises:
        XaiError: the study has no attribution, or its folder is missing or empty.
    """
    if file.study.attribution is None:
        raise XaiError(f"study {file.study.name}", "has no attribution", "Add one first.")
    source = file.study.attribution.images
    if source.folder:
        return tuple(path.name for path in read_folder(file.resolve(source.folder)))
    assert source.diorama is not None
    return tuple(scene.id for scene in study_images(SPLIT, source.diorama.singles, source.diorama.pairs))


def usable(images: pd.DataFrame) -> pd.DataFrame:
    """The images that were not quarantined."""
    return images[images["status"] == "ok"].reset_index(drop=True)


def canonical(parameters: dict[str, Any]) -> str:
    """Parameters as JSON in one order, for tables and keys."""
    return json.dumps(parameters, sort_keys=True, allow_nan=False)
