"""One number for every word, as Broden numbers its labels: a word of two categories has one number."""

import numpy as np

from xai_assets.world.render import Rendered
from xai_assets.world.vocabulary import CATEGORIES, PIXEL_CATEGORIES, SIDE, VOCABULARY

WORDS = tuple(dict.fromkeys(word for category in CATEGORIES for word in VOCABULARY[category]))
NUMBERS = {word: number for number, word in enumerate(WORDS, start=1)}
"""Word to its number, from 1."""
_TABLES = {
    category: np.array([0, *(NUMBERS[word] for word in VOCABULARY[category])], np.uint16)
    for category in CATEGORIES
}


def broden_numbers(rendered: Rendered, side: int) -> dict[str, np.ndarray]:
    """The label maps of a picture in these numbers, by nearest pixel at `side` (a divisor of SIDE).

    Returns:
        Category of pixel labels to uint16 (side, side); 0 is no label.
    """
    step = SIDE // side
    start = (step - 1) // 2
    return {
        category: _TABLES[category][rendered.labels[category][start::step, start::step]]
        for category in PIXEL_CATEGORIES
    }
