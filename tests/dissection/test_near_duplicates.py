"""Crops, bursts and copies of one photograph are found; distinct scenes and photographs are left apart."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from xai_assets.dissection.health import near_duplicates
from xai_assets.dissection.near_duplicates import local_features, near_groups, same_photograph
from xai_assets.dissection.probe import ArrayProbe
from xai_assets.world.description import describe
from xai_assets.world.render import render

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


@pytest.fixture(scope="module")
def photographs():
    return {name: getattr(data, name)() for name in PHOTOGRAPHS}


def copies(image):
    height, width = image.shape[:2]
    side = int(min(height, width) * 0.75)
    crop = image[height // 8 :, width // 6 :][:side, :side]
    turned = cv2.getRotationMatrix2D((width / 2, height / 2), 4, 1.03)
    packed = io.BytesIO()
    Image.fromarray(image).resize((width // 2, height // 2)).save(packed, "JPEG", quality=50)
    return {
        "crop": cv2.resize(crop, (160, 160), interpolation=cv2.INTER_AREA),
        "mirrored crop": np.ascontiguousarray(crop[:, ::-1]),
        "burst": cv2.warpAffine(image, turned, (width, height), borderMode=cv2.BORDER_REFLECT),
        "darker": (image * 0.7).astype(np.uint8),
        "JPEG": np.asarray(Image.open(packed)),
    }


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_copies_are_the_same_photograph(photographs, name):
    image = local_features(photographs[name])
    same = {
        how: same_photograph(image, local_features(one)) for how, one in copies(photographs[name]).items()
    }
    assert all(same.values()), same


def test_photographs_and_textures_differ(photographs):
    shown = [*photographs.values(), data.camera(), data.coins(), data.brick(), data.grass(), data.gravel()]
    features = [local_features(np.stack([one] * 3, -1) if one.ndim == 2 else one) for one in shown]
    assert not any(same_photograph(one, two) for at, one in enumerate(features) for two in features[:at])


def test_a_probe_of_crops_and_scenes_falls_into_its_photographs(photographs):
    scenes = [render(describe("probe", index)).image for index in range(30)]
    cats, cups = copies(photographs["chelsea"]), copies(photographs["coffee"])
    images = [*scenes[:10], *cats.values(), *scenes[10:], *cups.values(), scenes[0].copy()]
    groups = near_groups(ArrayProbe(images))
    assert (groups[10:15] == 10).all() and (groups[35:40] == 35).all() and groups[40] == 0
    others = np.r_[groups[:10], groups[15:35]]
    assert len(set(others)) == 30


def test_images_without_structure_are_apart():
    plain = [np.full((40, 60, 3), value, np.uint8) for value in (0, 128, 255)]
    assert near_groups(ArrayProbe(plain)).tolist() == [0, 1, 2]
    assert near_groups(ArrayProbe([plain[0], plain[0].copy()])).tolist() == [0, 0]


def test_in_a_large_probe_neighbours_alone_are_compared(photographs):
    one, other = photographs["chelsea"], photographs["coffee"]
    images = [
        one,
        copies(one)["crop"],
        *[other[at : at + 60, :60] for at in range(0, 320, 35)],
        copies(one)["burst"],
    ]
    assert near_groups(ArrayProbe(images), most=3)[[0, 1, -1]].tolist() == [0, 0, len(images) - 1]


def test_what_is_said_of_groups():
    assert near_duplicates(None) == near_duplicates(np.arange(5)) == ("near-duplicates", "0", "ok")
    _, said, level = near_duplicates(np.repeat(np.arange(20), 8))
    assert (
        level == "warn"
        and said.startswith("160 of 160 images are of 20 photographs")
        and "cannot" not in said
    )
    assert "cannot be told" in near_duplicates(np.repeat(np.arange(4), 8)).value
