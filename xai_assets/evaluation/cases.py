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
        for name, a, b in (
            ("images", first.image_id, other.image_id),
            ("classes", f"{first.target} ({first.target_name})", f"{other.target} ({other.target_name})"),
            ("frames", first.frame, other.frame),
            ("shapes", first.values.shape, other.values.shape),
        ):
            if a != b:
                raise EvaluationError(
                    f"the maps {first.method} and {other.method} of {first.image_id}",
                    f"are of different {name}: {a} and {b}",
                    "Compare maps of one image, one class and one frame.",
                )
    methods = [found.method for found in maps]
    twice = next((method for method in methods if methods.count(method) > 1), None)
    if twice:
        raise EvaluationError(
            f"the method {twice}", f"has several maps of {first.image_id}", "Give each method's map once."
        )
    return first


def check_shape(*arrays: np.ndarray) -> None:
    """Raises EvaluationError unless all arrays are of one shape."""
    shapes = [array.shape for array in arrays]
    if len(set(shapes)) > 1:
        raise EvaluationError(
            "a map, its mask and what they are compared with",
            f"have shapes {', '.join(str(shape) for shape in shapes)}",
            "Bring all into the model's frame first (Frame.crop_mask).",
        )
