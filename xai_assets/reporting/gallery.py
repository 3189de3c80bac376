"""The explained images: each class's maps side by side, with the truth where it is known, and those of differences."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_assets.attribution.scaling import scale
from xai_assets.attribution.wording import in_words
from xai_assets.evaluation.localization import of_object
from xai_assets.reporting import figures, names, narrative
from xai_assets.reporting.numbers import in_order, plain, records
from xai_assets.reporting.overview import binarisation
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.selection import images_to_show
from xai_assets.vision.geometry import Frame

Row = dict[str, Any]
Case = tuple[str, int]


def gallery(results: StudyResults, pictures: Pictures, methods: Sequence[str], *, limit: int) -> Row:
    """The chapter's data: `rule`, `total`, `methods` (those that have maps) and `images`.

    Each image has its predicted class and `targets`; each target its picture and one map a method, in the order of
    `methods`. Where an answer is wrong, the last targets are why the predicted class rather than an expected one: their
    `contrast` is the probability of that. Images whose maps a method could not make have None in that place.
    """
    present = methods_of(results, methods)
    if not present or not len(results.predictions):
        return {"rule": "", "total": 0, "methods": [], "images": [], "policy": ""}
    shown, rule = images_to_show(results, limit)
    return {
        "rule": rule,
        "total": len(in_order(results.predictions["image_id"])),
        "methods": present,
        "policy": binarisation(results),
        "images": cases_of(results, pictures, present, shown),
    }


def methods_of(results: StudyResults, methods: Sequence[str]) -> list[str]:
    """Those of the methods that have maps."""
    return [key for key in methods if len(results.maps) and (results.maps["method"] == key).any()]


def cases_of(
    results: StudyResults, pictures: Pictures, methods: Sequence[str], shown: Sequence[str]
) -> list[Row]:
    """The images that are to be shown and were explained, in that order, as `gallery` has them."""
    cases: dict[str, list[Row]] = {image: [] for image in shown}
    for row in records(results.predictions):
        if row["image_id"] in cases:
            cases[row["image_id"]].append(row)
    maps = {map_key(row): row for row in (*records(results.maps), *records(results.difference_maps))}
    scores = localization_rows(results)
    found = [of for of in cases.values() if of]
    return [_image(results, pictures, of, list(methods), maps, scores) for of in found]


def localization_rows(results: StudyResults) -> dict[tuple[str, int, str], Row]:
    """The rows of `localization` that are about the explained object, by image, class and method."""
    if not len(results.localization):
        return {}
    rows = records(of_object(results.localization))
    return {(row["image_id"], row["target_index"], row["method"]): row for row in rows}


def map_key(row: Row) -> tuple[str, int, int | None, str]:
    """What a row of `maps` or `difference_maps` is the map of."""
    return row["image_id"], row["target_index"], row.get("contrast_index"), row["method"]


def differences_of(results: StudyResults, targets: list[Row]) -> list[Row]:
    """The rows of `predictions` of an image's predicted class, one a difference that has maps, with its second class."""
    table, of_class = results.difference_maps, {row["target_index"]: row for row in targets}
    if not len(table):
        return []
    pairs = table.loc[table["image_id"] == targets[0]["image_id"], ["target_index", "contrast_index"]]
    return [
        of_class[a]
        | {
            "contrast_index": b,
            "contrast_name": of_class[b]["target_name"],
            "contrast_probability": of_class[b]["probability"],
        }
        for a, b in dict.fromkeys(pairs.itertuples(index=False, name=None))
    ]


def _image(
    results: StudyResults,
    pictures: Pictures,
    targets: list[Row],
    methods: list[str],
    maps: dict[tuple[str, int, int | None, str], Row],
    scores: dict[tuple[str, int, str], Row],
) -> Row:
    first = targets[0]
    return {
        "image_id": first["image_id"],
        "label": first["label"],
        "predicted_name": first["predicted_name"],
        "predicted_probability": first["predicted_probability"],
        "correct": first["correct"],
        "sure": first.get("sure"),
        "labels": narrative.labels(first["label"]),
        "targets": [
            _target(results, pictures, row, methods, maps, scores)
            for row in (
                *sorted(targets, key=lambda row: row["target_rank"]),
                *differences_of(results, targets),
            )
        ],
    }


