"""`make truth`: what its tables say, and with the marker slow that its promises hold."""

import importlib

import pytest

from benchmarks.sections import in_their_place
from benchmarks.truth import coverage as intervals
from benchmarks.truth.__main__ import HEAD, LEVEL, decisions, parts
from benchmarks.truth.__main__ import intervals as section_of_intervals

ROW = {"family": "nothing", "n": 5, "decided": 0.04, "se": 0.01, "power": 0.5, "effect": 1.0, "note": "drawn"}


def test_a_share_above_the_promise_is_marked_and_counted():
    rows = [ROW, ROW | {"family": "too often", "decided": 0.09}, ROW | {"decided": 0.079}]
    text = decisions("other_images", rows, 100)
    assert "1 of 3 shares are above" in text
    assert "| too often | 5 | 0.090 above | 0.010 | 0.500 | 1.00 |" in text
    assert text.count(" above |") == 1


def test_coverage_counts_what_holds_the_mean_and_what_has_no_interval():
    rows = intervals.coverage(40)
    assert {row["kind"] for row in rows} == set(intervals._KINDS)
    of_means = {(row["distribution"], row["n"]): row for row in rows if row["kind"] == "mean"}
    assert len(of_means) == 4 * len(intervals.NUMBERS)
    assert all(0.7 <= row["covered"] <= 1 and row["without"] == 0 for row in of_means.values())
    assert of_means["normal", 30]["width"] < of_means["normal", 5]["width"]
    paired = [
        row for row in rows if row["kind"] == "paired difference" and row["distribution"] == "Bernoulli(0.9)"
    ]
    assert paired[0]["without"] > 0
    text = section_of_intervals(rows, 40)
    assert "### Clustered share" in text and "% none)" in text
    assert intervals.coverage(40) == rows


def test_a_part_that_is_made_again_is_written_in_its_place(tmp_path):
    written = tmp_path / "truth.md"
    parts_of_it = ["## One\n\n1\n", "## Two\n\n2\n"]
    written.write_text(in_their_place(written, HEAD, parts_of_it), encoding="utf-8")
    again = in_their_place(written, HEAD, ["## One\n\n3\n", "## Three\n\n4\n"])
    assert again == f"{HEAD}\n## One\n\n3\n\n## Two\n\n2\n\n## Three\n\n4\n"


def test_no_interval_holds_a_mean_that_it_is_not_of(monkeypatch):
    moved = {name: (draw, true + 5, bounds) for name, (draw, true, bounds) in intervals.DISTRIBUTIONS.items()}
    monkeypatch.setattr(intervals, "DISTRIBUTIONS", moved)
    rows = intervals.coverage(5)
    assert all(
        row["covered"] == 0 for row in rows if row["kind"] == "mean" and row["distribution"] != "lognormal"
    )


@pytest.mark.slow
@pytest.mark.parametrize("part", parts())
def test_no_family_decides_more_often_than_promised(part):
    rows = importlib.import_module(f"benchmarks.truth.{part}").rows(40)
    assert rows
    assert [row for row in rows if row["decided"] > LEVEL + 3 * row["se"]] == []


@pytest.mark.slow
def test_intervals_cover_what_is_promised():
    least = {"normal": 0.93, "beta(6, 2)": 0.93, "beta(0.6, 2.4), skewed": 0.90, intervals.PROPORTION: 0.93}
    rows = intervals.coverage(4000, (10, 12))
    assert {row["kind"] for row in rows} == set(intervals._KINDS)
    below = [
        row
        for row in rows
        if row["distribution"] in least and row["covered"] < least[row["distribution"]] - 3 * row["se"]
    ]
    assert below == []
