"""From a class's name and a shape seed to its parts: polygons in the object's own frame, from back to front.

The frame is about 2 wide, x ahead and y down. What tells a class is here alone: which parts and their shapes.
What they are made of and where they stand is the target's (see `scene`).
"""

from functools import lru_cache

import numpy as np

from xai_assets.world.objects_animals import bird, butterfly, dog, fish
from xai_assets.world.objects_things import chair, flower, house, teapot
from xai_assets.world.objects_vehicles import aeroplane, boat, car, truck
from xai_assets.world.part import Part
from xai_assets.world.streams import Stream

_BUILDERS = {
    "bird": bird, "fish": fish, "dog": dog, "butterfly": butterfly, "car": car, "truck": truck,
    "aeroplane": aeroplane, "boat": boat, "house": house, "flower": flower, "chair": chair, "teapot": teapot,
}  # fmt: skip

DECIDING_PART = {
    "bird": "head", "fish": "tail", "dog": "head", "butterfly": "wing", "car": "cabin", "truck": "container",
    "aeroplane": "wing", "boat": "sail", "house": "roof", "flower": "petal", "chair": "backrest",
    "teapot": "spout",
}  # fmt: skip
"""The part without which little tells the class; the counterfactual "part_removed" leaves it out."""

ATTACHED = {
    ("bird", "head"): ("beak", "eye"), ("dog", "head"): ("ear", "eye"), ("car", "cabin"): ("window",),
    ("house", "roof"): ("chimney",),
}  # fmt: skip
"""What goes with a part when it is left out, because it would hang in the air."""


@lru_cache(maxsize=64)
def object_parts(class_name: str, shape_seed: int) -> tuple[Part, ...]:
    """The parts of one individual of a class, centred on the middle of its bounding box, longer side 2."""
    parts = _BUILDERS[class_name](Stream(shape_seed))
    points = np.concatenate([part.polygon for part in parts])
    low, high = points.min(0), points.max(0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    centred = tuple(Part(part.name, (part.polygon - middle) / half, part.role) for part in parts)
    for part in centred:
        part.polygon.flags.writeable = False  # shared by every caller
    return centred
