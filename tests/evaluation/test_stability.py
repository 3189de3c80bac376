"""Stability: the ratio to maps drawn anew, and that nothing is called stable that is not shown to be."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.truth import stability as simulated
from xai_assets.evaluation.intervals_of_ratios import ratio_interval
from xai_assets.evaluation.stability import COLUMNS, stability_summary


def table(moved, anew, method="gradcam", is_control=False, measure="max_sensitivity"):
    rows = [
        (f"{image}", method, is_control, metric, value)
        for metric, values in ((measure, moved), ("redrawn", anew))
        for image, value in enumerate(values)
    ]
    return pd.DataFrame(rows, columns=["image_id", "method", "is_control", "metric", "value"])


def test_the_share_is_the_ratio_of_the_means_with_its_interval():
    moved, anew = np.linspace(0.01, 0.05, 8), np.linspace(0.9, 1.1, 8)
    (row,) = stability_summary(table(moved, anew)).to_dict("records")
    expected = ratio_interval(moved, anew)
    assert row["share"] == pytest.approx(moved.mean() / anew.mean())
    assert (row["low"], row["high"], row["n"]) == (max(0, expected.low), expected.high, 8)
    assert (row["answer"], row["p"], row["family_size"], row["fewest"]) == ("yes", 2 / 2**8, 1, 6)


def test_what_moves_as_far_is_not_called_stable_and_few_images_tell_nothing():
    generator = np.random.default_rng(1)
    anew = generator.uniform(0.8, 1.2, 12)
    as_far = stability_summary(table(generator.permutation(anew), anew))
    assert as_far["answer"].tolist() == ["cannot_tell"]
    further = stability_summary(table(2 * anew, anew))
    assert further["answer"].tolist() == ["no"]
    four = stability_summary(table([0.01] * 4, [1.0] * 4))
    assert (four["answer"].tolist(), four["fewest"].tolist()) == (["cannot_tell"], [6])


def test_controls_and_the_methods_own_chance_are_shown_and_not_asked():
    moved, anew = [0.0] * 8, [0.02] * 8
    chance = table([0.02, *[0.019] * 7], anew, "random", True, "noise_floor")
    both = pd.concat([table(moved, anew, "random", True).head(8), chance])
    found = stability_summary(both).set_index("measure")
    assert found.loc["max_sensitivity", "share"] == 0 and found.loc["noise_floor", "share"] == pytest.approx(
        0.956, abs=0.01
    )
    assert found[["p", "answer"]].isna().all(axis=None)


def test_gaps_are_counted_and_nothing_gives_nothing():
    (row,) = stability_summary(table([0.1, None, 0.3], [1.0, 1.0, None])).to_dict("records")
    assert (row["n"], row["excluded"], row["share"], row["low"]) == (1, 2, pytest.approx(0.1), None)
    assert list(stability_summary(pd.DataFrame()).columns) == list(COLUMNS)
    assert not len(stability_summary(table([0.1], [None])))


def test_maps_that_are_drawn_anew_are_seldom_told_from_such():
    rows = {row["n"]: row for row in simulated.rows(4, (3, 6, 10))}
    assert all(rows[n]["decided"] == rows[n]["power"] == 0 for n in (3, 6))
    assert rows[10]["power"] == 1 and rows[10]["decided"] <= 0.25
