"""Label maps and normalised tensors are told from pictures, and pictures from them."""

import numpy as np
import pytest
from PIL import Image

from xai_assets.dissection.health import probe_health
from xai_assets.dissection.probe import FolderProbe
from xai_assets.dissection.suspicion import looks_like_label_map, looks_normalised, stem
from xai_assets.world.broden import write_probe

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """The folder of a probe set's pictures, with all their label maps among them."""
    folder = tmp_path_factory.mktemp("probe") / "probe"
    write_probe(folder, count=24)
    return folder / "images" / "diorama"


def pixels_of(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_every_label_map_is_found_and_no_picture(scenes):
    paths = sorted(scenes.glob("*.png"))
    names = {stem(path.name) for path in paths}
    is_map = {path.name: "_" in path.stem for path in paths}
    assert sum(is_map.values()) >= 4 * 24 and len(paths) - sum(is_map.values()) == 24
    found = {path.name: looks_like_label_map(pixels_of(path), path.name, names) for path in paths}
    assert found == is_map
    # its coding alone gives a map of several labels away, whatever it is called
    several = [p for p in paths if is_map[p.name] and len(np.unique(pixels_of(p).reshape(-1, 3), axis=0)) > 1]
    assert len(several) > 24 and all(
        looks_like_label_map(pixels_of(p), "1234.png", {"1234"}) for p in several
    )


def grey_map():
    values = np.zeros((40, 60), np.uint8)
    values[5:20, 10:40], values[25:, 30:] = 17, 143
    return np.repeat(values[..., None], 3, axis=2)


def drawing():
    picture = np.full((40, 60, 3), 250, np.uint8)
    picture[10:30, 10:50] = (220, 40, 30)
    return picture


def dim_photograph():
    """All red and dark, as under a safelight: no blue, hardly any green, but not flat."""
    noise = np.random.default_rng(0).integers(0, 120, (40, 60, 1), np.uint8)
    return noise * np.array([1, 0, 0], np.uint8) + np.array([0, 3, 0], np.uint8)


@pytest.mark.parametrize(
    ("pixels", "name", "others", "expected"),
    [
        (grey_map(), "a_seg.png", {"a"}, True),
        (grey_map(), "city/a-labelIds.png", {"city/a"}, True),
        (grey_map(), "a_parts_1.png", {"a"}, True),
        (grey_map(), "a_seg.png", {"b"}, False),
        (grey_map(), "a.png", {"a"}, False),
        (drawing(), "a.png", {"a"}, False),
        (drawing(), "logo_object.png", {"b"}, False),
        (dim_photograph(), "a.png", {"a"}, False),
        (dim_photograph(), "a_object.png", {"a"}, False),
        (np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8), "vase_object.png", {"vase"}, False),
        (np.zeros((40, 60, 3), np.uint8), "black.png", {"black"}, False),
        (np.zeros((40, 1, 3), np.uint8), "a_seg.png", {"a"}, False),
    ],
)  # fmt: skip
def test_a_map_is_flat_and_coded_or_named_so(pixels, name, others, expected):
    assert looks_like_label_map(pixels, name, others) is expected


def normalised(pixels):
    return (pixels / 255 - MEAN) / STD


SAVED = {
    "cast": lambda z: z.astype(np.int64).astype(np.uint8),
    "cut off": lambda z: np.clip(z, 0, 255).astype(np.uint8),
    "times 255, cut off": lambda z: np.clip(z * 255, 0, 255).astype(np.uint8),
}


@pytest.mark.parametrize("saved", SAVED)
def test_normalised_tensors_are_told_from_their_pictures(scenes, saved):
    pictures = [pixels_of(path) for path in sorted(scenes.glob("probe-?????.png"))]
    assert len(pictures) == 24
    assert not any(map(looks_normalised, pictures))
    found = sum(looks_normalised(SAVED[saved](normalised(picture))) for picture in pictures)
    assert found >= 18 if saved == "times 255, cut off" else found == 24


@pytest.mark.parametrize("value", [0, 2, 255])
def test_one_colour_and_white_backgrounds_are_not_normalised(value):
    assert not looks_normalised(np.full((8, 8, 3), value, np.uint8))
    product = np.full((20, 20, 3), 255, np.uint8)
    product[5:15, 5:15] = np.random.default_rng(0).integers(1, 250, (10, 10, 3))
    assert not looks_normalised(product)


def test_a_folder_of_pictures_and_their_maps_warns(scenes):
    probe = FolderProbe(scenes)
    findings = probe_health(probe, None, [("a", "")] * 10, np.eye(len(probe), 4))
    found = {key: (value, level) for key, value, level in findings}
    value, level = found["label maps among the images"]
    assert level == "warn" and value.startswith(f"{len(probe) - 24}: probe-00000_color.png")
    assert found["images that look normalised"] == ("0", "ok")
