"""Frames against torchvision's own resize and crop, and masks against counting."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as F

from xai_assets.vision.geometry import Frame, resize_crop_frame, whole_frame

SIDES = st.integers(8, 400)


@given(SIDES, SIDES, st.integers(8, 96), st.integers(0, 40))
def test_the_box_is_where_torchvision_looks(height: int, width: int, size: int, margin: int) -> None:
    resize = size + margin
    frame = resize_crop_frame(height, width, resize, size)
    top, left, bottom, right = frame.box
    # A picture whose values are its own coordinates: what the crop holds says where it was taken.
    for axis, (low, high, length) in enumerate([(top, bottom, height), (left, right, width)]):
        ramp = np.arange(length, dtype=np.float32) + 0.5
        plane = np.broadcast_to(ramp[:, None] if axis == 0 else ramp[None, :], (height, width))
        shrunk = F.resize(Image.fromarray(np.ascontiguousarray(plane)), [resize])
        crop = np.array(F.center_crop(shrunk, [size, size]))
        line = crop[:, size // 2] if axis == 0 else crop[size // 2]
        expected = low + (np.arange(size) + 0.5) * (high - low) / size
        inner = slice(size // 4, size - size // 4)  # at the rim the filter sees only half a neighbourhood
        step = max(1.0, (high - low) / size)
        assert np.abs(line[inner] - expected[inner]).max() < step


@given(SIDES, SIDES, st.integers(8, 96), st.integers(0, 40))
def test_the_box_lies_inside_the_picture(height: int, width: int, size: int, margin: int) -> None:
    top, left, bottom, right = resize_crop_frame(height, width, size + margin, size).box
    slack = 1e-9 * max(height, width)
    assert -slack <= top < bottom <= height + slack
    assert -slack <= left < right <= width + slack


@pytest.mark.parametrize(
    ("height", "width", "resize", "size", "box"),
    [
        (256, 256, 256, 224, (16, 16, 240, 240)),
        (512, 1024, 256, 224, (32, 288, 480, 736)),  # half size, 16 and 144 pixels in
        (256, 257, 256, 224, (16, 16, 240, 240)),  # 16.5 rounds to even: 16, as Python's round does
        (256, 259, 256, 224, (16, 18, 240, 242)),  # 17.5 rounds to even: 18
    ],
)
def test_known_boxes(height: int, width: int, resize: int, size: int, box: tuple[float, ...]) -> None:
    assert resize_crop_frame(height, width, resize, size).box == pytest.approx(box)


@given(
    st.integers(5, 60), st.integers(5, 60), st.integers(3, 20), st.integers(0, 10), st.integers(0, 2**32 - 1)
)
def test_fractions_are_areas(height: int, width: int, size: int, margin: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.3
    frame = resize_crop_frame(height, width, size + margin, size)
    fraction = frame.crop_fraction(mask)
    top, left, bottom, right = frame.box
    # Independently: each original pixel's cut with the box, summed.
    rows = np.clip(np.minimum(np.arange(1, height + 1), bottom) - np.maximum(np.arange(height), top), 0, None)
    columns = np.clip(
        np.minimum(np.arange(1, width + 1), right) - np.maximum(np.arange(width), left), 0, None
    )
    area = (mask * rows[:, None] * columns[None, :]).sum()
    assert fraction.mean() * (bottom - top) * (right - left) == pytest.approx(area, rel=1e-4, abs=1e-4)
    assert fraction.dtype == np.float32
    assert fraction.min() >= 0
    assert fraction.max() <= 1


def test_a_whole_mask_is_whole_and_an_empty_one_empty() -> None:
    frame = resize_crop_frame(333, 500, 256, 224)
    assert np.allclose(frame.crop_fraction(np.ones((333, 500), dtype=bool)), 1)
    assert not frame.crop_fraction(np.zeros((333, 500), dtype=bool)).any()


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 5))
def test_a_mask_shrunk_by_a_whole_factor_is_the_mean_of_its_blocks(
    factor: int, rows: int, columns: int
) -> None:
    mask = np.random.default_rng(factor).random((rows * factor, columns * factor)) < 0.5
    frame = whole_frame(rows * factor, columns * factor, (rows, columns), "squash")
    blocks = mask.reshape(rows, factor, columns, factor).mean(axis=(1, 3))
    assert np.allclose(frame.crop_fraction(mask), blocks)


@given(st.integers(8, 120), st.integers(8, 120), st.integers(4, 40), st.integers(0, 20))
def test_labels_are_taken_at_pixel_centres(height: int, width: int, size: int, margin: int) -> None:
    labels = np.random.default_rng(0).integers(0, 60_000, (height, width)).astype(np.uint16)
    frame = resize_crop_frame(height, width, size + margin, size)
    taken = frame.crop_mask(labels)
    top, left, bottom, right = frame.box
    assert taken.dtype == np.uint16
    assert taken.shape == (size, size)
    for row, column in [(0, 0), (size // 2, size // 3), (size - 1, size - 1)]:
        y, x = top + (row + 0.5) * (bottom - top) / size, left + (column + 0.5) * (right - left) / size
        assert taken[row, column] == labels[int(y), int(x)]


def test_masks_agree_with_torchs_nearest_exact() -> None:
    mask = np.random.default_rng(1).random((97, 131)) < 0.5
    frame = whole_frame(97, 131, (40, 52), "squash")
    foreign = torch.nn.functional.interpolate(
        torch.from_numpy(mask)[None, None].float(), size=(40, 52), mode="nearest-exact"
    )
    assert np.array_equal(frame.crop_mask(mask), foreign[0, 0].numpy() > 0)


def test_a_mask_of_another_size_is_refused() -> None:
    frame = whole_frame(10, 20, (5, 5), "squash")
    for use in (frame.crop_mask, frame.crop_fraction):
        with pytest.raises(ValueError, match=r"\(20, 10\)"):
            use(np.zeros((20, 10), dtype=bool))


@given(st.integers(1, 500), st.integers(1, 500), st.integers(1, 64), st.integers(0, 32))
def test_the_overlay_is_a_part_of_the_picture(height: int, width: int, size: int, margin: int) -> None:
    frame = resize_crop_frame(height, width, size + margin, size)
    top, left, bottom, right = frame.overlay_box()
    assert 0 <= top < bottom <= height
    assert 0 <= left < right <= width
    assert np.abs(np.subtract((top, left, bottom, right), frame.box)).max() <= 1


@given(SIDES, SIDES, st.integers(8, 96), st.integers(0, 40))
def test_frames_survive_json(height: int, width: int, size: int, margin: int) -> None:
    frame = resize_crop_frame(height, width, size + margin, size)
    assert Frame.from_dict(json.loads(json.dumps(frame.to_dict()))) == frame


def test_less_than_a_pixel_becomes_the_pixel_that_holds_its_centre() -> None:
    frame = Frame((1, 3), (1, 1), (0.5, 1.5, 0.75, 1.75), "resize_crop")  # both columns would round to 2
    assert frame.overlay_box() == (0, 1, 1, 2)


def frames_of(height: int, width: int, size: int) -> list[Frame]:
    """One picture as all three modes see it."""
    return [
        resize_crop_frame(height, width, size + 4, size),
        whole_frame(height, width, (size, size), "squash"),
        whole_frame(height, width, (height, width), "native"),
    ]


@given(st.integers(8, 40), st.integers(8, 40), st.integers(4, 24), st.integers(0, 2**31))
def test_a_map_brought_into_a_frame_is_the_mean_over_each_pixels_footprint(
    height: int, width: int, size: int, seed: int
) -> None:
    crop, squash, native = frames_of(height, width, size)
    values = np.random.default_rng(seed).random((height, width)).astype(np.float32)
    for frame in (crop, squash):
        brought = native.bring(values, frame)
        # Independently: a fine grid of points, each with the value of the pixel that it lies in.
        top, left, bottom, right = frame.box
        fine = 40
        rows = np.clip(
            (top + (np.arange(size * fine) + 0.5) * (bottom - top) / (size * fine)), 0, height - 1e-6
        )
        columns = np.clip(
            (left + (np.arange(size * fine) + 0.5) * (right - left) / (size * fine)), 0, width - 1e-6
        )
        points = values[rows.astype(int)[:, None], columns.astype(int)[None, :]]
        expected = points.reshape(size, fine, size, fine).mean(axis=(1, 3))
        assert np.abs(brought - expected).max() < 3 / fine
        assert brought.dtype == np.float32


@given(st.integers(8, 60), st.integers(8, 60), st.integers(4, 24))
def test_constants_stay_and_the_same_frame_is_the_same_bytes(height: int, width: int, size: int) -> None:
    values = np.random.default_rng(0).random((size, size)).astype(np.float32)
    crop, squash, native = frames_of(height, width, size)
    assert squash.bring(values, squash).tobytes() == values.tobytes()
    assert crop.bring(values, crop).tobytes() == values.tobytes()
    for wide, narrow in ((squash, crop), (squash, native), (native, crop)):
        assert np.allclose(wide.bring(np.full(wide.size, 0.3, np.float32), narrow), 0.3, atol=1e-6)
    assert np.isclose(squash.bring(values, native).mean(), values.mean(), atol=1e-5)


def test_what_a_frame_does_not_see_is_not_made_up() -> None:
    crop, squash, _ = frames_of(40, 60, 16)
    values = np.zeros((16, 16), np.float32)
    with pytest.raises(ValueError, match=r"the squash frame .* does not lie within the resize_crop frame"):
        crop.bring(values, squash)
    other = whole_frame(41, 60, (16, 16), "squash")
    with pytest.raises(ValueError, match="60 x 41 does not lie within"):
        squash.bring(values, other)
    with pytest.raises(ValueError, match="shape"):
        squash.bring(np.zeros((3, 3), np.float32), crop)
    values[0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        squash.bring(values, crop)


def test_a_frame_says_what_it_is() -> None:
    assert str(resize_crop_frame(256, 300, 256, 224)) == (
        "the resize_crop frame of 224 x 224 pixels over rows 16 to 240, columns 38 to 262 of 300 x 256"
    )
