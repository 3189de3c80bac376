"""The eight scenes by name, and the plain backdrop of close-ups."""

from collections.abc import Callable

from xai_assets.world.canvas import Drawing
from xai_assets.world.scenery import band
from xai_assets.world.scenes_indoor import kitchen, living_room
from xai_assets.world.scenes_open import beach, desert, meadow
from xai_assets.world.scenes_tall import forest, mountains, street
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Surface
from xai_assets.world.vocabulary import COLOURS, SIDE

STUDIO = "studio"
"""A plain backdrop: no scene of the vocabulary."""


def studio(canvas: Drawing, u: Stream) -> None:
    """A painted wall in one colour."""
    band(canvas, Surface(u, "paint", u.choice(COLOURS), scale=1.0), -2, SIDE + 2, "wall")


_SCENES: dict[str, Callable[[Drawing, Stream], None]] = {
    "meadow": meadow, "beach": beach, "desert": desert, "forest": forest, "street": street,
    "mountains": mountains, "living room": living_room, "kitchen": kitchen, STUDIO: studio,
}  # fmt: skip


def draw_scene(canvas: Drawing, scene: str, seed: int) -> None:
    """Draw one of the eight scenes, or the studio; the same seed gives the same scene."""
    _SCENES[scene](canvas, Stream(seed))
