"""What a look at a study found, and what it learned on the way of how large the study is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from xai_assets.errors import XaiError
from xai_assets.vision.classifiers import Classifier

State = Literal["ok", "look", "missing", "unfit"]


@dataclass(frozen=True)
class Found:
    """One thing that was looked at: `look` stops no run, `missing` and `unfit` would."""

    what: str
    state: State
    said: str


@dataclass
class Sizes:
    """What the looks learn of how large the study is, for the room that it takes.

    Attributes:
        picture_pixels: of all images to explain together.
        images: that are explained.
        cases: maps of each method: of the target classes, and of the differences of two classes.
        view_pixels: of what the explained model sees.
        units: of all dissected layers of each model.
        probe_images: that the units are shown.
    """

    picture_pixels: int = 0
    images: int = 0
    cases: int = 0
    view_pixels: int = 0
    units: list[int] = field(default_factory=list)
    probe_images: int = 0


@contextmanager
def refused(what: str, tell: Callable[[Found], None]) -> Iterator[None]:
    """Tell of what the run would refuse in the work inside, in the run's own words, and go on behind it."""
    try:
        yield
    except XaiError as error:
        tell(Found(what, "unfit", str(error)))


def model_notes(what: str, classifier: Classifier) -> list[Found]:
    """What was decided about the checkpoint, each in a line."""
    return [Found(what, "look" if "transform_input" in note else "ok", note) for note in classifier.notes()]
