"""A study's LIME masks against reference masks: average IoU and time, and the table they come from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from xai_assets.analysis.explanations import maps, read_map
from xai_assets.analysis.lime_cases import lime_cases
from xai_assets.analysis.reference_masks import Lies, mask_files
from xai_assets.analysis.workbench import Workbench
from xai_assets.attribution.binarisation import density
from xai_assets.evaluation.overlap import expected_iou, iou

COLUMNS = ("image_id", "target_name", "iou", "chance_iou", "density", "reference_density", "seconds")


@dataclass(frozen=True)
class Grade:
    """How well LIME found the reference masks.

    Attributes:
        table: COLUMNS, one row a case that has a mask; IoU and chance are None where LIME's map is constant, which
            is neither counted as 0 nor averaged.
        absent: why a case has no grade, by "image (class)".
        policy: how the maps became masks.
    """

    table: pd.DataFrame
    absent: dict[str, str]
    policy: str

    @property
    def avg_iou(self) -> float | None:
        """The mean IoU of the graded cases, 0 to 1; None where there is none."""
        return _mean(self.table["iou"])

    @property
    def avg_chance_iou(self) -> float | None:
        """The mean IoU to expect of masks as large that know nothing."""
        return _mean(self.table["chance_iou"])

    @property
    def avg_time(self) -> float | None:
        """Seconds of LIME an image and class, as measured when the map was computed; None without cases."""
        return _mean(self.table["seconds"])

    @property
    def graded(self) -> int:
        """How many cases the averages are over."""
        return int(self.table["iou"].notna().sum())

    def as_json(self) -> dict[str, Any]:
        """The grade as JSON can say it."""
        return {
            "avg_iou": self.avg_iou,
            "avg_chance_iou": self.avg_chance_iou,
            "avg_time": self.avg_time,
            "graded": self.graded,
            "policy": self.policy,
            "images": [
                {key: None if pd.isna(value) else value for key, value in row.items()}
                for row in self.table.to_dict("records")
            ],
            "absent": self.absent,
        }


def grade(bench: Workbench, folder: Path, *, lies: Lies = "original") -> Grade:
    """Grade the study's LIME masks; maps that are there already are not computed again.

    Args:
        bench: the study.
        folder: reference masks, see `reference_masks.find_masks`.
        lies: what they are drawn on: the original pictures, or the model's views.

    Raises:
        XaiError: a study without LIME, no such folder, no image, or no map that could be made.
    """
    mask_files(folder)  # a folder that is not there is named before anything is computed
    cases = lime_cases(bench)
    masks, absent = cases.masks(folder, lies=lies)
    known = {f"{image} ({target})": why for (image, target), why in absent.items()}
    keys = list(zip(cases.predictions["image_id"], cases.predictions["target_name"], strict=True))
    wanted = cases.predictions[[key in masks for key in keys]].reset_index(drop=True)
    found = maps(bench, wanted, cases.images, "lime")
    rows = []
    for row in found.to_dict("records"):
        explained, mask = read_map(bench, row)
        reference = masks[row["image_id"], row["target_name"]]
        says = explained.usable
        rows.append(
            {
                "image_id": row["image_id"],
                "target_name": row["target_name"],
                "iou": iou(mask, reference) if says else None,
                "chance_iou": expected_iou(density(mask), density(reference)) if says else None,
                "density": density(mask),
                "reference_density": density(reference),
                "seconds": row["seconds"],
            }
        )
        if not says:
            known[f"{row['image_id']} ({row['target_name']})"] = "LIME's map is constant: it shows nothing"
    made = {(row["image_id"], row["target_name"]) for row in rows}
    for image, target in masks.keys() - made:
        known[f"{image} ({target})"] = "LIME's map could not be made"
    return Grade(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        dict(sorted(known.items())),
        bench.attribution.binarisation.policy,
    )


def _mean(values: pd.Series) -> float | None:
    known = values.dropna()
    return float(known.mean()) if len(known) else None
