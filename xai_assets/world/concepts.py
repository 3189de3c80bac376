"""The concepts that a dissection may name: the world's own words, and ordinary words that name nothing in it.

The second kind keeps a naming method honest: whoever answers "saxophone" in this world is wrong, and chance
is not flattered by a list of true words alone.
"""

from typing import NamedTuple

from xai_assets.world.synonyms import surface_forms
from xai_assets.world.vocabulary import CATEGORIES, VOCABULARY

ABSENT = "absent"
"""The category of words that name nothing in the world."""

_ABSENT_WORDS = """
    guitar piano pizza elephant bicycle keyboard computer bottle glasses necklace cheese banana strawberry
    broccoli carrot volcano waterfall castle bridge tunnel airport stadium library church museum hospital
    classroom corridor staircase elevator laundromat aquarium swimming zebra giraffe monkey snake spider
    turtle penguin horse sheep cow pig chicken rabbit mouse bear wolf tiger lion camel train tram tractor
    helicopter rocket submarine motorcycle scooter skateboard surfboard tent hammock bench bed pillow
    blanket towel mirror clock candle vase oven fridge sink toaster microwave spoon fork knife plate bowl
    cup wine coffee tea bread cake cookie candy shoe boot hat glove scarf jacket dress shirt jeans belt
    watch ring earring hair hand face mouth nose finger knee shoulder elbow beard smile crowd velvet leather
    marble granite concrete bamboo paper cardboard rubber wax chocolate lava smoke fire ice fog rain
    lightning rainbow moon star planet galaxy paisley knitted lacelike bubbly crystalline frilly gauzy
    perforated pleated polished rusty furry wrinkled spiralled studded veined waffled sprinkled turquoise
    beige maroon magenta cyan teal gold silver newspaper magazine poster flag banner map chart logo text
    number letter
""".split()


class Concept(NamedTuple):
    """A concept: what it is called, Broden's category or "absent", and all its surface forms."""

    name: str
    category: str
    forms: tuple[str, ...]


def concepts(*, absent: bool = True) -> list[Concept]:
    """The world's words by category, then absent words.

    Each stands once; a word of two categories stands in the first.
    """
    known: dict[str, Concept] = {}
    for category in CATEGORIES:
        for word in VOCABULARY[category]:
            known.setdefault(word, Concept(word, category, surface_forms(word)))
    said = {form for concept in known.values() for form in concept.forms}
    if absent:
        for word in _ABSENT_WORDS:
            if word not in said:
                known.setdefault(word, Concept(word, ABSENT, (word,)))
    return list(known.values())
