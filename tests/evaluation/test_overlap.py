"""Overlap of masks: closed forms, scikit-learn, and chance by simulation."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import f1_score, jaccard_score

from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.overlap import dice, expected_iou, iou, max_attainable

MASKS = hnp.arrays(bool, (5, 6))


def square(top, left, side=4, size=10):
    mask = np.zeros((size, size), dtype=bool)
    mask[top : top + side, left : left + side] = True
    return mask


def test_two_squares_that_share_a_quarter():
    a, b = square(0, 0), square(2, 2)  # 16 pixels each, 4 in common
    assert iou(a, b) == 4 / 28
    assert dice(a, b) == 8 / 32


def test_equal_and_disjoint_masks():
    assert iou(square(0, 0), square(0, 0)) == dice(square(0, 0), square(0, 0)) == 1
    assert iou(square(0, 0), square(5, 5)) == dice(square(0, 0), square(5, 5)) == 0


def test_two_empty_masks_have_no_overlap_to_speak_of():
    empty = np.zeros((4, 4), dtype=bool)
    assert iou(empty, empty) is None
    assert dice(empty, empty) is None
    assert expected_iou(0, 0) is None
    assert max_attainable(0, 0) is None
    assert iou(empty, ~empty) == 0


@given(a=MASKS, b=MASKS)
def test_they_agree_with_scikit_learn(a, b):
    assume((a | b).any())
    assert iou(a, b) == pytest.approx(jaccard_score(a.ravel(), b.ravel()))
    assert dice(a, b) == pytest.approx(f1_score(a.ravel(), b.ravel()))


@given(a=MASKS, b=MASKS)
def test_properties(a, b):
    assume((a | b).any())
    value = iou(a, b)
    assert 0 <= value <= 1
    assert value == iou(b, a) == iou(a[::-1], b[::-1])
    assert dice(a, b) == pytest.approx(2 * value / (1 + value))
    assert value <= max_attainable(a.mean(), b.mean()) + 1e-12
    assert (value == 1) == np.array_equal(a, b)


def test_half_image_masks_agree_at_a_third_by_chance():
    assert expected_iou(0.5, 0.5) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("p", "q"), [(0.5, 0.5), (0.1, 0.4), (0.05, 0.05), (0.9, 0.2)])
def test_chance_is_what_random_masks_have(p, q):
    generator = np.random.default_rng(0)
    found = [iou(generator.random((40, 40)) < p, generator.random((40, 40)) < q) for _ in range(400)]
    error = 4 * np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(expected_iou(p, q), abs=error)


@given(p=st.floats(0.01, 1), q=st.floats(0.01, 1))
def test_chance_never_exceeds_what_can_be_attained(p, q):
    assert 0 < expected_iou(p, q) <= max_attainable(p, q) + 1e-12
    assert expected_iou(p, q) == expected_iou(q, p)
    assert expected_iou(p, 1) == pytest.approx(p)


def test_attainable_is_reached_by_nested_masks():
    inner, outer = square(1, 1, side=3), square(0, 0, side=6)
    assert iou(inner, outer) == max_attainable(inner.mean(), outer.mean()) == 9 / 36


def test_masks_of_other_shapes_types_and_densities_are_errors():
    mask = np.ones((4, 4), dtype=bool)
    with pytest.raises(EvaluationError, match="shapes"):
        iou(mask, mask[:3])
    with pytest.raises(EvaluationError, match="not bool"):
        dice(mask, mask.astype(float))
    with pytest.raises(EvaluationError, match=r"0\.\.1"):
        expected_iou(12, 0.5)
