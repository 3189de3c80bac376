"""A sentence that claims something says of how many observations, with what corrected p, and of how many questions."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

SAID = ("sentences", "sentence", "verdict")
"""Where a report's JSON has its sentences."""

CLAIM = re.compile(
    r"\b(beats?|does worse|(is|are) (above|below)|(more|less) closely than|more faithful than|(more|less) probable|"
    r"further than by chance|more than by chance|Below chance|less than maps of|(more|less) than the \d+%|"
    r"(more|less) under noise|larger share)\b"
)
OPEN = re.compile(r"cannot be told|could not be compared|\bno method was\b", re.IGNORECASE)
OBSERVATIONS = re.compile(r"\b\d[\d\u202f]* (images?|words?|units?)\b")
CORRECTED = re.compile(r"\bp [=<≤] ?0\.\d+")
FAMILY = re.compile(r"(Holm over \d+|Holm's correction for \d+) \w+")


def sentences(content: Any, said: bool = False) -> Iterator[str]:
    """Every sentence of a report; of a string with several, each."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from sentences(value, key in SAID)
    elif isinstance(content, list):
        for value in content:
            yield from sentences(value, said)
    elif isinstance(content, str) and said:
        yield from re.split(r"(?<=[.)])\s+(?=[A-Z])", content)


def unproven(sentence: str) -> list[str]:
    """What a sentence with a claim does not say."""
    if not CLAIM.search(sentence):
        return []
    asked = (
        {"n": OBSERVATIONS}
        if OPEN.search(sentence)
        else {"n": OBSERVATIONS, "p": CORRECTED, "family": FAMILY}
    )
    return [name for name, pattern in asked.items() if not pattern.search(sentence)]


def test_every_claim_of_a_report_says_what_it_rests_on(report):
    found = list(sentences(report.data))
    assert {sentence: lacking for sentence in found if (lacking := unproven(sentence))} == {}
    if report.data["kind"] == "study":
        assert sum(bool(CLAIM.search(sentence)) for sentence in found) >= 5


@pytest.mark.parametrize(
    ("sentence", "lacking"),
    [
        ("Grad-CAM beats the edge map.", ["n", "p", "family"]),
        ("Grad-CAM beats the edge map (12 images, p = 0.002).", ["family"]),
        ("Grad-CAM beats the edge map (12 images, p = 0.002 after Holm's correction for 8 comparisons).", []),
        ("Whether LIME beats the edge map cannot be told.", ["n"]),
        ("Whether LIME beats the edge map cannot be told with 4 images; at least 9 are needed.", []),
        ("The models share 1 of 25 concepts.", []),
    ],
)
def test_a_claim_without_its_evidence_is_found(sentence, lacking):
    assert unproven(sentence) == lacking
