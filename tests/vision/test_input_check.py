"""The model's input: what is usual says nothing, what is not says what."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import ValidationError

from xai_assets.vision import input_check
from xai_assets.vision.input_check import check_input
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

IMAGENET = PreprocessingSpec(mode="native")
PICTURE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def checked(view, spec=IMAGENET):
    return check_input(view, Preprocessing(spec).tensor(view).numpy(), spec)


def test_the_range_is_what_mean_and_deviation_make_of_black_and_white():
    assert IMAGENET.expected_range == pytest.approx((-0.485 / 0.229, (1 - 0.406) / 0.225))
    assert PreprocessingSpec(mode="native", mean=(0.5,) * 3, std=(0.5,) * 3).expected_range == (-1, 1)


@given(
    hnp.arrays(np.uint8, (5, 6, 3)), st.sampled_from([0.0, 0.3, 0.5]), st.sampled_from([1 / 255, 0.25, 1.0])
)
def test_no_picture_is_outside_its_own_range(view, mean, std):
    spec = PreprocessingSpec(mode="native", mean=(mean, 0.1, 0.9), std=(std,) * 3)
    assert not any("expected" in finding for finding in checked(view, spec).findings)


def test_a_usual_picture_has_no_findings_and_its_range_is_said():
    found = checked(PICTURE)
    assert found.findings == ()
    batch = Preprocessing(IMAGENET).tensor(PICTURE)
    assert (found.low, found.high) == (float(batch.min()), float(batch.max()))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (np.full((9, 9, 3), 200, np.uint8), ["nearly constant: its pixels deviate by 0 of 255"]),
        (np.zeros((9, 9, 3), np.uint8), ["nearly constant"]),
        (PICTURE % 3 + 100, ["nearly constant"]),
        (PICTURE % 2, ["no pixel is above 1", "nearly constant"]),
        (np.zeros((1, 1, 3), np.uint8), ["nearly constant"]),
        (np.full((9, 9, 3), (9, 200, 30), np.uint8), ["nearly constant: its pixels deviate by 0 of 255"]),
    ],
)
def test_what_is_unusual_is_named(view, said):
    found = checked(view).findings
    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True))


def test_values_outside_the_range_and_not_finite_are_named():
    batch = Preprocessing(IMAGENET).tensor(PICTURE).numpy()
    (finding,) = check_input(PICTURE, batch * 255, IMAGENET).findings
    assert finding.startswith("values from -5")
    assert finding.endswith("where -2.118 to 2.64 are expected")
    batch[0, 0, 0] = np.nan
    assert check_input(PICTURE, batch, IMAGENET).findings == ("1 values are not finite",)
    nothing = check_input(PICTURE, batch * np.nan, IMAGENET)
    assert (nothing.low, nothing.high) == (None, None)


@pytest.mark.parametrize("view", [PICTURE.astype(np.float32), PICTURE[..., 0], PICTURE.transpose(2, 0, 1)])
def test_what_is_no_view_is_refused(view):
    with pytest.raises(ValueError, match="uint8"):
        check_input(view, np.zeros((3, 2, 2)), IMAGENET)


def test_a_stated_range_must_be_what_mean_and_deviation_make():
    for mean, std, stated in ((0.5, 0.5, (-1, 1)), (0.0, 1.0, (0, 1)), (0.0, 1 / 255, (0, 255))):
        spec = PreprocessingSpec(mode="native", mean=(mean,) * 3, std=(std,) * 3, input_range=stated)
        assert spec.expected_range == pytest.approx(stated)
    with pytest.raises(
        ValidationError, match=r"make -2\.118 to 2\.64 of a picture, and `input_range` says 0 to 1"
    ):
        PreprocessingSpec(mode="native", input_range=(0, 1))


def test_a_mean_in_units_of_bytes_is_refused():
    with pytest.raises(ValidationError, match=r"units of 0\.\.1"):
        PreprocessingSpec(mode="native", mean=(123.675, 116.28, 103.53), std=(58.4, 57.1, 57.4))


def test_the_stated_range_is_no_part_of_the_fingerprint():
    spec = {"mode": "native", "mean": (0.5,) * 3, "std": (0.5,) * 3}
    prints = [
        Preprocessing(PreprocessingSpec(**spec, input_range=stated)).fingerprint()
        for stated in (None, (-1, 1))
    ]
    assert prints[0] == prints[1]


@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)))
def test_the_deviation_is_numpy_s(levels):
    assert input_check._deviation(levels) == pytest.approx(levels.std(), abs=1e-9)
