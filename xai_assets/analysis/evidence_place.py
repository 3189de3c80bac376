"""Where the evidence for the model's answers lies, of the images whose object is known."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from xai_assets.analysis.explanations import read_map
from xai_assets.analysis.workbench import Workbench
from xai_assets.evaluation.evidence_place import PLACE, TESTS, PlacedMap, evidence_places
from xai_assets.evaluation.other_images import blocks_of
from xai_assets.files import fingerprint
from xai_assets.reporting.numbers import records

KIND = "evidence_places"
CODE_VERSION = 1
"""Raise it when the same maps and masks give other numbers."""

OBJECTS = ("truth", "objects")
"""The arrays of the artifact `views` with the object: of the class, and of the labels where it is none of them."""


def evidence_place(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """One row an image and method, as the warehouse's table `evidence_place`.

    Of each image the map of the class that the model answers, where the object is known and the map shows something.
    """
    return _kept(bench, maps, predictions)[0]


def evidence_tests(bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """What can be said of it, as the warehouse's table `evidence_tests`."""
    return _kept(bench, maps, predictions)[1]


def _kept(
    bench: Workbench, maps: pd.DataFrame, predictions: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables, worked out once for these maps and masks."""
    answers = predictions[predictions["target_index"] == predictions["predicted_index"]]
    answered = answers.drop_duplicates("image_id").set_index("image_id")
    used = [
        row
        for row in maps.to_dict("records")
        if row["image_id"] in answered.index
        and row["target_index"] == answered.at[row["image_id"], "target_index"]
    ]
    made_of = [[row["method"], row["artifact"], answered.at[row["image_id"], "view"]] for row in used]
    right = [None if pd.isna(one) else bool(one) for one in answered["correct"]]
    key = fingerprint({"code": CODE_VERSION, "seed": bench.study.seed, "maps": made_of, "right": right})
    if not bench.store.has(KIND, key):
        found = evidence_places(_blocks(bench, used, answered), seed=bench.study.seed)
        bench.store.put(KIND, key, {}, {"places": records(found.places), "tests": records(found.tests)})
    meta = bench.store.get(KIND, key)[1]
    bench.tally.computed += len(meta["places"])
    places = pd.DataFrame(meta["places"], columns=list(PLACE)).astype({"correct": "boolean"})
    return places, pd.DataFrame(meta["tests"], columns=list(TESTS))


def _blocks(
    bench: Workbench, rows: list[dict[str, Any]], answered: pd.DataFrame
) -> Iterator[list[PlacedMap]]:
    """The maps in blocks of images whose maps are of one shape."""
    images: dict[str, list[PlacedMap]] = {}
    for row in rows:
        name = str(row["image_id"])
        case = answered.loc[name]
        mask = object_mask(bench, str(case["view"]))
        found, _ = read_map(bench, row)
        if mask is None or not mask.any() or not np.isfinite(found.values).all():
            continue
        correct = None if pd.isna(case["correct"]) else bool(case["correct"])
        images.setdefault(name, []).append(
            PlacedMap(
                name,
                int(row["target_index"]),
                str(row["target_name"]),
                str(row["method"]),
                correct,
                found.values,
                mask,
            )
        )
    of = list(images.values())
    for block in blocks_of([one[0].values.shape for one in of], seed=bench.study.seed):
        yield [one for place in block for one in of[int(place)]]


def object_mask(bench: Workbench, view: str) -> np.ndarray | None:
    """The mask of the object in an artifact `views`, h w bool; None where it is not known."""
    arrays = bench.store.get("views", view)[0]
    return next((arrays[name].astype(bool) for name in OBJECTS if name in arrays), None)
