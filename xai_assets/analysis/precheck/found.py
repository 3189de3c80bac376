"""What a look at a study found, and what it learned on the way of how large the study is."""

from dataclasses import dataclass, field
from typing import Literal

State = Literal["ok", "look", "missing", "unfit"]

NAMED = 3
"""How many of the things that are wrong are named."""

SCENE_SIDE = 128
"""Pixels of the sides of a scene of the embedded world."""


@dataclass(frozen=True)
class Found:
    """One thing that was looked at: `look` stops no run, `missing` and `unfit` would."""

    what: str
    state: State
    said: str


@dataclass
class Sizes:
    """What the looks learn of how large the study is, for the room that it takes."""

    picture_pixels: int = 0
    cases: int = 0
    view_pixels: int = 0
    units: list[int] = field(default_factory=list)
    probe_images: int = 0
