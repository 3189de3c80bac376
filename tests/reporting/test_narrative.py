import pytest

from xai_assets.reporting import narrative


def difference(mean: float, low: float | None, high: float | None, n: int = 12) -> dict[str, object]:
    return {"mean": mean, "low": low, "high": high, "n": n}


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
