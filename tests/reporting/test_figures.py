import cv2
import numpy as np
import pytest

from xai_assets.reporting import figures


def decoded(jpeg: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


GREY = np.full((32, 64, 3), 128, np.uint8)


def test_pictures_keep_their_shape_and_are_enlarged_to_the_longer_side() -> None:
    assert decoded(figures.picture(GREY)).shape == (192, 384, 3)
    assert decoded(figures.picture(GREY, side=40)).shape == (20, 40, 3)


def test_no_attribution_leaves_the_grey_picture_and_much_makes_it_bright_yellow() -> None:
    scaled = np.zeros((32, 64), np.float32)
    scaled[:, 40:] = 1
    shown = decoded(figures.overlay(GREY, scaled)).astype(int)
    assert np.abs(shown[:, :180] - 128).max() <= 6
    red, _, blue = shown[:, 300:].reshape(-1, 3).mean(axis=0)
    assert red > 200
    assert red - blue > 50


def test_the_mask_is_a_white_line_on_its_border_and_nowhere_else() -> None:
    mask = np.zeros((32, 64), bool)
    mask[8:24, 16:48] = True
    shown = decoded(figures.overlay(GREY, np.zeros((32, 64), np.float32), mask=mask)).astype(int)
    white = (shown > 225).all(axis=2)
    rows, columns = np.nonzero(white)
    assert abs(rows.min() - 48) < 8
    assert abs(rows.max() - 144) < 8
    assert abs(columns.min() - 96) < 8
    assert not white[70:120, 120:260].any()


def test_a_map_of_another_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="not one frame"):
        figures.overlay(GREY, np.zeros((16, 16), np.float32))
    with pytest.raises(ValueError, match="not one frame"):
        figures.overlay(GREY, np.zeros((32, 64), np.float32), truth=np.zeros((8, 8), bool))


@pytest.mark.parametrize("mask", [np.zeros((32, 64), bool), np.ones((32, 64), bool)])
def test_empty_and_full_masks_can_be_drawn(mask: np.ndarray) -> None:
    assert (
        figures.overlay(GREY, np.full((32, 64), np.nan, np.float32), mask=mask, truth=mask)[:2] == b"\xff\xd8"
    )


def test_superpixels_for_the_class_are_purple_and_against_it_orange() -> None:
    labels = np.zeros((32, 64), np.int32)
    labels[:, 32:] = 1
    shown = decoded(figures.segments(GREY, labels, np.array([1.0, -1.0]))).astype(int)
    purple, orange = shown[60:130, 40:150].mean(axis=(0, 1)), shown[60:130, 240:340].mean(axis=(0, 1))
    assert purple[2] > purple[0]
    assert orange[0] > orange[2]
    assert figures.segments(GREY, labels, np.zeros(2))
    assert figures.segments(GREY, labels, np.zeros(0))


def test_the_region_stays_bright_and_the_rest_is_dimmed() -> None:
    inside = np.zeros((8, 16), bool)
    inside[:, 8:] = True
    shown = decoded(figures.region(GREY, inside)).astype(int)
    assert abs(shown[40:70, 150:200].mean() - 128) < 6
    assert 100 < shown[40:70, 20:80].mean() < 115  # seen, and told from the region
    assert abs(decoded(figures.region(GREY, None)).astype(int).mean() - 128) < 2


def test_the_same_picture_gives_the_same_bytes() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (32, 64, 3)).astype(np.uint8)
    assert figures.picture(noise) == figures.picture(noise.copy())


def test_two_masks_over_one_another_have_a_colour_each_and_one_for_both():
    pixels = np.full((60, 90, 3), 128, np.uint8)
    first, second = np.zeros((2, 60, 90), bool)
    first[:, :60], second[:, 30:] = True, True
    drawn = decoded(figures.overlap(pixels, first, second, side=90))
    alone, both, other = (drawn[30, x].astype(int) for x in (15, 45, 75))
    assert alone[2] > alone[0] + 60 and other[0] > other[2] + 60  # blue, vermilion
    assert min(both[:2]) > both[2] + 60 and both.sum() > max(
        alone.sum(), other.sum()
    )  # yellow, and the brightest


def test_what_a_mask_keeps_has_its_colours_and_the_rest_has_none():
    pixels = np.full((60, 90, 3), (200, 40, 40), np.uint8)
    mask = np.zeros((60, 90), bool)
    mask[:, :45] = True
    drawn = decoded(figures.kept(pixels, mask, side=90)).astype(int)
    assert np.abs(drawn[30, 15] - [200, 40, 40]).max() < 12
    assert np.ptp(drawn[30, 75]) < 12 and drawn[30, 75].min() > 150
