"""What may be compared: one question, one place; another frame is an error, or is brought over first."""

import dataclasses

import numpy as np
import pytest

from xai_assets.attribution.binarisation import BinarisationPolicy, binarise
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.maps import flags_of
from xai_assets.evaluation.agreement import agreement_table
from xai_assets.evaluation.cases import same_place, same_question
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.localization import localization_table
from xai_assets.evaluation.ranking import (
    average_precision,
    energy_in_mask,
    matched_iou,
    pointing_game,
    rank_correlation,
)
from xai_assets.vision.geometry import resize_crop_frame, whole_frame

SQUASH = whole_frame(40, 60, (24, 24), "squash")
CROP = resize_crop_frame(40, 60, 28, 24)


@pytest.fixture
def pair(make_map):
    """A bright spot of one picture, as a squashing and a cropping model see it: both maps of 24 by 24."""
    original = np.zeros((40, 60), np.float32)
    original[12:20, 20:32] = 1
    native = whole_frame(40, 60, (40, 60), "native")

    def seen(frame, method):
        values = native.bring(original, frame)
        return dataclasses.replace(make_map(values, method), frame=frame)

    return seen(SQUASH, "gradcam"), seen(CROP, "lime")


def with_mask(found):
    return found, binarise(found.values, BinarisationPolicy())[0]


def test_maps_of_one_shape_in_two_frames_are_an_error_that_names_both(pair):
    a, b = pair
    assert a.values.shape == b.values.shape
    with pytest.raises(EvaluationError) as caught:
        same_place(a, b)
    assert str(SQUASH) in caught.value.why and str(CROP) in caught.value.why
    assert "gradcam of a and lime of a" in caught.value.what
    assert "in_frame" in caught.value.remedy
    with pytest.raises(EvaluationError, match="different frames"):
        agreement_table([with_mask(a), with_mask(b)], policy="fixed")


def test_brought_into_one_frame_they_agree(pair):
    a, b = pair
    brought = a.in_frame(CROP)
    same_place(brought, b)
    (row,) = agreement_table([with_mask(brought), with_mask(b)], policy="fixed").to_dict("records")
    assert row["iou"] > 0.8
    assert (brought.method, brought.target, brought.flags) == (a.method, a.target, ())
    with_error = dataclasses.replace(a, frame=CROP)  # what taking the pixels as they are would give
    (wrong,) = agreement_table([with_mask(with_error), with_mask(b)], policy="fixed").to_dict("records")
    assert wrong["iou"] < row["iou"] - 0.2


def test_the_same_frame_is_the_same_map(pair):
    assert pair[0].in_frame(SQUASH) is pair[0]


def test_what_a_map_did_not_see_is_not_made_up(pair):
    with pytest.raises(AttributionError, match="lime map of a: cannot be brought into another frame"):
        pair[1].in_frame(SQUASH)
    broken = dataclasses.replace(pair[0], values=np.full((24, 24), np.nan, np.float32))
    with pytest.raises(AttributionError, match="not finite"):
        broken.in_frame(CROP)


def test_a_map_that_becomes_constant_is_flagged(make_map):
    values = np.zeros((24, 24), np.float32)
    values[0, 0] = 1  # outside the crop
    found = dataclasses.replace(make_map(values), frame=SQUASH).in_frame(CROP)
    assert found.flags == flags_of(found.values) == ("constant",)


@pytest.mark.parametrize(
    ("change", "said"), [({"target": 4}, "classes: 3 .* and 4"), ({"image_id": "b"}, "images: a and b")]
)
def test_another_question_is_an_error(pair, change, said):
    with pytest.raises(EvaluationError, match=f"different {said}"):
        same_question(pair[0], dataclasses.replace(pair[0], **change))


def test_a_map_of_another_shape_than_its_frame_is_an_error(pair, make_map):
    with pytest.raises(EvaluationError, match="different shapes"):
        same_place(pair[0], dataclasses.replace(make_map(np.zeros((3, 3))), frame=SQUASH))


def test_a_truth_of_another_frame_is_an_error(pair):
    truth = pair[0].values > 0.5
    view = np.zeros((24, 24, 3), np.uint8)
    arguments = {"view": view, "policy": BinarisationPolicy()}
    assert len(localization_table([with_mask(pair[0])], {"object": truth}, truth_frame=SQUASH, **arguments))
    with pytest.raises(
        EvaluationError, match=r"true mask of a: lie in different frames: the squash.*the resize_crop"
    ):
        localization_table([with_mask(pair[0])], {"object": truth}, truth_frame=CROP, **arguments)


@pytest.mark.parametrize(
    "measure", [rank_correlation, average_precision, matched_iou, pointing_game, energy_in_mask]
)
def test_arrays_of_one_size_and_two_shapes_give_no_number(measure):
    values = np.arange(32, dtype=np.float32).reshape(4, 8)
    with pytest.raises(EvaluationError, match=r"\(4, 8\), \(8, 4\)"):
        measure(values, values.reshape(8, 4) > 7)


def test_a_map_that_is_not_finite_has_no_rank_correlation():
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert rank_correlation(values, np.where(values > 4, np.inf, values)) is None
    assert rank_correlation(np.where(values > 4, np.nan, values), values) is None
