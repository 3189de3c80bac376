"""What changed scenes come to: falls decided as one family, energies beside an even map's, images as the unit."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test

from xai_assets.evaluation.counterfactual_summary import (
    COLUMNS,
    ENERGY,
    ENERGY_THAT_COUNTS,
    FALL,
    counterfactual_summary,
)
from xai_assets.resources.tables import TABLES

RECOLOURED = (0.484, 0.065, -0.017, 0.004, 0.003, 0.006, -0.008, 0.012, -0.004, 0.02, 0.001, 0.005)
"""One image falls far and the rest hardly: a mean of 0.05 that is none."""


def scenes(falls, *, energy=0.3, area=0.1, change="part_removed", methods=("gradcam", "lime", "ones")):
    return pd.DataFrame(
        [
            (
                f"{image}.png",
                0,
                change,
                method,
                method == "ones",
                fall,
                area,
                area if method == "ones" else energy,
            )
            for image, fall in enumerate(falls)
            for method in methods
        ],
        columns=["image_id", "target_index", "change", "method", "is_control", "fall", "area", "energy"],
    )


def of(table, measure, change=None, method=None):
    found = table[table["measure"] == measure]
    for column, value in (("change", change), ("method", method)):
        found = found if value is None else found[found[column] == value]
    assert len(found) == 1
    return found.iloc[0]


def test_a_fall_is_decided_with_all_changes_and_one_far_image_decides_nothing():
    falls = np.linspace(0.1, 0.5, 12)
    table = counterfactual_summary(pd.concat([scenes(falls), scenes(RECOLOURED, change="recoloured")]))
    assert list(table.columns) == list(COLUMNS) == list(TABLES["counterfactual_summary"].columns)
    assert not table.duplicated(list(TABLES["counterfactual_summary"].key)).any()
    removed, recoloured = of(table, FALL, "part_removed"), of(table, FALL, "recoloured")
    assert (removed["answer"], recoloured["answer"]) == ("yes", "cannot_tell")
    assert removed["mean"] == pytest.approx(0.3) and removed["n"] == 12 and removed["reference"] == 0
    for row, values in ((removed, falls), (recoloured, np.array(RECOLOURED))):
        exact = permutation_test((values,), np.mean, permutation_type="samples", n_resamples=np.inf)
        assert row["p"] == pytest.approx(exact.pvalue)
        assert row["family_size"] == 2
    assert recoloured["p_holm"] == pytest.approx(recoloured["p"])
    assert removed["p_holm"] == pytest.approx(2 * removed["p"])


def test_energy_stands_beside_an_even_maps_over_the_same_images():
    given = scenes([0.5, 0.4, 0.3], area=0.1)
    given["area"] = given["image_id"].map({"0.png": 0.1, "1.png": 0.2, "2.png": 0.6})
    given.loc[(given["method"] == "lime") & (given["image_id"] == "2.png"), "energy"] = None
    table = counterfactual_summary(given)
    lime = of(table, ENERGY, method="lime")
    assert (lime["n"], lime["excluded"], lime["reference"]) == (2, 1, pytest.approx(0.15))
    assert of(table, ENERGY, method="gradcam")["reference"] == pytest.approx(0.3)
    assert lime["answer"] is None or pd.isna(lime["answer"])


def test_only_changes_that_count_are_looked_at_for_where_maps_lie_and_an_image_counts_once():
    falls = np.full(8, 0.4)
    given = pd.concat(
        [scenes(falls), scenes(falls, change="moved"), scenes(falls / 10, change="recoloured", energy=0.9)]
    )
    table = counterfactual_summary(given)
    found = of(table, ENERGY_THAT_COUNTS, method="gradcam")
    assert (found["n"], found["mean"], found["family_size"]) == (8, pytest.approx(0.3), 2)
    assert found["answer"] == "yes" and found["p"] == pytest.approx(2 / 2**8)
    ones = of(table, ENERGY_THAT_COUNTS, method="ones")
    assert pd.isna(ones["p"]) and ones["mean"] == ones["reference"]


def test_two_images_decide_nothing_and_no_scene_has_no_row():
    table = counterfactual_summary(scenes([0.9, 0.8]))
    assert set(table["answer"].dropna()) == {"cannot_tell"}
    assert of(table, FALL)["fewest"] == 6
    assert counterfactual_summary(scenes([0.9]).iloc[:0]).empty
