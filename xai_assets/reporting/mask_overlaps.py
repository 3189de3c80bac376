"""The masks of an image over one another: each method's, every pair with its IoU, and the IoU of all images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_assets.reporting import figures, names
from xai_assets.reporting.gallery import read_view
from xai_assets.reporting.numbers import records
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults

Row = dict[str, Any]
Case = tuple[str, int]
Pair = tuple[str, str]

SHOWN = 6
"""Target classes whose masks are drawn."""


def image_by_image(results: StudyResults, pairs: Sequence[Row]) -> list[Row]:
    """The IoU of each pair, one row a target class: `image_id`, `target_name` and `ious`, in the order of `pairs`."""
    by_case = _by_case(results)
    keys = [(pair["method_a"], pair["method_b"]) for pair in pairs]
    return [
        {
            "image_id": image,
            "target_name": next(iter(of.values()))["target_name"],
            "ious": [_iou(of, key) for key in keys],
        }
        for (image, _), of in by_case.items()
    ]


def mask_overlaps(results: StudyResults, pictures: Pictures, pairs: Sequence[Row]) -> Row:
    """Pictures of the masks of a few target classes.

    Returns:
        `rule`, and `cases`: `image_id`, `name`, `picture`, `masks` (`method`, `picture`, `density`) and `pairs`
        (`method_a`, `method_b`, `iou`, `picture`).
    """
    by_case = _by_case(results)
    keys = [(pair["method_a"], pair["method_b"]) for pair in pairs]
    if not by_case:
        return {"rule": "", "cases": []}
    chosen, rule = _chosen(by_case)
    rows = {(row["image_id"], row["target_index"]): row for row in records(results.predictions)}
    maps: dict[Case, dict[str, Row]] = {}
    for row in records(results.maps):
        maps.setdefault((row["image_id"], row["target_index"]), {})[row["method"]] = row
    methods = list(dict.fromkeys(name for pair in keys for name in pair))
    cases = [
        _case(
            results,
            pictures,
            rows[case],
            {key: maps[case][key] for key in methods if key in maps[case]},
            keys,
            of,
        )
        for case, of in by_case.items()
        if case in chosen and case in rows
    ]
    return {"rule": rule, "cases": cases}


def _by_case(results: StudyResults) -> dict[Case, dict[frozenset[str], Row]]:
    found: dict[Case, dict[frozenset[str], Row]] = {}
    for row in records(results.mask_agreement):
        of = found.setdefault((row["image_id"], row["target_index"]), {})
        of[frozenset((row["method_a"], row["method_b"]))] = row
    return found


def _iou(of: dict[frozenset[str], Row], key: Pair) -> float | None:
    row = of.get(frozenset(key))
    return None if row is None else row["iou"]


def _chosen(by_case: dict[Case, dict[frozenset[str], Row]]) -> tuple[set[Case], str]:
    """The classes whose masks agree least and most, by the pair of each that agrees least."""
    if len(by_case) <= SHOWN:
        return set(by_case), "All target classes are shown."
    least = {
        case: min(known)
        for case, of in by_case.items()
        if (known := [r["iou"] for r in of.values() if r["iou"] is not None])
    }
    ranked = sorted(least, key=lambda case: (least[case], case))
    half = SHOWN // 2
    rule = (
        f"Of {len(by_case)} target classes, the {half} are shown whose masks agree least and the {half} whose masks "
        "agree most, by the pair of each that agrees least."
    )
    return {*ranked[:half], *ranked[-half:]}, rule


def _case(
    results: StudyResults,
    pictures: Pictures,
    row: Row,
    maps: dict[str, Row],
    keys: Sequence[Pair],
    of: dict[frozenset[str], Row],
) -> Row:
    view, truth = read_view(results, row)
    masks: dict[str, np.ndarray] = {
        key: results.artifact("maps", one["artifact"])[0]["mask"].astype(bool) for key, one in maps.items()
    }
    what = f"{row['target_name']} in {row['image_id']}"
    return {
        "image_id": row["image_id"],
        "name": row["target_name"],
        "picture": pictures.add(
            figures.picture(view, truth=truth), f"{row['image_id']} as the model sees it."
        ),
        "masks": [
            {
                "method": key,
                "density": maps[key]["density"],
                "picture": pictures.add(
                    figures.kept(view, mask),
                    f"The mask of {names.method(key).title} for {what}: {maps[key]['density']:.0%} of the frame.",
                ),
            }
            for key, mask in masks.items()
        ],
        "pairs": [
            {
                "method_a": a,
                "method_b": b,
                "iou": _iou(of, (a, b)),
                "picture": pictures.add(
                    figures.overlap(view, masks[a], masks[b]), _alt(a, b, what, _iou(of, (a, b)))
                ),
            }
            for a, b in keys
            if a in masks and b in masks
        ],
    }


def _alt(a: str, b: str, what: str, iou: float | None) -> str:
    both = f"The masks of {names.method(a).title} and {names.method(b).title} for {what} over one another"
    return f"{both}: no IoU." if iou is None else f"{both}: IoU {iou:.2f}."
