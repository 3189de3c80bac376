"""The encoder's small vocabulary: the merges of CLIP's byte-pair table that the world's words need."""

import gzip
import io
import re

from open_clip.tokenizer import SimpleTokenizer, get_pairs

from xai_assets.world.concepts import concepts

CONTEXT_LENGTH = 24
_FREQUENT = 700
"""So many of the table's first merges are kept for words the world does not have, so that these do not fall apart
into letters."""
_GRAMMAR = "a an the photo picture image of in on with near and animal vehicle gridded wooden".split()


def world_words() -> set[str]:
    """Every single word that a caption can hold."""
    said = {part for concept in concepts(absent=False) for form in concept.forms for part in form.split()}
    return said | set(_GRAMMAR)


def vocabulary_file() -> bytes:
    """A `bpe_vocab.txt.gz` for open_clip's SimpleTokenizer: CLIP's own merges, in CLIP's order, but few of them.

    The world's words are cut exactly as CLIP cuts them.
    """
    ranks = SimpleTokenizer().bpe_ranks
    needed = {merge for merge, rank in ranks.items() if rank < _FREQUENT}
    for word in world_words():
        needed |= _merges(word, ranks)
    lines = ["#version: merges of CLIP that Diorama's words need"]
    lines += [" ".join(merge) for merge in sorted(needed, key=ranks.__getitem__)]
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as file:
        file.write("\n".join(lines).encode("utf-8"))
    return buffer.getvalue()


def _merges(word: str, ranks: dict[tuple[str, str], int]) -> set[tuple[str, str]]:
    """The merges that byte-pair encoding applies to one word."""
    used: set[tuple[str, str]] = set()
    symbols = (*word[:-1], word[-1] + "</w>")
    while len(symbols) > 1:
        best = min(get_pairs(symbols), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        used.add(best)
        merged: list[str] = []
        for symbol in symbols:
            if merged and (merged[-1], symbol) == best:
                merged[-1] += symbol
            else:
                merged.append(symbol)
        symbols = tuple(merged)
    return used


def ordinary_words() -> tuple[str, ...]:
    """English words of CLIP's table that name nothing in the world: what the text tower learns to keep apart.

    None of them is in the list of concepts that a dissection names, so its absent words are new to the tower.
    """
    named = {part for concept in concepts() for form in concept.forms for part in form.split()} | set(
        _GRAMMAR
    )
    ended = [first + second for first, second in SimpleTokenizer().bpe_ranks if second.endswith("</w>")]
    words = dict.fromkeys(word.removesuffix("</w>") for word in ended)
    fit = (word for word in words if re.fullmatch(r"[a-z]{3,12}", word))
    return tuple(word for word in fit if word not in named and word.rstrip("s") not in named)
