"""How much of what the shipped weights are trained on, and how long."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """Scenes of each split and steps of each training.

    Attributes:
        scenes: split to the number of its scenes.
        object_steps, scene_steps: batches of 64 for the classifiers.
        image_steps: batches of 64 for the encoder's image tower.
        text_steps: batches for the encoder's text tower.
    """

    scenes: dict[str, int] = field(default_factory=lambda: {"close": 8000, "train": 24000, "swatch": 3000})
    object_steps: int = 2400
    scene_steps: int = 1000
    image_steps: int = 2600
    text_steps: int = 1600


SHIPPED = Recipe()
