"""Regions make up the frame, chance is what other images give, and decisions about known maps are right."""

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.evidence_place import (
    MARGIN,
    PLACE,
    REGIONS,
    TESTS,
    PlacedMap,
    evidence_places,
    regions,
)
from xai_assets.resources.tables import TABLES

SIDE = 24


def disc(generator, radius=4):
    y, x = generator.uniform(radius, SIDE - radius, 2)
    rows, columns = np.indices((SIDE, SIDE))
    return (rows - y) ** 2 + (columns - x) ** 2 <= radius**2


def noise(generator, width=3.0):
    values = gaussian_filter(generator.standard_normal((SIDE, SIDE)), width)
    return (values / values.std()).astype(np.float32)


def block(generator, n, *, on=0.0, off=0.0, wrong=0, method="m"):
    """n maps of noise, drawn to their object by `on`, or by `off` away from it; the first `wrong` not drawn to it."""
    found = []
    for at in range(n):
        mask = disc(generator)
        pull = gaussian_filter(mask.astype(np.float32), 1.0)
        values = noise(generator) + (0 if at < wrong else on) * pull - off * pull
        found.append(PlacedMap(f"{at:03}", 1, "one", method, at >= wrong, values, mask))
    return found


def answers(found, question):
    rows = found.tests[found.tests["question"] == question]
    return dict(zip(zip(rows["method"], rows["region"], strict=True), rows["answer"], strict=True))


@pytest.mark.parametrize("radius", [1, 3, 7])
def test_the_ring_has_the_nearest_pixels_and_as_many(radius):
    mask = disc(np.random.default_rng(radius), radius)
    found = regions(mask)
    total = sum(found[region].astype(int) for region in REGIONS)
    assert (total == 1).all() and (found["object"] == mask).all()
    inside = int(mask.sum())
    assert inside <= found["context"].sum() <= inside + 8 * (radius + 4)
    places = np.argwhere(mask)
    nearest = lambda of: np.array([np.hypot(*(places - one).T).min() for one in np.argwhere(of)])  # noqa: E731
    assert nearest(found["context"]).max() < nearest(found["elsewhere"]).min()


def test_an_object_that_fills_the_frame_leaves_no_elsewhere_and_none_is_refused():
    found = regions(np.ones((4, 5), bool))
    assert found["object"].all() and not found["context"].any() and not found["elsewhere"].any()
    with pytest.raises(EvaluationError, match="no pixel"):
        regions(np.zeros((4, 5), bool))


def test_shares_and_chance_are_those_of_one_by_one():
    maps = block(np.random.default_rng(0), 5)
    found = evidence_places([maps])
    assert list(found.places.columns) == list(PLACE) == list(TABLES["evidence_place"].columns)
    assert list(found.tests.columns) == list(TESTS) == list(TABLES["evidence_tests"].columns)
    for at, row in enumerate(found.places.itertuples()):
        for region, mask in regions(maps[at].mask).items():
            share = [np.maximum(one.values, 0)[mask].sum() / np.maximum(one.values, 0).sum() for one in maps]
            assert getattr(row, region) == pytest.approx(share[at], rel=1e-6)
            others = np.mean([value for other, value in enumerate(share) if other != at])
            assert getattr(row, f"{region}_chance") == pytest.approx(others, rel=1e-6)
    assert found.places[list(REGIONS)].sum(axis=1).tolist() == pytest.approx([1] * 5)
    tests = found.tests.set_index(["question", "region"])
    excess = (found.places["object"] - found.places["object_chance"]).mean()
    assert tests.at[("chance", "object"), "difference"] == pytest.approx(excess)
    margin = MARGIN * (1 - found.places["object_chance"]).mean()
    assert tests.at[("on_object", "object"), "difference"] == pytest.approx(excess - margin)


def test_evidence_on_the_object_and_away_from_it_are_told_apart():
    generator = np.random.default_rng(4)
    on = evidence_places([block(generator, 16, on=4.0)])
    assert answers(on, "on_object") == {("m", "object"): "yes"}
    assert answers(on, "chance")["m", "elsewhere"] == "no"
    off = evidence_places([block(generator, 40, off=4.0)])
    assert answers(off, "on_object") == {("m", "object"): "no"}
    assert answers(off, "chance")["m", "object"] == "no"


def test_maps_that_know_nothing_of_the_object_do_not_lie_on_it():
    generator = np.random.default_rng(5)
    found = evidence_places([block(generator, 60) for _ in range(3)])
    assert answers(found, "on_object") == {("m", "object"): "no"}
    assert answers(found, "chance")["m", "object"] == "cannot_tell"


def test_right_and_wrong_answers_are_compared():
    generator = np.random.default_rng(6)
    found = evidence_places([block(generator, 30, on=4.0, wrong=12)])
    row = found.tests.set_index(["question", "region"]).loc[("answers", "object")]
    assert row["answer"] == "yes" and row["difference"] > 0.1 and row["family_size"] == 3
    same = evidence_places([block(generator, 30, wrong=12)])
    assert set(answers(same, "answers").values()) == {"cannot_tell"}
    assert answers(evidence_places([block(generator, 10, on=4.0)]), "answers") == {}


def test_a_map_that_shows_nothing_has_no_share_and_is_left_out():
    maps = block(np.random.default_rng(7), 8, on=4.0)
    dark = PlacedMap("dark", 1, "one", "m", True, np.full((SIDE, SIDE), -1, np.float32), maps[0].mask)
    with_it, without = evidence_places([[*maps, dark]]), evidence_places([maps])
    assert pd.isna(with_it.places.set_index("image_id").at["dark", "object"])
    pd.testing.assert_frame_equal(with_it.tests, without.tests)


def test_one_image_has_no_chance():
    found = evidence_places([block(np.random.default_rng(8), 1)])
    assert found.places["object_chance"].isna().all()
    assert set(found.tests["answer"]) <= {"cannot_tell"}
    assert evidence_places([]).places.empty
