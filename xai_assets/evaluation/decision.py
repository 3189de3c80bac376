"""The one rule by which a question about images is decided: yes, no, or cannot be told with n images.

A question ("is a above b?") has an exact test on images, each image one observation: signs are flipped where two values
of one image are compared (`paired_tests.sign_flip_p`), images are paired anew where maps of an image are compared with
those of others (`other_images.repairing_p`). The questions of one declared family are corrected together (Holm 1979).
A question is decided where the corrected p is below LEVEL, and by the sign of the difference. All else cannot be told:
it is neither a failure nor a pass.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LEVEL = 0.05
"""Of all wrong decisions of a family together: at most this share of families has one."""

FEWEST_TO_SEARCH = 64
"""No family is so large that as many images could not decide it: 2 / 2^64 is below every LEVEL / m."""


class Answer(StrEnum):
    """What a test decides of "is it above?"."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class Decision:
    """The answer to one question, with all that it rests on.

    Attributes:
        answer: YES where the difference is above 0 beyond chance, NO where it is below, else CANNOT_TELL.
        p: of the exact test, two-sided, 0..1; None where there were too few images to test at all.
        p_holm: corrected for the family; None where p is.
        family_size: questions of the family that were tested.
        fewest: the smallest number of images that could decide a question of a family of this size.
    """

    answer: Answer
    p: float | None
    p_holm: float | None
    family_size: int
    fewest: int


def decide(
    differences: Sequence[float | None], p: Sequence[float | None], *, repaired: bool = False
) -> list[Decision]:
    """Decide the questions of one family together.

    Args:
        differences: of each question: the mean of what is asked about less what it is compared with.
        p: two-sided p-value of each question's exact test, in the same order; None: not tested, and not counted.
        repaired: the tests pair images anew, and do not flip signs; `fewest` depends on it.
    """
    corrected = holm(p)
    size = sum(value is not None for value in p)
    fewest = fewest_images(size, repaired=repaired)
    return [
        Decision(_answer(difference, p_holm), value, p_holm, size, fewest)
        for difference, value, p_holm in zip(differences, p, corrected, strict=True)
    ]


def _answer(difference: float | None, p_holm: float | None) -> Answer:
    if p_holm is None or difference is None or difference == 0 or not p_holm < LEVEL:
        return Answer.CANNOT_TELL
    return Answer.YES if difference > 0 else Answer.NO


def fewest_images(tests: int, *, repaired: bool = False) -> int:
    """The smallest number of images with which one of so many tests can be decided, if all images agree.

    n images have 2ⁿ patterns of signs, two of which are the most extreme; and n! pairings, of which one is.

    Args:
        tests: the family's size; 0 counts as 1.
        repaired: the test pairs images anew.
    """
    for n in range(2, FEWEST_TO_SEARCH):
        smallest = 1 / math.factorial(n) if repaired else 2 / 2**n
        if max(1, tests) * smallest < LEVEL:
            return n
    return FEWEST_TO_SEARCH


def most_tests(n: int) -> int:
    """The largest family of sign-flip tests that n images could decide one of, if all images agree; 0 for none."""
    found = math.ceil(LEVEL * 2**n / 2) - 1
    return max(0, found)


def holm(p: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted for a family of tests (Holm 1979): below alpha together, they err once in 1 / alpha families.

    The k-th smallest of m is multiplied by m - k + 1, and none is below the one before it. What is None stays None
    and is not counted.
    """
    tested = [(value, index) for index, value in enumerate(p) if value is not None]
    adjusted: list[float | None] = [None] * len(p)
    highest = 0.0
    for place, (value, index) in enumerate(sorted(tested)):
        highest = max(highest, min(1.0, (len(tested) - place) * value))
        adjusted[index] = highest
    return adjusted
