"""When are two concept labels the same word?"""

import re

_BRODEN_SUFFIX = re.compile(r"-[sc]$")  # Broden marks scenes and colours: street-s, black-c
_SEPARATORS = re.compile(r"[/_\-\s]+")
_PLURAL_ES = re.compile(r"(ss|sh|ch|x|z)es$")
_SINGULAR_S = re.compile(r"(ss|us|is)$")
_SHORTEST_PLURAL = 4  # "cars" is a plural, "bus" and "gas" are not


def normalise_label(label: str) -> str:
    """A label as it is compared: lower case, words apart by one space, the last word in the singular.

    '/', '-', '_' and blanks separate words; Broden's endings -s (scene) and -c (colour) go; of the English plurals
    the regular ones are undone (cars, boxes, berries). Both sides of a comparison are treated alike, so an odd result
    such as "sery" for "series" does no harm.
    """
    text = _BRODEN_SUFFIX.sub("", label.strip().lower())
    words = _SEPARATORS.sub(" ", text).strip().split(" ")
    words[-1] = _singular(words[-1])
    return " ".join(words)


def _singular(word: str) -> str:
    if len(word) < _SHORTEST_PLURAL or not word.endswith("s") or _SINGULAR_S.search(word):
        return word
    if word.endswith("ies") and len(word) > _SHORTEST_PLURAL:
        return word[:-3] + "y"
    if _PLURAL_ES.search(word):
        return word[:-2]
    return word[:-1]
