"""What may be compared: maps of one image, for one class, in one frame. All else is an error, no number."""

from collections.abc import Sequence

import numpy as np

from xai_assets.attribution.maps import AttributionMap
from xai_assets.evaluation.errors import EvaluationError


def check_case(maps: Sequence[AttributionMap]) -> AttributionMap:
    """The first of some maps that all explain one class of one image in one frame, each method once.

    Raises:
        EvaluationError: they do not.
    """
    first = maps[0]
    for other in maps[1:]:
        same_question(first, other)
        same_place(first, other)
    methods = [found.method for found in maps]
    twice = next((method for method in methods if methods.count(method) > 1), None)
    if twice:
        raise EvaluationError(
            f"the method {twice}", f"has several maps of {first.image_id}", "Give each method's map once."
        )
    return first


def same_question(a: AttributionMap, b: AttributionMap) -> None:
    """Raises EvaluationError, naming both, unless two maps explain one class of one image."""
    for name, of_a, of_b in (
        ("images", a.image_id, b.image_id),
        ("classes", *(f"{one.target} ({one.named})" for one in (a, b))),
    ):
        if of_a != of_b:
            raise EvaluationError(
                _both(a, b),
                f"are of different {name}: {of_a} and {of_b}",
                "Compare maps of one image and one class.",
            )


def same_place(a: AttributionMap, b: AttributionMap) -> None:
    """Raises EvaluationError, naming both frames, unless two maps lie in one frame.

    Maps of one shape need not: a centre crop is not a squashed image, and their pixels show different places.
    """
    if a.frame != b.frame:
        raise EvaluationError(
            _both(a, b),
            f"lie in different frames: {a.frame} and {b.frame}",
            "Bring one into the other's frame first: AttributionMap.in_frame.",
        )
    if a.values.shape != b.values.shape:
        raise EvaluationError(
            _both(a, b),
            f"are of different shapes: {a.values.shape} and {b.values.shape}",
            "A map has the size of its frame.",
        )


def _both(a: AttributionMap, b: AttributionMap) -> str:
    return f"the maps {a.method} of {a.image_id} and {b.method} of {b.image_id}"


def check_shape(*arrays: np.ndarray) -> None:
    """Raises EvaluationError unless all arrays are of one shape."""
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) > 1:
        raise EvaluationError(
            "a map, its mask and what they are compared with",
            f"have shapes {', '.join(str(shape) for shape in shapes)}",
            "Bring all into the model's frame first (Frame.crop_mask).",
        )
