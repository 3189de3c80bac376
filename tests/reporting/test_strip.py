"""Pictures in rows, each in its cell."""

import io

import numpy as np
import pytest
from PIL import Image

from xai_assets.reporting.strip import GAP, strip


def decoded(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_pictures_stand_in_rows_amid_their_cells():
    pictures = [np.full((20, 20, 3), value, np.uint8) for value in (10, 20)]
    pictures.append(np.full((10, 20, 3), 30, np.uint8))  # a wide one
    found = decoded(strip(pictures, side=20, per_row=2))
    assert found.shape == (40 + GAP, 40 + GAP, 3)
    assert (found[:20, :20] == 10).all() and (found[:20, 20 + GAP :] == 20).all()
    second = found[20 + GAP :]
    assert (second[5:15, :20] == 30).all() and (second[:5, :20] == 255).all() and (second[15:] == 255).all()
    assert (found[20 : 20 + GAP] == 255).all()


def test_the_same_pictures_give_the_same_bytes():
    picture = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    assert strip([picture]) == strip([picture])


@pytest.mark.parametrize("pictures", [[], [np.zeros((30, 10, 3), np.uint8)]])
def test_what_has_no_place_is_refused(pictures):
    with pytest.raises(ValueError, match=r"no pictures|in a cell"):
        strip(pictures, side=20)
