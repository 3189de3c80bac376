"""The wrong answers: the surest and the least sure, and those that are explained, each beside a right answer."""

from collections.abc import Iterable, Sequence
from typing import Any

from xai_assets.reporting import figures
from xai_assets.reporting.gallery import cases_of, methods_of
from xai_assets.reporting.numbers import in_order, records
from xai_assets.reporting.pictures import Pictures
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.selection import failures_to_show

Row = dict[str, Any]

EXTREMES = 5
"""The surest and the least sure wrong answers that are shown, of each so many."""

FAILURES_SHOWN = 12


def wrong_answers(results: StudyResults, pictures: Pictures) -> Row:
    """Every wrong answer, and the surest and the least sure with their images.

    Returns:
        `all`: rows of `image_id`, `label`, `predicted`, `probability`, `label_probability` (None of several labels),
        the surest first; `surest` and `least_sure`: the first and the last of these, each with `picture` (None where
        the image is not kept).
    """
    table = results.answers
    wrong = [] if not len(table) else records(table[table["error_rank"].notna()].sort_values("error_rank"))
    rows = [
        {
            "image_id": row["image_id"],
            "label": row["label"],
            "predicted": row["predicted_name"],
            "probability": row["probability"],
            "label_probability": row["label_probability"],
        }
        for row in wrong
    ]
    surest, rest = rows[:EXTREMES], rows[EXTREMES:]
    least = rest[-EXTREMES:][::-1]
    return {
        "all": rows,
        "surest": with_pictures(results, pictures, surest),
        "least_sure": with_pictures(results, pictures, least),
    }


def with_pictures(results: StudyResults, pictures: Pictures, rows: Sequence[Row]) -> list[Row]:
    """Rows of `image_id` with the image itself as `picture`; None where it is not kept."""
    images = results.images
    kept = dict(zip(images["image_id"], images["picture"], strict=True)) if len(images) else {}
    found = []
    for row in rows:
        key = kept.get(row["image_id"])
        drawn = None
        if isinstance(key, str):
            pixels = results.artifact("pictures", key)[0]["pixels"]
            drawn = pictures.add(figures.picture(pixels, side=figures.THUMB), f"The image {row['image_id']}.")
        found.append(row | {"picture": drawn})
    return found


def explained_failures(results: StudyResults, pictures: Pictures) -> Row:
    """The explained wrong answers with their maps, most confused pairs first, each with the right answer beside it.

    Returns:
        `rule`, `methods`, `failures` (rows of `failure` and `success`, which are images as the gallery has them;
        `success` is None where there is none), `explained` (wrong answers with maps), `truth` and `cropped`:
        whether a true outline is drawn, and whether the model sees less than the whole of an image.
    """
    shown, rule, explained = failures_to_show(results, FAILURES_SHOWN)
    methods = methods_of(results, in_order(results.maps["method"]) if len(results.maps) else ())
    names = [name for pair in shown for name in pair if name is not None]
    images = {image["image_id"]: image for image in cases_of(results, pictures, methods, names)}
    return {
        "rule": rule,
        "methods": methods,
        "explained": explained,
        "truth": any(target["truth"] for target in _targets(images.values())),
        "cropped": any(target["original"] for target in _targets(images.values())),
        "failures": [
            {"failure": images[failure], "success": images.get(success) if success else None}
            for failure, success in shown
        ],
    }


def _targets(images: Iterable[Row]) -> Iterable[Row]:
    return (target for image in images for target in image["targets"])
