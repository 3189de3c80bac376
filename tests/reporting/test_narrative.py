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
