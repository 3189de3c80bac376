import cv2
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from xai_assets.world.camera import _blur
from xai_assets.world.streams import Stream
from xai_assets.world.surfaces import Finish, Surface
from xai_assets.world.tiles import TILE, fine_tile, tile
from xai_assets.world.vocabulary import LABEL, MATERIALS, RGB, TEXTURES


@pytest.mark.parametrize("name", [*TEXTURES, *MATERIALS])
def test_every_tile_is_a_periodic_picture(name):
    values = tile(name)
    assert values.shape == (TILE, TILE)
    assert values.dtype == np.uint8
    if name != "plastic":
        assert np.ptp(values) > 40
    steps = np.abs(np.diff(values.astype(int), axis=1)).mean(0).max()
    seam = np.abs(values[:, 0].astype(int) - values[:, -1]).mean()
    assert seam <= 1.3 * steps + 2  # the right edge goes on at the left one


def test_sampling_agrees_with_scipys_bilinear_interpolation():
    surface = Surface(Stream(4), "swirly", "red", "white", scale=1.3, angle=0.7)
    a, b, tx, c, d, ty = (v / 65536 for v in surface._matrix)
    y, x = np.mgrid[10:50, 20:90]
    # Places are rounded down to quarter pixels, as the fine tile has them; the rest is bilinear.
    v, u = (np.floor(place * 4) / 4 for place in (c * x + d * y + ty, a * x + b * y + tx))
    reference = map_coordinates(tile("swirly").astype(float), [v, u], order=1, mode="grid-wrap")
    assert np.abs(surface.sample(20, 10, 70, 40) - reference).max() <= 0.51


def test_the_fine_tile_holds_the_coarse_one_and_its_midpoints():
    coarse, fine = tile("dotted").astype(int), fine_tile("dotted").reshape(4 * TILE, 4 * TILE).astype(int)
    assert (fine[::4, ::4] == coarse).all()
    assert (np.abs(fine[::4, 2::4] - (coarse + np.roll(coarse, -1, 1)) / 2) <= 0.5).all()


def test_a_change_of_finish_moves_neither_place_nor_colours():
    surfaces = [Surface.of(Finish(name, "blue", "white", 0.4, 99)) for name in ("striped", "dotted", "scaly")]
    assert len({surface._matrix for surface in surfaces}) == 1
    assert len({surface._rgb for surface in surfaces}) == 1


def test_colour_labels_name_the_nearer_colour():
    surface = Surface(Stream(1), "chequered", "black", "yellow", jitter=0)
    named = {LABEL["color"][name]: np.array(RGB[name]) for name in ("black", "yellow")}
    for value in (0, 60, 110, 145, 200, 255):
        distance = {n: np.abs(surface.table[value].astype(int) - rgb).sum() for n, rgb in named.items()}
        assert surface.colour_labels[value] == min(distance, key=distance.get)


@pytest.mark.parametrize("sigma", [0.5, 0.7, 0.9])
def test_the_blur_is_opencvs_within_rounding(sigma):
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    reference = cv2.GaussianBlur(image, (5, 5), sigma)
    assert np.abs(_blur(image, sigma).astype(int) - reference).max() <= 3
    flat = np.full((9, 9, 3), 255, np.uint8)
    assert (_blur(flat, sigma) == 255).all()
