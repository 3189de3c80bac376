"""Several models of one study on the same images: how often each is right, what changed, and where each looks."""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pandas as pd

from xai_assets.attribution.scaling import scale
from xai_assets.evaluation.between_models import OWN_ANSWER, SAME_CLASS
from xai_assets.evaluation.models_tested import EVIDENCE, KINDS
from xai_assets.reporting import figures, names
from xai_assets.reporting.narrative import count, evidence, joined, not_enough, signed
from xai_assets.reporting.numbers import in_order, records
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.vision.geometry import Frame

Row = dict[str, Any]

LISTED = 40
"""Changed answers that the page lists."""

OVERLAID = 4
"""Of more models the masks are not laid over one another: a row has no room for them."""

CHANGES = {
    "right_to_wrong": "right, then wrong",
    "wrong_to_right": "wrong, then right",
    "wrong_to_wrong": "wrong, and wrong in another way",
    "right_to_right": "right, by another of its labels",
    "not_labelled": "another class, of an image without a label",
}
METRICS = {
    "correct": "right answers",
    "label_probability": "probability of the label",
    "probability": "probability of the answer",
    "on_object": "evidence on the labelled object",
    "mask_area": "mask area",
    "centre_x": "centre of the evidence, from the left",
    "centre_y": "centre of the evidence, from the top",
}
OVERALL = ("accuracy", "confidence", "ece")


def several_models(results: StudyResults, pictures: Pictures, *, limit: int) -> Row:
    """The chapter's data; no models where the study has one.

    Returns:
        `models` (name, and the rows OVERALL of `performance_by_model`), `pairs` (two models, their sentences, rows of
        `model_tests` by family, rows of the IoU and the rank correlation, counts of changes), `changed` (rows of
        `changed_answers`, the first LISTED) with `changed_total`, `methods`, and `gallery` (`rule`, `method`, `images`).
    """
    overall = results.performance_by_model
    if not len(overall):
        return {"models": [], "pairs": [], "changed": [], "changed_total": 0, "methods": [], "gallery": None}
    models = in_order(overall["model"])
    of_all = {(row["model"], row["metric"]): row for row in records(overall[overall["metric"].isin(OVERALL)])}
    changed = records(results.changed_answers)
    return {
        "models": [
            {"name": name, **{metric: of_all.get((name, metric)) for metric in OVERALL}} for name in models
        ],
        "pairs": [_pair(results, a, b, changed) for a, b in _pairs(results)],
        "changed": [row | {"title": CHANGES[row["change"]]} for row in changed[:LISTED]],
        "changed_total": len(changed),
        "methods": in_order(results.maps_by_model["method"]),
        "gallery": _gallery(results, pictures, models, changed, limit),
    }


def _pairs(results: StudyResults) -> list[tuple[str, str]]:
    table = results.model_tests[["model_a", "model_b"]]
    return list(dict.fromkeys(table.itertuples(index=False, name=None)))


def _pair(results: StudyResults, a: str, b: str, changed: Sequence[Row]) -> Row:
    tests = [row | {"title": METRICS[row["metric"]]} for row in records(_of(results.model_tests, a, b))]
    agreement = records(_of(results.model_agreement_summary, a, b))
    own = [row for row in changed if (row["model_a"], row["model_b"]) == (a, b)]
    changes = {kind: sum(row["change"] == kind for row in own) for kind in KINDS}
    iou = [row for row in agreement if row["metric"] == "iou"]
    ranks = {row["method"]: row for row in agreement if row["metric"] == "rank_correlation"}
    return {
        "a": a,
        "b": b,
        "answers": [row for row in tests if row["family"] != EVIDENCE],
        "evidence": [row for row in tests if row["family"] == EVIDENCE],
        "agreement": [row | {"rank_correlation": ranks.get(row["method"])} for row in iou],
        "changes": [
            {"change": kind, "title": CHANGES[kind], "images": number}
            for kind, number in changes.items()
            if number
        ],
        "sentences": [
            *right_answers(tests, a, b),
            _changes(tests, own, a, b),
            *agreed(iou),
            *_moved(tests, a, b),
        ],
    }


