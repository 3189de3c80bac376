"""Rendered scenes as arrays to learn from: the pictures, and which words are true of each."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from xai_assets.world.captions import LEAST_PIXELS
from xai_assets.world.vocabulary import (
    CATEGORIES,
    CLASSES,
    COLOURS,
    MATERIALS,
    PIXEL_CATEGORIES,
    SCENES,
    TEXTURES,
    VOCABULARY,
)

FINISHES = TEXTURES + MATERIALS
"""What a surface can be made of or patterned with."""

WORDS = tuple(dict.fromkeys(word for category in CATEGORIES for word in VOCABULARY[category]))
"""Every word of the world once, in the order of the categories; a word of two categories (sand) comes once."""
COLUMN = {word: column for column, word in enumerate(WORDS)}
OFFSETS = dict(
    zip(
        PIXEL_CATEGORIES,
        np.cumsum([0, *(len(VOCABULARY[category]) for category in PIXEL_CATEGORIES)])[:-1].tolist(),
        strict=True,
    )
)
"""First column of each category in `Examples.pixels`."""


@dataclass(frozen=True)
class Examples:
    """n scenes.

    Attributes:
        images: uint8, n h w 3, RGB.
        pixels: uint16, n x (all words of the pixel categories, one category after the other); labelled pixels.
        target: int64, n; index in CLASSES, -1 for a picture of a surface alone.
        scene: int64, n; index in SCENES, -1 for a plain backdrop or a surface alone.
        finish: int64, n; index in FINISHES of the target's main surface.
        colour: int64, n; index in COLOURS of the target's main surface.
    """

    images: np.ndarray
    pixels: np.ndarray
    target: np.ndarray
    scene: np.ndarray
    finish: np.ndarray
    colour: np.ndarray

    def __len__(self) -> int:
        return len(self.images)

    def select(self, rows: np.ndarray) -> "Examples":
        """The scenes at `rows` (indices or a boolean mask), in that order."""
        return Examples(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def without_images(self) -> "Examples":
        """The same facts with pictures of no size."""
        return replace(self, images=self.images[:, :0, :0])

    @cached_property
    def present(self) -> np.ndarray:
        """bool, n x len(WORDS): the word covers at least its category's LEAST_PIXELS, or is the scene."""
        present = np.zeros((len(self), len(WORDS)), bool)
        for category, start in OFFSETS.items():
            for place, word in enumerate(VOCABULARY[category]):
                present[:, COLUMN[word]] |= self.pixels[:, start + place] >= LEAST_PIXELS[category]
        for place, word in enumerate(SCENES):
            present[:, COLUMN[word]] |= self.scene == place
        return present

    @cached_property
    def certain(self) -> np.ndarray:
        """bool, n x len(WORDS): the word is present, or not one pixel of it is there."""
        seen = np.zeros((len(self), len(WORDS)), bool)
        for category, start in OFFSETS.items():
            for place, word in enumerate(VOCABULARY[category]):
                seen[:, COLUMN[word]] |= self.pixels[:, start + place] > 0
        return self.present | ~seen


def concatenate(*parts: Examples) -> Examples:
    """The scenes of all `parts`, one after the other."""
    return Examples(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Examples)
        }
    )


def layout(parts: dict[str, Examples], *, without_held_out: bool = False) -> dict[str, np.ndarray]:
    """Rows of close views, plain backdrops, scenes and surfaces in `concatenate` of "close", "train" and "swatch".

    Args:
        parts: in that order.
        without_held_out: leave out what `held_out` finds.
    """
    both = concatenate(*(part.without_images() for part in parts.values()))
    source = np.repeat(list(parts), [len(part) for part in parts.values()])
    kept = ~held_out(both) if without_held_out else np.ones(len(both), bool)
    return {
        "close": np.flatnonzero(kept & (source == "close")),
        "plain": np.flatnonzero(kept & (source == "close") & (both.scene < 0)),
        "scenes": np.flatnonzero(kept & (source == "train")),
        "surfaces": np.flatnonzero(kept & (source == "swatch")),
    }


def held_out(examples: Examples) -> np.ndarray:
    """bool, n: scenes that show a pairing kept out of the image-text encoder's training.

    Class number k is never seen with one scene (k = 0, 3, 6, 9), one texture (k = 1, 4, 7, 10) or one colour
    (k = 2, 5, 8, 11), so that what the encoder makes of pairings it has not met can be measured.
    """
    found = np.zeros(len(examples), bool)
    for kind, target, value in HELD_OUT:
        found |= (examples.target == target) & (getattr(examples, kind) == value)
    return found


HELD_OUT = tuple(
    (
        ("scene", "finish", "colour")[number % 3],
        number,
        # Steps that are prime to the number of scenes, textures and colours spread the pairings over them.
        (3 * number) % (len(SCENES), len(TEXTURES), len(COLOURS))[number % 3],
    )
    for number in range(len(CLASSES))
)
"""Pairings kept from the encoder: the attribute, the class's index, the attribute's index."""
