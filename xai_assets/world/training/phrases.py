"""Texts for the text tower, each with what it says: words, captions, and words that name nothing in the world."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from xai_assets.world.captions import LEAST_PIXELS, Facts, caption
from xai_assets.world.synonyms import surface_forms
from xai_assets.world.training.examples import COLUMN, FINISHES, OFFSETS, WORDS, Examples
from xai_assets.world.vocabulary import CLASSES, COLOURS, SCENES, SUPERCLASS, VOCABULARY

TEMPLATES = (
    "{}", "{}", "{}", "a {}", "the {}", "a photo of {}", "a photo of a {}", "a picture of {}", "a picture of a {}",
    "an image of {}", "an image of a {}",
)  # fmt: skip


def facts_of(examples: Examples, row: int) -> Facts:
    """What a caption may say of one of the examples."""
    present = {}
    for category, start in OFFSETS.items():
        counts = examples.pixels[row, start : start + len(VOCABULARY[category])].tolist()
        words = zip(VOCABULARY[category], counts, strict=True)
        enough = [(word, count) for word, count in words if count >= LEAST_PIXELS[category]]
        present[category] = tuple(sorted(enough, key=lambda item: -item[1]))
    target, scene = int(examples.target[row]), int(examples.scene[row])
    return Facts(
        class_names=(CLASSES[target],) if target >= 0 else (),
        finish=FINISHES[examples.finish[row]],
        color=COLOURS[examples.colour[row]],
        scene=SCENES[scene] if scene >= 0 else "",
        present=present,
    )


def _said() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Every surface form and the columns of WORDS it names, longest first; "animal" names all animals."""
    forms: dict[str, tuple[int, ...]] = {
        form: (COLUMN[word],) for word in WORDS for form in surface_forms(word)
    }
    for superclass in ("animal", "vehicle"):
        forms[superclass] = tuple(COLUMN[name] for name, kind in SUPERCLASS.items() if kind == superclass)
    return tuple(sorted(forms.items(), key=lambda item: -len(item[0])))


SAID = _said()

Tokenizer = Callable[[list[str]], Tensor]
"""From texts to int64 (m, context length)."""


def words_said(text: str) -> list[tuple[int, ...]]:
    """What a caption says: for each surface form in it the columns of the words it may name."""
    found, rest = [], f" {text.replace(',', ' ').replace(' ', '  ')} "
    for form, columns in SAID:
        spaced = f" {form.replace(' ', '  ')} "
        if spaced in rest:
            rest = rest.replace(spaced, "  ")
            found.append(columns)
    return found


@dataclass(frozen=True)
class Phrases:
    """Texts and what they say.

    Attributes:
        tokens: int64, m x context length.
        meaning: float32, m x (len(WORDS) + 1), rows of sum 1 a named thing; the last column names nothing.
        rows: int64, m; which scene a caption is of, -1 for words alone.
    """

    tokens: Tensor
    meaning: Tensor
    rows: Tensor


def captions_of(
    examples: Examples, rows: Sequence[int], tokenize: Tokenizer, rng: np.random.Generator
) -> Phrases:
    """One caption for each of the given scenes."""
    texts = [caption(facts_of(examples, row), rng) for row in rows]
    return Phrases(tokenize(texts), _meaning([words_said(text) for text in texts]), torch.tensor(rows))


def words_of(tokenize: Tokenizer) -> Phrases:
    """Every surface form of every word in every template."""
    texts, named = [], []
    for template in TEMPLATES:
        for form, columns in SAID:
            texts.append(template.format(form))
            named.append([columns])
    return Phrases(tokenize(texts), _meaning(named), torch.full((len(texts),), -1))


def nothings_of(ordinary: Sequence[str], tokenize: Tokenizer, rng: np.random.Generator) -> Phrases:
    """Every ordinary word in one template, a quarter of them with a second one; they name nothing in the world."""
    texts = []
    for word in ordinary:
        if rng.random() < 0.25:
            word = f"{word} {ordinary[int(rng.integers(len(ordinary)))]}"
        texts.append(TEMPLATES[int(rng.integers(len(TEMPLATES)))].format(word))
    meaning = torch.zeros(len(texts), len(WORDS) + 1)
    meaning[:, -1] = 1
    return Phrases(tokenize(texts), meaning, torch.full((len(texts),), -1))


def _meaning(named: list[list[tuple[int, ...]]]) -> Tensor:
    meaning = torch.zeros(len(named), len(WORDS) + 1)
    for row, things in enumerate(named):
        for columns in things:
            meaning[row, list(columns)] += 1 / len(columns)
    return meaning
