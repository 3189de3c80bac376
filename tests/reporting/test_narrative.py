import pytest

from xai_assets.reporting import narrative


def difference(mean: float, low: float | None, high: float | None, n: int = 12) -> dict[str, object]:
    return {"mean": mean, "low": low, "high": high, "n": n}


WIN, LOSS, OPEN = difference(0.3, 0.2, 0.4), difference(-0.2, -0.3, -0.1), difference(0.05, -0.02, 0.12)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (WIN, narrative.WINS),
        (LOSS, narrative.LOSES),
        (OPEN, narrative.UNDECIDED),
        (None, narrative.UNDECIDED),
        (difference(0.3, 0.0, 0.4), narrative.UNDECIDED),
        (difference(0.5, None, None, 1), narrative.UNDECIDED),
        (difference(0.5, 0.5, 0.5, 1), narrative.UNDECIDED),
    ],
)
def test_an_interval_decides_or_does_not(value: dict[str, object] | None, expected: str) -> None:
    assert narrative.outcome(value) == expected


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (difference(0.7, 0.6, 0.8), "more than the 20%"),
        (difference(0.2, 0.15, 0.25), "no more than the 20%"),
        (difference(0.1, 0.05, 0.15), "less than the 20%"),
        (difference(0.7, None, None, 1), "decides nothing"),
        (None, "not known"),
    ],
)
def test_words_are_put_against_chance(value: dict[str, object] | None, says: str) -> None:
    assert says in narrative.presence("layer4", value, 0.2)


def test_only_words_above_chance_are_put_together() -> None:
    good = {"label": "a", "value": difference(0.7, 0.6, 0.8), "chance": 0.2}
    bad = {"label": "b", "value": difference(0.2, 0.1, 0.3), "chance": 0.2}
    together = narrative.presences([good, {**good, "label": "c"}, bad])
    assert together[0].startswith(
        "CLIP-Dissect's word is truly present in 70% [60%, 80%] (a; chance 20%) and"
    )
    assert "b: " in together[1]
    assert "no more than" in together[1]


@pytest.mark.parametrize(
    ("value", "text"), [(0.123, "+0.12"), (-0.123, "−0.12"), (-0.001, "0.00"), (0.0, "0.00")]
)
def test_signed_numbers(value: float, text: str) -> None:
    assert narrative.signed(value) == text


def test_counts_and_lists() -> None:
    assert [narrative.count(n, "unit") for n in (0, 1, 2)] == ["0 units", "1 unit", "2 units"]
    assert [narrative.joined(list(words)) for words in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def shares(category, mean, low, high):
    return {"category": category, "difference": {"mean": mean, "low": low, "high": high, "n": 256}}


def test_what_two_last_layers_are_about_is_told_both_ways_and_where_it_is_open():
    rows = [
        shares("object", 0.3, 0.2, 0.4),
        shares("scene", -0.25, -0.3, -0.2),
        shares("part", 0.01, -0.1, 0.1),
    ]
    assert narrative.depths({"method": "pixel labels", "rows": rows}, "A", "B") == (
        "By pixel labels, A has the larger share of units for object (+30 points); "
        "B has the larger share of units for scene (−25 points); part is not told apart."
    )


def test_units_beyond_chance_are_counted_by_each_method_that_says():
    row = {"layer": "layer4", "labels_beyond": {"count": 3, "living": 9}, "words_beyond": None}
    assert "in layer4 3 of 9 living units are detectors" in narrative.beyond(row)
    assert "CLIP-Dissect" not in narrative.beyond(row)
