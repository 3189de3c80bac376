"""WordNet's synsets of ImageNet's classes (Deng et al. 2009, doi:10.1109/CVPR.2009.5206848), as timm ships them.

Weights and class lists name ImageNet's classes by English words, two of which are the same word; data sets name them by
synset, such as n02099601. timm's `data/_info/imagenet_synsets.txt` has the 1,000 synsets in the order of the outputs,
`imagenet_synset_to_lemma.txt` the words of some 22,000. timm itself is not imported: it takes a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from xai_assets.errors import XaiError
from xai_assets.reading import read_text, text_lines

MAX_BYTES = 1 << 24
_REMEDY = "Install the package timm again."


@dataclass(frozen=True)
class Synsets:
    """Synsets and their words.

    Attributes:
        imagenet: the synsets of ImageNet's 1,000 classes, in the order of the outputs.
        lemmas: the words of each synset, the usual one first.
    """

    imagenet: tuple[str, ...]
    lemmas: dict[str, tuple[str, ...]]


@cache
def synsets() -> Synsets:
    """Read timm's files, once a process.

    Raises:
        XaiError: timm is not installed, or has no such files.
    """
    folder = _folder()
    imagenet = tuple(_lines(folder / "imagenet_synsets.txt"))
    lemmas = {}
    for line in _lines(folder / "imagenet_synset_to_lemma.txt"):
        synset, _, words = line.partition("\t")
        lemmas[synset] = tuple(word.strip() for word in words.split(","))
    without = [synset for synset in imagenet if synset not in lemmas]
    if without or len(set(imagenet)) != 1000:
        raise XaiError(str(folder), "its synsets of ImageNet are not whole", _REMEDY)
    return Synsets(imagenet, lemmas)


def _folder() -> Path:
    found = find_spec("timm")
    if found is None or not found.submodule_search_locations:
        raise XaiError("the synsets of ImageNet", "the package timm, which has them, is not there", _REMEDY)
    return Path(found.submodule_search_locations[0]) / "data" / "_info"


def _lines(path: Path) -> Iterator[str]:
    return (line for line in text_lines(read_text(path, MAX_BYTES, remedy=_REMEDY)) if line.strip())