def _target(
    results: StudyResults,
    pictures: Pictures,
    row: Row,
    methods: list[str],
    maps: dict[tuple[str, int, int | None, str], Row],
    scores: dict[tuple[str, int, str], Row],
) -> Row:
    view, truth = read_view(results, row)
    original = _original(results, pictures, row)
    contrast, name = row.get("contrast_index"), in_words(row["target_name"], row.get("contrast_name"))
    if contrast is not None:
        truth = None  # no mask is the ground truth of a difference
    known = "; the dashed line is the true outline" if truth is not None else ""
    asked = "target class" if contrast is None else "explained is why"
    alt = f"{row['image_id']} as the model sees it, {asked} {name}{known}."
    shown = []
    for method in methods:
        key = (row["image_id"], row["target_index"], contrast, method)
        score = scores.get((row["image_id"], row["target_index"], method)) if contrast is None else None
        shown.append(_map(results, pictures, view, truth, maps[key], score) if key in maps else None)
    return {
        "name": name,
        "probability": row["probability"],
        "contrast": None
        if contrast is None
        else {"name": row["contrast_name"], "probability": row["contrast_probability"]},
        "truth": truth is not None,
        "original": original,
        "seen": row.get("seen"),
        "picture": pictures.add(figures.picture(view, truth=truth), alt),
        "maps": shown,
    }


def read_view(results: StudyResults, row: Row) -> tuple[np.ndarray, np.ndarray | None]:
    """The model's view (h w 3 uint8) and the target's true mask (h w bool) of a row of `predictions`."""
    arrays, _ = results.artifact("views", row["view"])
    truth = arrays.get("truth")
    return arrays["view"], None if truth is None else truth.astype(bool)


def _original(results: StudyResults, pictures: Pictures, row: Row) -> Row | None:
    """The image as its file has it, with the model's crop framed; None where the model sees all of it."""
    _, meta = results.artifact("views", row["view"])
    images = results.images
    kept = images.loc[images["image_id"] == row["image_id"], "picture"] if len(images) else images
    if row.get("seen") is None or row["seen"] >= figures.WHOLE or "frame" not in meta or not len(kept):
        return None
    arrays, _ = results.artifact("pictures", str(kept.iloc[0]))
    drawn = figures.marked_crop(arrays["pixels"], Frame.from_dict(meta["frame"]))
    alt = f"{row['image_id']}, the original; the model sees {row['seen']:.0%} of it, the framed part."
    return pictures.add(figures.jpeg(drawn), alt)


def _map(
    results: StudyResults,
    pictures: Pictures,
    view: np.ndarray,
    truth: np.ndarray | None,
    row: Row,
    score: Row | None,
) -> Row:
    arrays, _ = results.artifact("maps", row["artifact"])
    mask = arrays["mask"].astype(bool)
    image = figures.overlay(view, scale(arrays["values"]), mask=mask, truth=truth)
    score = score or {}
    title = names.method(row["method"]).title
    name = in_words(row["target_name"], row.get("contrast_name"))
    alt = f"{title} for {name} in {row['image_id']}; the mask covers {row['density']:.0%} of the frame"
    iou = score.get("iou")
    alt += f", IoU with the truth {iou:.2f}." if iou is not None else "."
    claimed = plain(row.get("claimed_iou"))
    return {
        "method": row["method"],
        "picture": pictures.add(image, alt),
        "iou": plain(iou),
        "chance_iou": plain(score.get("chance_iou")),
        "average_precision": plain(score.get("average_precision")),
        "pointing": plain(score.get("pointing")),
        "density": row["density"],
        "constant": bool(row["constant"]),
        "raw_min": row["raw_min"],
        "raw_max": row["raw_max"],
        "expected_iou": plain(row.get("expected_iou")),
        "claimed_iou": claimed,
        "passes": None if claimed is None else plain(row.get("passes")),
    }
