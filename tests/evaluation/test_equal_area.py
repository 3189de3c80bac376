"""Overlap at equal areas: closed forms, ties, and chance by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xai_assets.evaluation.equal_area import AREAS, iou_at_area, sweep
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.overlap import iou

RAMP = np.arange(100.0).reshape(10, 10)


def test_without_ties_it_is_the_iou_of_the_masks():
    other = np.random.default_rng(0).permutation(100).astype(float).reshape(10, 10)
    for area in AREAS:
        count = round(100 * area)
        assert iou_at_area(RAMP, other, area) == pytest.approx(iou(100 - count <= RAMP, other >= 100 - count))


def test_a_map_agrees_with_itself_and_its_opposite_not_at_all():
    assert [row["iou"] for row in sweep(RAMP, RAMP)] == [1.0] * len(AREAS)
    assert iou_at_area(RAMP, -RAMP, 0.5) == 0.0
    assert iou_at_area(RAMP, -RAMP, 1.0) == 1.0


def test_ties_count_with_their_share():
    halves = np.repeat([0.0, 1.0], 50).reshape(10, 10)
    # A quarter of the frame out of a half that ties: each pixel counts 1/2, and the intersection is 50 x 1/4.
    assert iou_at_area(halves, halves, 0.25) == pytest.approx(12.5 / (50 - 12.5))
    constant = np.zeros((10, 10))
    assert iou_at_area(constant, RAMP, 0.2) == pytest.approx(4 / (40 - 4))  # as by chance


def test_chance_is_that_of_random_maps():
    rng = np.random.default_rng(1)
    for row in sweep(RAMP, RAMP):
        drawn = [iou_at_area(*rng.random((2, 40, 40)), row["area"]) for _ in range(200)]
        assert row["chance_iou"] == pytest.approx(np.mean(drawn), abs=0.02)


@given(st.integers(0, 10**6), st.floats(0.02, 1), st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_it_is_symmetric_bounded_and_blind_to_monotone_scales(seed, area, levels):
    a, b = np.random.default_rng(seed).integers(0, levels, (2, 8, 9)).astype(float)
    found = iou_at_area(a, b, area)
    assert found is not None and 0 <= found <= 1
    assert found == pytest.approx(iou_at_area(b, a, area))
    assert found == pytest.approx(iou_at_area(np.exp(a) - 3, b, area))


def test_what_cannot_be_measured():
    assert iou_at_area(RAMP, RAMP, 0.001) is None
    with pytest.raises(EvaluationError, match="share of the frame"):
        iou_at_area(RAMP, RAMP, 1.5)
    with pytest.raises(EvaluationError, match="not finite"):
        iou_at_area(RAMP, np.where(RAMP == 3, np.nan, RAMP), 0.5)
    with pytest.raises(EvaluationError, match="shapes"):
        iou_at_area(RAMP, RAMP[:5], 0.5)
