"""What is in a picture, in words: facts counted from the labels, and captions made of them."""

from dataclasses import dataclass

import numpy as np

from xai_assets.world.part import MAIN
from xai_assets.world.render import Rendered
from xai_assets.world.synonyms import ADJECTIVES, PREPOSITIONS, surface_forms
from xai_assets.world.vocabulary import CATEGORIES, PIXEL_CATEGORIES, SUPERCLASS, VOCABULARY

LEAST_PIXELS = {"object": 60, "part": 24, "material": 120, "texture": 80, "color": 400}
"""A word is in a picture when its label covers this many pixels."""
_FRAMES = ("a photo of {}", "a picture of {}", "an image of {}", "{}", "{}", "{}")


@dataclass(frozen=True)
class Facts:
    """What a caption may say of a picture.

    Attributes:
        class_names: the targets' classes.
        finish: the first target's main finish; "" without a target and a swatch.
        color: that finish's first colour.
        scene: the scene's word, or "".
        present: category to the words that are there and the pixels of each, most first.
    """

    class_names: tuple[str, ...]
    finish: str
    color: str
    scene: str
    present: dict[str, tuple[tuple[str, int], ...]]


def facts(rendered: Rendered) -> Facts:
    """Count what is seen in a picture."""
    present: dict[str, tuple[tuple[str, int], ...]] = {}
    for category in PIXEL_CATEGORIES:
        counts = np.bincount(
            rendered.labels[category].ravel(), minlength=len(VOCABULARY[category]) + 1
        ).tolist()
        words = zip(VOCABULARY[category], counts[1:], strict=True)
        enough = [(word, count) for word, count in words if count >= LEAST_PIXELS[category]]
        present[category] = tuple(sorted(enough, key=lambda item: -item[1]))
    description = rendered.description
    main = description.targets[0].finish(MAIN) if description.targets else description.swatch
    names = tuple(target.class_name for target in rendered.targets)
    return Facts(names, main.name if main else "", main.color if main else "", rendered.scene, present)


def caption(facts: Facts, rng: np.random.Generator) -> str:
    """A caption: one word, a few words, or a sentence about the target in its scene.

    Args:
        facts: of the picture.
        rng: chooses what is said and how.
    """
    kind = rng.random()
    if not facts.class_names:  # a swatch: its finish, its colour or both
        words = [_say(word, rng) for word in dict.fromkeys((facts.color, facts.finish))]
        return _frame(" ".join(words[int(rng.integers(len(words))) :]), rng)
    if kind < 0.3:
        return _frame(_word(facts, rng), rng)
    if kind < 0.6:
        chosen = rng.permutation(len(CATEGORIES) + 1)[: 2 + int(rng.integers(3))]
        said = dict.fromkeys(_word(facts, rng, int(k)) for k in chosen)
        return (", " if rng.random() < 0.6 else " and ").join(said)
    return _frame(_sentence(facts, rng), rng)


def _say(word: str, rng: np.random.Generator) -> str:
    forms = surface_forms(word)
    return forms[0] if rng.random() < 0.6 else forms[int(rng.integers(len(forms)))]


def _frame(text: str, rng: np.random.Generator) -> str:
    return _FRAMES[int(rng.integers(len(_FRAMES)))].format(text)


def _word(facts: Facts, rng: np.random.Generator, kind: int | None = None) -> str:
    """A word that is true of the picture: the class, the scene, or one of a category."""
    kind = int(rng.integers(len(CATEGORIES) + 1)) if kind is None else kind
    if kind == len(CATEGORIES) and facts.class_names:
        return _say(facts.class_names[int(rng.integers(len(facts.class_names)))], rng)
    category = CATEGORIES[kind % len(CATEGORIES)]
    if category == "scene" and facts.scene:
        return _say(facts.scene, rng)
    there = facts.present.get(category, ())
    if not there:  # nothing of that category: say the class, or what colour there is
        there = ((facts.class_names[0] if facts.class_names else facts.color, 1),)
    if rng.random() < 0.5:
        return _say(there[int(rng.integers(len(there)))][0], rng)
    weight = np.cumsum(np.sqrt([count for _, count in there]))
    return _say(there[int(np.searchsorted(weight, rng.random() * weight[-1]))][0], rng)


def _sentence(facts: Facts, rng: np.random.Generator) -> str:
    name = facts.class_names[0]
    text = _say(name, rng)
    if rng.random() < 0.1 and SUPERCLASS[name] in ("animal", "vehicle"):
        text = SUPERCLASS[name]
    if rng.random() < 0.6:
        text = f"{ADJECTIVES.get(facts.finish, facts.finish)} {text}"
    if rng.random() < 0.6:
        text = f"{_say(facts.color, rng)} {text}"
    text = f"{'an' if text[0] in 'aeiou' else 'a'} {text}"
    parts = facts.present["part"]
    if parts and rng.random() < 0.3:
        text += f" with {_say(parts[int(rng.integers(len(parts)))][0], rng)}"
    if facts.scene and rng.random() < 0.75:
        text += f" {PREPOSITIONS[facts.scene]} {_say(facts.scene, rng)}"
    if rng.random() < 0.25:
        text += f" near {_word(facts, rng, CATEGORIES.index('object'))}"
    return text
