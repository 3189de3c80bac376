"""Maps of two models on one image: in the part of the original that both see."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.attribution.maps import AttributionMap, flags_of
from xai_assets.evaluation.between_models import (
    CHANCE,
    COLUMNS,
    SAME_CLASS,
    ModelMap,
    agreement_row,
    in_common,
    model_agreement_summary,
)
from xai_assets.evaluation.evidence_centre import evidence_centre, moved_share
from xai_assets.vision.geometry import resize_crop_frame, whole_frame

HEIGHT, WIDTH = 240, 320
SMALL = resize_crop_frame(HEIGHT, WIDTH, 64, 56)
LARGE = resize_crop_frame(HEIGHT, WIDTH, 80, 75)
SQUASHED = whole_frame(HEIGHT, WIDTH, (64, 64), "squash")


def blob(frame, x=0.5, y=0.5, spread=0.1):
    """Evidence about one place of the original, as a model with this frame would have it."""
    top, left, bottom, right = frame.box
    h, w = frame.size
    ys = (top + (np.arange(h) + 0.5) / h * (bottom - top)) / HEIGHT
    xs = (left + (np.arange(w) + 0.5) / w * (right - left)) / WIDTH
    values = np.exp(-((ys[:, None] - y) ** 2 + (xs[None, :] - x) ** 2) / (2 * spread**2))
    return values.astype(np.float32)


def shown(frame, model="old", values=None, image="a.png", **place):
    values = blob(frame, **place) if values is None else values
    found = AttributionMap(values, "gradcam", image, 1, "cat", "layer", frame, {}, 0, flags=flags_of(values))
    with np.errstate(invalid="ignore"):
        return ModelMap(model, "cat", found, values >= 0.5)


def compared(a, b):
    common = in_common(a, b)
    assert common is not None
    return agreement_row(SAME_CLASS, "gradcam", a, b, common)


@pytest.mark.parametrize("other", [LARGE, SQUASHED])
def test_evidence_at_one_place_agrees_whatever_the_crop(other):
    row = compared(shown(SMALL), shown(other, "new"))
    assert row["iou"] > 0.9
    assert row["rank_correlation"] > 0.99
    assert row["moved_share"] < 0.05
    assert abs(row["shift_x"]) < 0.01
    assert abs(row["shift_y"]) < 0.01


def test_compared_pixel_by_pixel_in_their_own_frames_they_would_not():
    a, b = shown(SMALL, x=0.4, y=0.4, spread=0.05), shown(SQUASHED, "new", x=0.4, y=0.4, spread=0.05)
    wide = np.zeros((64, 64), bool)
    wide[4:60, 4:60] = a.mask
    apart = (wide & b.mask).sum() / (wide | b.mask).sum()
    assert compared(a, b)["iou"] > apart + 0.2


def test_a_map_and_itself_agree_wholly():
    row = compared(shown(SMALL), shown(SMALL, "new"))
    assert (row["iou"], row["moved_share"], row["shift_x"], row["shift_y"]) == (1, 0, 0, 0)
    assert row["rank_correlation"] == pytest.approx(1)


def test_evidence_that_went_to_the_right_is_said_so_in_widths_of_the_original():
    row = compared(shown(SMALL, x=0.4, spread=0.03), shown(LARGE, "new", x=0.6, spread=0.03))
    assert row["shift_x"] == pytest.approx(0.2, abs=0.01)
    assert row["shift_y"] == pytest.approx(0, abs=0.01)
    assert row["moved_share"] > 0.9
    assert row["iou"] == 0


@given(st.floats(0.25, 0.75), st.floats(0.25, 0.75))
def test_the_centre_is_where_the_evidence_is(x, y):
    for frame in (SMALL, LARGE, SQUASHED):
        found = evidence_centre(shown(frame, x=x, y=y, spread=0.02).found)
        assert found == (pytest.approx(x, abs=0.02), pytest.approx(y, abs=0.02))


def test_a_map_that_shows_nothing_has_no_numbers_and_no_centre():
    for values in (np.zeros((56, 56), np.float32), np.full((56, 56), np.nan, np.float32)):
        empty = shown(SMALL, values=values)
        assert evidence_centre(empty.found) is None
        row = compared(empty, shown(LARGE, "new"))
        assert {row[name] for name in ("iou", "rank_correlation", "moved_share", "shift_x")} == {None}


def test_moved_share_is_the_total_variation_distance():
    a, b = np.array([[3.0, 1.0], [-5.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    assert moved_share(a, b) == pytest.approx((0.75 + 0.25 + 0.5) / 2)
    assert moved_share(a, a * 7) == pytest.approx(0)
    assert moved_share(a, np.zeros((2, 2))) is None


def test_the_common_frame_is_what_both_see_and_frames_of_two_images_have_none():
    common = SMALL.common(LARGE)
    assert SMALL.holds(common)
    assert LARGE.holds(common)
    assert common.size == (56, 56)
    assert SMALL.common(SMALL) == SMALL
    with pytest.raises(ValueError, match="different originals"):
        SMALL.common(resize_crop_frame(100, 100, 64, 56))


def test_the_summary_has_a_row_a_method_and_pair_decided_as_one_family():
    rows, chance = [], []
    for method in ("gradcam", "lime"):
        for image in range(3):
            rows.append(
                compared(shown(SMALL), shown(LARGE, "new")) | {"image_id": f"{image}", "method": method}
            )
        chance.append(
            {
                "method": method, "model_a": "old", "model_b": "new", "metric": "iou", "area": None, "chance": 0.4,
                "attainable": 0.9, "difference": 0.5, "low": 0.4, "high": 0.6, "interval": "t", "n": 3, "excluded": 0,
                "p": 0.01 if method == "gradcam" else 0.2,
            }
        )  # fmt: skip
    found = model_agreement_summary(
        pd.DataFrame(rows, columns=list(COLUMNS)), pd.DataFrame(chance, columns=list(CHANCE))
    )
    iou = found[found["metric"] == "iou"].set_index("method")
    assert iou["p_holm"].to_dict() == {"gradcam": 0.02, "lime": 0.2}
    assert iou["answer"].to_dict() == {"gradcam": "yes", "lime": "cannot_tell"}
    assert set(found["metric"]) == {"iou", "iou_matched", "dice", "rank_correlation"}
