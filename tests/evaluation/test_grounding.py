"""Grounding: where a map lies against what truly lowers the probability, by hand, in its range, and level at chance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.evaluation.grounding import IN_PLACE, REMOVAL, grounding
from xai_assets.evaluation.ranking import energy_in_mask
from xai_assets.world.counterfactual import CHANGES


def rows(*given, method="gradcam", image="a"):
    """Rows of (change, fall, area, energy)."""
    return pd.DataFrame(
        [(image, 3, method, False, *one) for one in given],
        columns=["image_id", "target_index", "method", "is_control", "change", "fall", "area", "energy"],
    )


def test_it_is_the_energy_beyond_an_even_maps_weighted_by_the_fall():
    table = rows(
        ("part_removed", 0.6, 0.1, 0.5), ("recoloured", 0.2, 0.3, 0.9), ("moved", 0.9, 0.5, 0.0),
        ("retextured", 0.05, 0.3, 0.0),
    )  # fmt: skip
    assert grounding(table)["grounding"].tolist() == pytest.approx([0.4])
    both = grounding(table, IN_PLACE)  # moved is no change in place, and retextured does not matter
    assert both["grounding"].tolist() == pytest.approx([(0.6 * 0.4 + 0.2 * 0.6) / 0.8])
    assert both.columns.tolist() == ["image_id", "target_index", "method", "is_control", "grounding"]


def test_what_does_not_matter_or_shows_nothing_has_no_row():
    assert grounding(rows(("part_removed", 0.09, 0.1, 0.5))).empty
    assert grounding(rows(("part_removed", -0.5, 0.1, 0.5))).empty
    assert grounding(rows(("part_removed", 0.5, 0.1, None))).empty
    assert grounding(rows(("part_removed", 0.09, 0.1, 0.5)), matters=0.05)[
        "grounding"
    ].tolist() == pytest.approx([0.4])
    assert grounding(rows()).empty


def test_its_changes_are_the_worlds():
    assert set(REMOVAL) < set(IN_PLACE) == set(CHANGES) - {"moved"}


@given(
    st.lists(
        st.tuples(st.sampled_from(IN_PLACE), *[st.floats(0, 1, allow_subnormal=False)] * 3),
        min_size=1,
        max_size=4,
        unique_by=lambda row: row[0],
    )
)
def test_it_lies_in_its_range_and_an_even_map_has_0(given_rows):
    found = grounding(rows(*given_rows), IN_PLACE)["grounding"]
    assert found.between(-1, 1).all()
    even = grounding(rows(*[(change, fall, area, area) for change, fall, area, _ in given_rows]), IN_PLACE)
    assert (even["grounding"] == 0).all() and len(even) == len(found)


def test_maps_drawn_at_random_have_0_in_the_mean():
    generator = np.random.default_rng(3)
    region = np.zeros((12, 12), dtype=bool)
    region[2:5, 3:9] = True
    table = pd.concat(
        [
            rows(
                ("part_removed", 0.5, region.mean(), energy_in_mask(generator.random((12, 12)), region)),
                image=str(number),
            )
            for number in range(2000)
        ]
    )
    found = grounding(table)["grounding"]
    assert abs(found.mean()) < 4 * found.std() / np.sqrt(len(found))
