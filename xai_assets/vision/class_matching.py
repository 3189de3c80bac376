"""Which output of a classifier a label means: by its class name, its number from 0, or its WordNet synset.

Labels are written by people and by data sets: `golden_retriever`, `Golden Retriever`, `207`, `n02099601`,
`n02099601-golden_retriever` are one class of ImageNet. A word that stands for several outputs is refused.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, cached_property

from xai_assets.errors import XaiError
from xai_assets.suggest import did_you_mean
from xai_assets.vision.synsets import synsets

_SYNSET = re.compile(r"(n[0-9]{8})(?:[-_ ,:].*)?", re.DOTALL)
_NUMBER = re.compile(r"[0-9]{1,9}")
_SPACE = re.compile(r"[\s_\-]+")
_LISTED = re.compile(r",\s+")

IMAGENET_SHARE = 0.99
"""The share of a thousand class names that have to be words of ImageNet's synsets, each of its own output's: of
torchvision's names all but 'crane bird' and 'maillot tank suit' are."""

NAMED = 5
"""Outputs that an error names."""


class UnknownClass(XaiError):
    """A classifier has no class of that name, number or synset, or several."""


class ClassMatcher:
    """Finds the outputs that labels mean.

    Args:
        class_names: by output.
        model: the classifier's name, for errors.
    """

    def __init__(self, class_names: Sequence[str], model: str) -> None:
        self.class_names = tuple(class_names)
        self.model = model
        self._known: dict[str, tuple[int, ...]] = {}

    def index(self, label: str) -> int:
        """The output that a label means.

        Raises:
            UnknownClass: none, with the names that are spelt nearly so, or several, with their numbers and synsets.
        """
        found = self.candidates(label)
        if len(found) == 1:
            return found[0]
        if found:
            raise self._several(label, found)
        raise self._none(label)

    def candidates(self, label: str) -> tuple[int, ...]:
        """All outputs that a label may mean, in order: by the first of the ways below by which it means any.

        The name to the letter; the number, unless class names are numbers themselves; the name without regard to case,
        hyphens, underscores, spaces and Unicode form; the synset; a part of a name that lists several (`tench, Tinca
        tinca`), or of ImageNet's classes another word of WordNet's.
        """
        if label not in self._known:
            ways = (self._exact, self._numbered, self._folded, self._of_synset, self._synonym)
            self._known[label] = next((found for way in ways if (found := tuple(sorted(way(label))))), ())
        return self._known[label]

    def _exact(self, label: str) -> set[int]:
        found = set(self._by_name.get(label, ()))
        return found | set(self._by_usual_word.get(label, ())) if found else found

    def _numbered(self, label: str) -> set[int]:
        text = label.strip()
        if self._numbers_are_names or not _NUMBER.fullmatch(text):
            return set()
        return {int(text)} if int(text) < len(self.class_names) else set()

    def _folded(self, label: str) -> set[int]:
        found = set(self._by_folded.get(folded(label), ()))
        return found | set(self._by_usual_folded.get(folded(label), ())) if found else found

    def _of_synset(self, label: str) -> set[int]:
        match = _SYNSET.fullmatch(label.strip())
        if match is None:
            return set()
        synset = match[1]
        if synset in self._by_synset:
            return {self._by_synset[synset]}
        # Class names without synsets, as of a network for ten of ImageNet's classes: by words that mean nothing else.
        words = [folded(word) for word in synsets().lemmas.get(synset, ())]
        return {at for word in words if _meanings()[word] == {synset} for at in self._by_folded.get(word, ())}

    def _synonym(self, label: str) -> set[int]:
        return set(self._by_part.get(folded(label), ()))

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        return _grouped((name, at) for at, name in enumerate(self.class_names))

    @cached_property
    def _by_folded(self) -> dict[str, list[int]]:
        return _grouped((folded(name), at) for at, name in enumerate(self.class_names))

    @cached_property
    def _numbers_are_names(self) -> bool:
        return any(_NUMBER.fullmatch(name.strip()) for name in self.class_names)

    @cached_property
    def of_imagenet(self) -> bool:
        """Whether the outputs are ImageNet's 1,000 classes in their usual order, by their names."""
        if len(self.class_names) != 1000:
            return False
        known = synsets()
        fit = sum(
            _words(name)[0].startswith(synset)
            or bool(set(map(folded, _words(name))) & set(map(folded, known.lemmas[synset])))
            for name, synset in zip(self.class_names, known.imagenet, strict=True)
        )
        return fit >= IMAGENET_SHARE * len(self.class_names)

    @cached_property
    def _by_synset(self) -> dict[str, int]:
        """The outputs whose synset is known: from the class name itself, or from ImageNet's order."""
        said = _grouped(
            (m[1], at) for at, name in enumerate(self.class_names) if (m := _SYNSET.fullmatch(name))
        )
        found = {synset: places[0] for synset, places in said.items() if len(places) == 1}
        return {synset: at for at, synset in enumerate(synsets().imagenet)} if self.of_imagenet else found

    @cached_property
    def _synset_of(self) -> dict[int, str]:
        return {at: synset for synset, at in self._by_synset.items()}

    @cached_property
    def _by_part(self) -> dict[str, list[int]]:
        """Parts of class names that list several words, and of ImageNet's classes their words in WordNet."""
        parts = [(word, at) for at, name in enumerate(self.class_names) for word in _words(name)]
        if self.of_imagenet:
            known = synsets()
            parts += [(word, at) for at, synset in enumerate(known.imagenet) for word in known.lemmas[synset]]
        return _grouped((folded(word), at) for word, at in parts)

    @cached_property
    def _by_usual_word(self) -> dict[str, list[int]]:
        """Of ImageNet's classes, the first word of each in WordNet.

        Names may call one crane "crane" and the other "crane bird", and people write "crane" for both.
        """
        if not self.of_imagenet:
            return {}
        known = synsets()
        return _grouped((known.lemmas[synset][0], at) for at, synset in enumerate(known.imagenet))

    @cached_property
    def _by_usual_folded(self) -> dict[str, list[int]]:
        return _grouped((folded(word), at) for word, places in self._by_usual_word.items() for at in places)

    def _several(self, label: str, found: Sequence[int]) -> UnknownClass:
        named = [self._in_words(at) for at in found[:NAMED]]
        rest = f" (and {len(found) - NAMED} more)" if len(found) > NAMED else ""
        how = "number or synset" if any(at in self._synset_of for at in found) else "number"
        return UnknownClass(
            f"the class {label!r}",
            f"{self.model} has {len(found)} classes of that name",
            f"Give the {how}: {' or '.join(named)}{rest}.",
        )

    def _in_words(self, at: int) -> str:
        more = [self._synset_of[at]] if at in self._synset_of else []
        if len(self._by_name[self.class_names[at]]) == 1:
            more.append(repr(self.class_names[at]))
        return f"{at} ({', '.join(more)})" if more else str(at)

    def _none(self, label: str) -> UnknownClass:
        count, text = len(self.class_names), label.strip()
        if _NUMBER.fullmatch(text) and not self._numbers_are_names:
            return UnknownClass(
                f"the class {text}", f"{self.model} has no such number", f"Use 0 to {count - 1}."
            )
        if match := _SYNSET.fullmatch(text):
            words = ", ".join(synsets().lemmas.get(match[1], ())[:2])
            what = f"the class {text!r}" + (f" ({words})" if words else "")
            return UnknownClass(what, f"{self.model} has no class of that synset", f"It has {count} classes.")
        close = did_you_mean(label, self.class_names, most=5).strip()
        return UnknownClass(
            f"the class {label!r}",
            f"{self.model} has no class of that name",
            close or f"It has {count} classes.",
        )


def folded(name: str) -> str:
    """A name without regard to case, hyphens, underscores, spaces and Unicode form."""
    return _SPACE.sub(" ", unicodedata.normalize("NFC", name).casefold()).strip()


@cache
def _meanings() -> dict[str, set[str]]:
    """The synsets of each word that WordNet has, folded."""
    found: dict[str, set[str]] = {}
    for synset, words in synsets().lemmas.items():
        for word in words:
            found.setdefault(folded(word), set()).add(synset)
    return found


def _words(name: str) -> list[str]:
    """The words of a class name that lists several: `tench, Tinca tinca`, also behind a synset."""
    match = _SYNSET.fullmatch(name)
    said = name[len(match[1]) :].lstrip("-_ ,:") if match else name
    return [name[: len(match[1])], *_LISTED.split(said)] if match and said else _LISTED.split(name)


def _grouped(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for key, at in pairs:
        places = found.setdefault(key, [])
        if at not in places:
            places.append(at)
    return found
