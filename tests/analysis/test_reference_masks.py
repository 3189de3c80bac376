"""Reference masks: white is inside, in the frame that was said, and what is wrong is named."""

import numpy as np
import pytest
from PIL import Image

from xai_assets.analysis.mask_reading import doubt
from xai_assets.analysis.reference_masks import Case, MaskError, find_masks, place, read_mask
from xai_assets.vision.geometry import resize_crop_frame, whole_frame

MASK = np.zeros((40, 60), dtype=bool)
MASK[10:20, 25:40] = True
FRAME = resize_crop_frame(40, 60, 40, 32)


def save(path, array, mode=None):
    Image.fromarray(array, mode).save(path)
    return path


@pytest.mark.parametrize("as_saved", ["grey", "rgb", "one bit", "sixteen"])
def test_white_is_inside_however_it_was_saved(tmp_path, as_saved):
    grey = MASK.astype(np.uint8) * 255
    image = {
        "grey": Image.fromarray(grey),
        "rgb": Image.fromarray(np.stack([grey] * 3, axis=2)),
        "one bit": Image.fromarray(grey).convert("1"),
        "sixteen": Image.fromarray(MASK.astype(np.uint16) * 65535),
    }[as_saved]
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_mask(tmp_path / "a.png"), MASK)


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((4, 4), np.uint8), "no white: its brightest value is 0"),
        (np.eye(4, dtype=np.uint8), "its values are 0 and 1"),
        (np.full((4, 4, 3), (255, 0, 0), np.uint8), "colours"),
        (np.full((4, 4, 4), 255, np.uint8), "mode RGBA"),
        (np.full((4, 4), 255, np.uint8), "white throughout"),
        (np.array([[0, 255]], np.uint16), "at most 255 of 65,535"),
        (np.array([[0, 4095]], np.uint16), "at most 4,095 of 65,535"),
        (np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8), "neither black nor white"),
        (np.linspace(0, 255, 2400).reshape(40, 60).astype(np.uint8), "neither black nor white"),
        (np.where(MASK, 255, 128).astype(np.uint8), "neither black nor white"),
        (np.pad(MASK, 6, constant_values=True).astype(np.uint8) * 255, "screenshot with margins"),
    ],
)
def test_what_is_no_mask_is_named(tmp_path, array, why):
    with pytest.raises(MaskError, match=why):
        read_mask(save(tmp_path / "a.png", array))


@pytest.mark.parametrize("how", ["jpeg", "smoothed", "palette"])
def test_a_mask_with_soft_edges_is_read(tmp_path, how):
    disc = np.hypot(*np.mgrid[-60:60, -60:60]) < 30
    image = Image.fromarray(disc.astype(np.uint8) * 255)
    if how == "jpeg":
        image.convert("RGB").save(tmp_path / "a.jpg", quality=40)
        image = Image.open(tmp_path / "a.jpg")
    elif how == "smoothed":
        image = image.resize((240, 240), Image.Resampling.BICUBIC).resize(
            (120, 120), Image.Resampling.BILINEAR
        )
    else:
        image = image.convert("P")
    image.save(tmp_path / "a.png")
    assert (read_mask(tmp_path / "a.png") != disc).mean() < 0.01


def test_a_palette_with_a_transparent_colour_is_no_mask(tmp_path):
    image = Image.fromarray(MASK.astype(np.uint8) * 255).convert("P")
    image.save(tmp_path / "a.png", transparency=0)
    with pytest.raises(MaskError, match="P with transparency"):
        read_mask(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("mask", "odd"), [(MASK, False), (~MASK, False), (np.hypot(*np.mgrid[-20:20, -30:30]) > 9, True)]
)
def test_an_inverted_mask_is_doubted(mask, odd):
    mask = mask.copy()
    if not odd:
        mask[0] = False  # an object may fill almost all, but not all of the border
    assert (doubt(mask) is not None) == odd


def test_a_file_that_is_near_is_named(tmp_path):
    frame = whole_frame(8, 8, (8, 8), "native")
    array = np.eye(8, dtype=np.uint8) * 255
    for name in ("a.jpg", "b.cat.png"):
        save(tmp_path / name, array)
    _, absent = find_masks(tmp_path, [Case(f"{n}.bmp", "dog", True, frame) for n in "ab"], lies="original")
    assert "a.jpg is no PNG" in absent["a.bmp", "dog"] and "but b.cat.png" in absent["b.bmp", "dog"]


def test_a_mask_is_placed_as_the_model_sees_it_or_refused():
    np.testing.assert_array_equal(place(MASK, FRAME, lies="original"), FRAME.crop_mask(MASK))
    seen = FRAME.crop_mask(MASK)
    assert place(seen, FRAME, lies="model") is seen
    with pytest.raises(MaskError, match="60 x 40 pixels: does not lie on the model frame of 32 x 32"):
        place(MASK, FRAME, lies="model")
    with pytest.raises(MaskError, match="fits the model frame"):
        place(seen, FRAME, lies="original")
    with pytest.raises(MaskError) as caught:
        place(np.ones((5, 5), bool), FRAME, lies="original")
    assert "fits" not in caught.value.remedy


def test_a_mask_outside_the_crop_is_no_zero():
    outside = np.zeros((40, 60), dtype=bool)
    outside[:, :4] = True
    with pytest.raises(MaskError, match="outside what the model sees"):
        place(outside, FRAME, lies="original")


def test_files_by_name_stem_and_class(tmp_path):
    frame = whole_frame(8, 8, (8, 8), "native")
    for number, name in enumerate(["a.jpg.png", "b.png", "c.dog.png", "c.png", "d.png", "e.sea_lion.png"]):
        array = np.zeros((8, 8), np.uint8)
        array.ravel()[: number + 1] = 255
        save(tmp_path / name, array)
    cases = [
        Case("a.jpg", "dog", True, frame),
        Case("b.jpg", "dog", True, frame),
        Case("c.jpg", "dog", False, frame),
        Case("c.jpg", "cat", False, frame),
        Case("d.jpg", "x", True, frame),
        Case("e.jpg", "sea/lion", False, frame),
        Case("f.jpg", "x", True, frame),
    ]
    found, absent = find_masks(tmp_path, cases, lies="original")
    assert {key: int(mask.sum()) for key, mask in found.items()} == {
        ("a.jpg", "dog"): 1, ("b.jpg", "dog"): 2, ("c.jpg", "dog"): 3, ("d.jpg", "x"): 5, ("e.jpg", "sea/lion"): 6,
    }  # fmt: skip
    assert "does not say which" in absent["c.jpg", "cat"]
    assert "Put it there as c.cat.png" in absent["c.jpg", "cat"]
    assert "there is none in" in absent["f.jpg", "x"]


def test_an_absent_folder_is_named(tmp_path):
    with pytest.raises(MaskError, match="no such folder"):
        find_masks(tmp_path / "absent", [], lies="model")
