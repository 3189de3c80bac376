"""LIME's explanations: superpixels, their weights, how well the surrogate fits, and the mask."""

import json
from typing import Any

import numpy as np

from xai_assets.attribution.scaling import scale
from xai_assets.attribution.wording import in_words
from xai_assets.reporting import figures
from xai_assets.reporting.gallery import differences_of, localization_rows, map_key, read_view
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.selection import images_to_show

Row = dict[str, Any]
SEGMENTS_SHOWN = 6


def surrogates(results: StudyResults, pictures: Pictures, *, limit: int) -> Row:
    """The chapter's data: `rule`, `total`, `cases` and `fit` (R² of every target class, shown or not).

    `auto` says whether the number of samples of any was left to its mask.

    Of an image that is answered wrongly, the last cases are why the predicted class rather than an expected one.
    """
    of_lime = results.maps[results.maps["method"] == "lime"] if len(results.maps) else results.maps
    if not len(of_lime):
        return {"rule": "", "total": 0, "cases": [], "fit": [], "auto": False}
    shown, rule = images_to_show(results, limit)
    maps = {map_key(row): row for row in (*records(of_lime), *records(results.difference_maps))}
    scores = localization_rows(results)
    cases = []
    fit = []
    images: dict[str, list[Row]] = {}
    for row in records(results.predictions):
        images.setdefault(row["image_id"], []).append(row)
    for row in (row for targets in images.values() for row in (*targets, *differences_of(results, targets))):
        key = map_key(row | {"method": "lime"})
        if key not in maps:
            continue
        arrays, meta = results.artifact("maps", maps[key]["artifact"])
        r2 = plain((meta.get("details") or {}).get("r2"))
        fit.append({"image_id": row["image_id"], "target_name": _name(row), "r2": r2, **_samples(maps[key])})
        if row["image_id"] in shown:
            score = scores.get((key[0], key[1], "lime")) if key[2] is None else None
            cases.append(_case(results, pictures, row, maps[key], arrays, r2, score))
    auto = any(row["stable"] is not None for row in fit)
    total = len(in_order(results.predictions["image_id"]))
    return {"rule": rule, "total": total, "cases": cases, "fit": fit, "auto": auto}


def _name(row: Row) -> str:
    return in_words(row["target_name"], row.get("contrast_name"))


def _samples(of_map: Row) -> Row:
    """How many samples the surrogate is fitted on, and how sure it is that the mask is stable, where that was asked."""
    samples, stable = plain(of_map.get("samples")), plain(of_map.get("stable"))
    return {"samples": None if samples is None else int(samples), "stable": stable}


def _case(
    results: StudyResults,
    pictures: Pictures,
    row: Row,
    of_map: Row,
    arrays: Any,
    r2: float | None,
    score: Row | None,
) -> Row:
    view, truth = read_view(results, row)
    difference = row.get("contrast_index") is not None
    truth = None if difference else truth  # no mask is the ground truth of a difference
    mask = arrays["mask"].astype(bool)
    score = score or {}
    where = f"{_name(row)} in {row['image_id']}"
    case = {
        "image_id": row["image_id"],
        "name": _name(row),
        "probability": row["probability"],
        "contrast": {"name": row["contrast_name"], "probability": row["contrast_probability"]}
        if difference
        else None,
        "predicted_name": row["predicted_name"],
        "predicted_probability": row["predicted_probability"],
        "correct": row["correct"],
        "sure": row.get("sure"),
        "truth": truth is not None,
        "r2": r2,
        "density": of_map["density"],
        "constant": bool(of_map["constant"]),
        "raw_min": plain(of_map["raw_min"]),
        "raw_max": plain(of_map["raw_max"]),
        "parameters": parameters(of_map["parameters"]),
        "iou": plain(score.get("iou")),
        "chance_iou": plain(score.get("chance_iou")),
        "average_precision": plain(score.get("average_precision")),
        "picture": pictures.add(
            figures.picture(view, truth=truth), f"{row['image_id']} as the model sees it."
        ),
        "overlay": pictures.add(
            figures.overlay(view, scale(arrays["values"]), mask=mask, truth=truth),
            f"LIME for {where}; the mask covers {of_map['density']:.0%} of the frame.",
        ),
        "superpixels": None,
        "segments": 0,
        "strongest": [],
        **_samples(of_map),
    }
    if "segments" in arrays and "weights" in arrays:
        labels, weights = arrays["segments"], np.nan_to_num(np.asarray(arrays["weights"], dtype=np.float64))
        case["segments"] = len(np.unique(labels))
        case["strongest"] = _strongest(labels, weights)
        case["superpixels"] = pictures.add(
            figures.segments(view, labels, weights),
            f"{case['segments']} superpixels of {where}, coloured by weight from orange (against) to purple (for).",
        )
    return case


def _strongest(labels: np.ndarray, weights: np.ndarray) -> list[Row]:
    """The superpixels of largest absolute weight, ties by number, with the place of their label in per cent."""
    order = np.argsort(-np.abs(weights), kind="stable")[:SEGMENTS_SHOWN]
    found = []
    for number in order:
        inside = labels == number
        if not inside.any() or weights[number] == 0:
            continue
        rows, columns = np.nonzero(inside)
        # The pixel of the segment that is nearest its centroid: a centroid alone may lie outside a bent segment.
        nearest = int(np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2))
        found.append(
            {
                "segment": int(number),
                "weight": float(weights[number]),
                "area": float(inside.mean()),
                "x": round(100 * (columns[nearest] + 0.5) / labels.shape[1], 1),
                "y": round(100 * (rows[nearest] + 0.5) / labels.shape[0], 1),
            }
        )
    return found


def parameters(text: str | None) -> list[Row]:
    """A map's parameters (JSON) as a flat list of `name` and `value`."""
    flat: list[Row] = []

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, dict):
            for key in sorted(value):
                walk(f"{prefix}.{key}" if prefix else str(key), value[key])
        else:
            flat.append({"name": prefix, "value": plain(value)})

    walk("", json.loads(text) if text else {})
    return flat
