"""Reference masks: white is inside, in the frame that was said, and what is wrong is named."""

import numpy as np
import pytest
from PIL import Image

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
    ],
)
def test_what_is_no_mask_is_named(tmp_path, array, why):
    with pytest.raises(MaskError, match=why):
        read_mask(save(tmp_path / "a.png", array))


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