def _of(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    return table[(table["model_a"] == a) & (table["model_b"] == b)]


def right_answers(tests: Sequence[Row], a: str, b: str) -> list[str]:
    """Which of two models is right more often on the same images, or that it cannot be told.

    Args:
        tests: rows of `model_tests` of the two.
        a, b: their names.
    """
    (row,) = [row for row in tests if row["metric"] == "correct"]
    if not row["n"]:
        return [
            f"No image has a label that {a} and {b} have, so nothing is said of which is right more often."
        ]
    found = (
        f"{b} is right on {round(row['value_b'] * row['n'])} and {a} on {round(row['value_a'] * row['n'])} of "
        f"{count(row['n'], 'labelled image')}; {row['only_b']} are right by {b} alone, {row['only_a']} by {a} alone"
    )
    if row["answer"] in ("yes", "no"):
        more = "more" if row["answer"] == "yes" else "less"
        return [f"{found}. {b} is right {more} often ({evidence(row)})."]
    return [f"{found}. Which is right more often cannot be told with {not_enough(row)}."]


def _changes(tests: Sequence[Row], changed: Sequence[Row], a: str, b: str) -> str:
    (row,) = [row for row in tests if row["metric"] == "probability"]
    asked = count(row["n"], "image")
    if not changed:
        return f"Both answer the same class on each of {asked}."
    return f"{b} answers another class than {a} on {len(changed)} of {asked}."


def agreed(rows: Sequence[Row]) -> list[str]:
    """How far two models' masks of one class overlap, by each method, and whether further than by chance.

    Args:
        rows: of `model_agreement_summary` about the IoU.
    """
    said = []
    for row in rows:
        if row["mean"] is None:
            continue
        title = names.method(row["method"]).title
        found = f"By {title}, their masks of one class overlap with an IoU of {row['mean']:.2f}"
        if row["chance"] is not None:
            found += f", where masks of different images have {row['chance']:.2f}"
        if row["answer"] in ("yes", "no"):
            more = "further" if row["answer"] == "yes" else "less"
            said.append(f"{found}: {more} than by chance ({evidence(row)}).")
        else:
            said.append(f"{found}. Whether that is beyond chance cannot be told with {not_enough(row)}.")
    return said


def _moved(tests: Sequence[Row], a: str, b: str) -> list[str]:
    asked = [row for row in tests if row["family"] == EVIDENCE]
    decided = [row for row in asked if row["answer"] in ("yes", "no")]
    if not asked:
        return []
    if not decided:
        return [
            f"Whether the evidence of {b} lies elsewhere than that of {a} cannot be told with {not_enough(*asked)}."
        ]
    told = [
        f"{row['title']} {signed(row['difference'])} ({names.method(row['method']).title}, {_question(row)})"
        for row in decided
    ]
    return [f"From {a} to {b}: {joined(told)}; {evidence(*decided)}."]


def _question(row: Row) -> str:
    return "same class" if row["question"] == SAME_CLASS else "each its own answer"


def _gallery(
    results: StudyResults, pictures: Pictures, models: Sequence[str], changed: Sequence[Row], limit: int
) -> Row | None:
    maps = results.maps_by_model
    if not len(maps):
        return None
    method = str(maps["method"].iloc[0])
    own = maps[(maps["method"] == method) & maps["own_answer"].astype(bool)]
    rows = {(row["model"], row["image_id"]): row for row in records(own)}
    images = [image for image in in_order(maps["image_id"]) if any((name, image) in rows for name in models)]
    turned = [image for image in dict.fromkeys(row["image_id"] for row in changed) if image in images]
    agreement = results.model_agreement
    asked = agreement[(agreement["method"] == method) & (agreement["question"] == SAME_CLASS)]
    overlap = pd.to_numeric(asked["iou"]).groupby(asked["image_id"]).mean().dropna()
    rest = sorted(set(images) - set(turned), key=lambda image: (overlap.get(image, 2.0), image))
    shown = [*turned, *rest][:limit]
    between = {
        (row["image_id"], row["model_b"]): row
        for row in records(agreement[(agreement["method"] == method) & (agreement["question"] == OWN_ANSWER)])
        if row["model_a"] == models[0]
    }
    rule = (
        f"{len(shown)} of {count(len(images), 'image')}: those whose answer changed come first, then those on which the "
        f"masks of one class overlap least. Each map is {names.method(method).title} of the model's own answer."
    )
    return {
        "rule": rule,
        "method": method,
        "images": [_image(results, pictures, image, models, rows, between) for image in shown],
    }


def _image(
    results: StudyResults,
    pictures: Pictures,
    image: str,
    models: Sequence[str],
    rows: dict[tuple[str, str], Row],
    between: dict[tuple[str, str], Row],
) -> Row:
    of_image = [rows.get((name, image)) for name in models]
    shown = [row for row in of_image if row is not None]
    pixels = _original(results, image)
    first, frame = shown[0], _frame(results, shown[0])
    if pixels is None:
        picture = figures.picture(results.artifact("views", first["view"])[0]["view"])
    else:
        picture = figures.jpeg(figures.marked_crop(pixels, frame))
    later = (
        shown[1:] if pixels is not None and first["model"] == models[0] and len(models) <= OVERLAID else []
    )
    return {
        "image_id": image,
        "label": _label(results, image),
        "picture": pictures.add(picture, f"{image}, with the part that {first['model']} sees."),
        "models": [None if row is None else _model(results, pictures, row) for row in of_image],
        "overlaps": [
            {
                "model": row["model"],
                "iou": between[image, row["model"]]["iou"],
                "picture": _overlap(results, pictures, pixels, first, row),
            }
            for row in later
            if (image, row["model"]) in between
        ],
    }


def _frame(results: StudyResults, row: Row) -> Frame:
    """Of the model in the original, of a row of `maps_by_model`."""
    return Frame.from_dict(dict(results.artifact("views", row["view"])[1]["frame"]))


def _overlap(results: StudyResults, pictures: Pictures, pixels: np.ndarray, first: Row, later: Row) -> Row:
    """The masks of two models over the part of the original that both see."""
    frames = [_frame(results, row) for row in (first, later)]
    common = frames[0].common(frames[1])
    assert common is not None  # the two were compared
    masks = [
        frame.bring(results.artifact("maps", row["artifact"])[0]["mask"].astype(np.float32), common) >= 0.5
        for frame, row in zip(frames, (first, later), strict=True)
    ]
    top, left, bottom, right = common.overlay_box()
    part = np.ascontiguousarray(pixels[top:bottom, left:right])
    resized = cv2.resize(part, masks[0].shape[::-1], interpolation=cv2.INTER_AREA)
    alt = f"Masks of {first['model']} and {later['model']} in {first['image_id']}, where both see it."
    return pictures.add(figures.overlap(resized, *masks), alt)


def _original(results: StudyResults, image: str) -> Any:
    if "picture" not in results.images:
        return None
    found = results.images.loc[results.images["image_id"] == image, "picture"]
    return results.artifact("pictures", found.iloc[0])[0]["pixels"] if len(found) else None


def _label(results: StudyResults, image: str) -> str | None:
    for table in (results.predictions, results.changed_answers):
        if len(table) and len(found := table[table["image_id"] == image]):
            return records(found.head(1))[0]["label"]
    return None


def _model(results: StudyResults, pictures: Pictures, row: Row) -> Row:
    view, _ = results.artifact("views", row["view"])
    arrays, _ = results.artifact("maps", row["artifact"])
    truth = view.get("truth")
    drawn = figures.overlay(
        view["view"],
        scale(arrays["values"]),
        mask=arrays["mask"].astype(bool),
        truth=None if truth is None else truth.astype(bool),
    )
    title = names.method(row["method"]).title
    return {
        "model": row["model"],
        "answer": row["predicted_name"],
        "probability": row["predicted_probability"],
        "correct": row["correct"],
        "on_object": row["on_object"],
        "constant": row["constant"],
        "picture": pictures.add(
            drawn, f"{title} of {row['model']} for {row['target_name']} in {row['image_id']}."
        ),
    }
