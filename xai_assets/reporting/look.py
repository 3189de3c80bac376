"""The page of a first look: each photograph with the model's crop, its likeliest classes, and Grad-CAM."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from xai_assets.evaluation.accuracy import SURE, is_sure
from xai_assets.reporting import figures
from xai_assets.reporting.look_mark import MARK
from xai_assets.reporting.page import both
from xai_assets.reporting.pictures import Pictures
from xai_assets.set_aside import by_reason
from xai_assets.vision.geometry import Frame

WIDE, TALL = 2.4, 0.4
"""Aspects (width / height) from which a photograph is shown across the page, or higher than the others."""

_BOX = (60.0, 42.0)
_ALONE = (84.0, 78.0)
_ACROSS = (170.0, 80.0)
_HIGH = (60.0, 74.0)
_DOTS_A_MM = 9.0


def shown(
    pictures: Pictures,
    *,
    name: str,
    pixels: np.ndarray,
    frame: Frame,
    view: np.ndarray,
    overlay: np.ndarray,
    blank: bool,
    classes: tuple[tuple[str, float], ...],
    notes: tuple[str, ...],
    alone: bool,
) -> dict[str, Any]:
    """One photograph as the template has it; arguments as the fields of `analysis.look.Photograph`."""
    height, width = frame.original
    aspect, seen = width / height, frame.seen()
    way = "wide" if aspect > WIDE else "tall" if aspect < TALL else "usual"
    box = _ACROSS if way == "wide" else _HIGH if way == "tall" else _ALONE if alone else _BOX
    sides = _fit(aspect, box)
    map_sides = _fit(
        view.shape[1] / view.shape[0], (box[1], box[1]) if way == "usual" else (_BOX[1], _BOX[1])
    )
    marked = figures.marked_crop(pixels, frame, side=_dots(sides))
    drawn = figures.blend(view, overlay, side=_dots(map_sides))
    best, probability = classes[0]
    part = "all of it" if seen >= figures.WHOLE else f"{seen:.0%} of it, the framed part"
    return {
        "name": name,
        "width": width,
        "height": height,
        "seen": seen,
        "whole": seen >= figures.WHOLE,
        "way": way,
        "original": pictures.add(figures.jpeg(marked), f"{name}, the original; the model sees {part}.")
        | {"mm": sides},
        "overlay": pictures.add(
            figures.jpeg(drawn),
            f"Grad-CAM for {best} over {name} as the model sees it; bright is much evidence.",
        )
        | {"mm": map_sides},
        "blank": blank,
        "classes": [{"name": of, "probability": value} for of, value in classes],
        "rest": max(0.0, 1.0 - sum(value for _, value in classes)),
        "predicted": best,
        "probability": probability,
        "notes": list(notes),
    }


def page(
    pictures: Pictures,
    *,
    images: list[dict[str, Any]],
    left_out: list[tuple[str, str]],
    model: dict[str, Any],
    seconds: float,
    created: datetime | None = None,
) -> tuple[str, bytes, dict[str, Any]]:
    """HTML, PDF and data of a look.

    Args:
        pictures: those of `images`.
        images: from `shown`.
        left_out: name and reason of each file that could not be used.
        model: name, architecture, classes (their number), layer, chosen, preprocessing (in words), sha256, notes.
        seconds: that looking took.
        created: the page's date; now when None.
    """
    when = created or datetime.now(UTC)
    data = {
        "mark": MARK,
        "created": when.isoformat(timespec="minutes"),
        "version": version("xai-assets"),
        "seconds": round(seconds, 1),
        "model": model,
        "images": images,
        "summary": summary(images),
        "left_out": [
            {"names": group.listed, "count": group.count, "reason": group.reason}
            for group in by_reason(left_out)
        ],
    }
    html, pdf, _ = both("look", data, pictures, when)
    return html, pdf + f"%{MARK}\n".encode(), data  # a comment behind the end of the file, which readers skip


def summary(images: list[dict[str, Any]]) -> str:
    """What the answers are like, in a sentence or two."""
    if len(images) == 1:
        (one,) = images
        return f"The model answers {one['predicted']}, with a probability of {one['probability']:.0%}."
    sure = sum(is_sure(one["probability"]) for one in images)
    ordered = sorted(images, key=lambda one: one["probability"])
    least, most = ordered[0], ordered[-1]
    return (
        f"{sure} of {len(images)} answers have a probability above {SURE:.0%}. The surest is {most['predicted']} "
        f"({most['probability']:.0%}, {most['name']}), the least sure {least['predicted']} "
        f"({least['probability']:.0%}, {least['name']})."
    )


def _fit(aspect: float, box: tuple[float, float]) -> tuple[float, float]:
    """Width and height in millimetres of the largest picture of that aspect in a box."""
    width = min(box[0], box[1] * aspect)
    return round(max(width, 1.0), 2), round(max(width / aspect, 1.0), 2)


def _dots(sides: tuple[float, float]) -> int:
    return round(max(sides) * _DOTS_A_MM)
