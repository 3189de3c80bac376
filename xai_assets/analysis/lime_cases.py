"""The images and target classes of a study, resolved as a run does, for the commands about LIME alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xai_assets.analysis.images import images
from xai_assets.analysis.predictions import labels_of, predictions
from xai_assets.analysis.reference_masks import Case, Lies, find_masks, names_of_images
from xai_assets.analysis.workbench import Workbench
from xai_assets.errors import XaiError
from xai_assets.vision.geometry import Frame

Key = tuple[str, str]
"""An image and a target class, by name."""


@dataclass(frozen=True)
class LimeCases:
    """What LIME has to explain in a study.

    Attributes:
        images: as the table `images`.
        predictions: as the table `predictions`; a row is a case.
        views: the model's view of each image, h w 3 uint8.
        frames: how the model's frame lies in each image.
        truths: the true mask of a case where the world knows it, h w bool.
    """

    images: pd.DataFrame
    predictions: pd.DataFrame
    views: dict[str, np.ndarray]
    frames: dict[str, Frame]
    truths: dict[Key, np.ndarray]

    def masks(self, folder: Path, *, lies: Lies) -> tuple[dict[Key, np.ndarray], dict[Key, str]]:
        """The reference masks of a folder, and why a case has none; see `find_masks`."""
        rows = self.predictions.to_dict("records")
        names = names_of_images(self.images["image_id"])
        counts = self.predictions["image_id"].value_counts()
        cases = []
        for row in rows:
            image, target, labels = row["image_id"], row["target_name"], labels_of(row["label"])
            alone = labels == [target] if labels else counts[image] == 1
            label = labels[0] if len(labels) == 1 else None
            cases.append(Case(image, target, alone, self.frames[image], names[image], label))
        return find_masks(folder, cases, lies=lies)


def lime_cases(bench: Workbench, only: Iterable[str] = ()) -> LimeCases:
    """Resolve the study's images and classes; what is there already is not computed again.

    Args:
        bench: the study, which must have LIME.
        only: names of images; all unless some are given.

    Raises:
        XaiError: a study without LIME, an image that the study does not have or that cannot be read.
    """
    if bench.attribution.methods.lime is None:
        raise XaiError(f"study {bench.study.name}", "has no LIME", "Add `lime: {}` to attribution.methods.")
    table = images(bench)
    chosen = list(dict.fromkeys(only))
    if chosen:
        status = dict(zip(table["image_id"], table["status"], strict=True))
        for name in chosen:
            if status.get(name) != "ok":
                why = "cannot be read" if name in status else "is no image of the study"
                raise XaiError(f"image {name}", why, f"Use some of {', '.join(status)}.")
        table = table[table["image_id"].isin(chosen)].reset_index(drop=True)
    found = predictions(bench, table)
    views: dict[str, np.ndarray] = {}
    frames: dict[str, Frame] = {}
    truths: dict[Key, np.ndarray] = {}
    for row in found.to_dict("records"):
        arrays, meta = bench.store.get("views", row["view"])
        views[row["image_id"]], frames[row["image_id"]] = arrays["view"], Frame.from_dict(meta["frame"])
        if "truth" in arrays:
            truths[row["image_id"], row["target_name"]] = arrays["truth"].astype(bool)
    return LimeCases(table, found, views, frames, truths)
