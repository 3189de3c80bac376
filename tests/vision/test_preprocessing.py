"""The model's input against torchvision's published transforms, to the last bit."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import functional as F

from xai_assets.errors import XaiError
from xai_assets.settings import Settings
from xai_assets.vision.images import load_images, read_folder
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec
from xai_assets.vision.zoo import resolve

PUBLISHED = [
    "resnet18",
    "resnet50:IMAGENET1K_V1",
    "resnet50:IMAGENET1K_V2",
    "efficientnet_b4",
    "vit_b_16",
    "inception_v3",
]


def published(name: str) -> torch.nn.Module:
    model, _, tag = name.partition(":")
    return torchvision.models.get_model_weights(model)[tag or "DEFAULT"].transforms()


@pytest.mark.parametrize("name", PUBLISHED)
def test_photographs_become_what_torchvision_makes_of_them(
    name: str, reference_data: Path, tmp_path: Path
) -> None:
    place = Settings.from_environment({"XAI_DATA": str(tmp_path)})
    preprocessing = Preprocessing(resolve(f"torchvision/{name}", place).preprocessing)
    transforms = published(name)
    images, _ = load_images(read_folder(reference_data / "images"))
    for image in images:
        expected = transforms(Image.open(image.path).convert("RGB"))
        assert torch.equal(preprocessing.tensor(image.pixels), expected)


@settings(max_examples=40, deadline=None)
@given(st.integers(5, 90), st.integers(5, 90), st.sampled_from(PUBLISHED[:1] + PUBLISHED[3:4]))
def test_pictures_of_any_size_become_what_torchvision_makes_of_them(
    height: int, width: int, name: str
) -> None:
    pixels = np.random.default_rng(height * 91 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    transforms = published(name)
    spec = PreprocessingSpec(
        mode="resize_crop", resize=48, size=40, interpolation=transforms.interpolation.value
    )
    transforms.resize_size, transforms.crop_size = [48], [40]
    assert torch.equal(Preprocessing(spec).tensor(pixels), transforms(Image.fromarray(pixels)))


def test_the_view_is_the_input_before_normalisation(noise: np.ndarray) -> None:
    spec = PreprocessingSpec(mode="resize_crop", resize=64, size=50)
    preprocessing = Preprocessing(spec)
    view = preprocessing.view(noise)
    back = preprocessing.tensor(noise) * torch.tensor(spec.std).view(3, 1, 1) + torch.tensor(spec.mean).view(
        3, 1, 1
    )
    assert view.dtype == np.uint8
    assert view.shape == (50, 50, 3)
    assert np.array_equal((back * 255).round().byte().permute(1, 2, 0).numpy(), view)
    assert preprocessing.frame(*noise.shape[:2]).size == (50, 50)


def test_squash_takes_the_whole_picture(noise: np.ndarray) -> None:
    preprocessing = Preprocessing(PreprocessingSpec(mode="squash", size=32))
    assert np.array_equal(preprocessing.view(noise), np.array(F.resize(Image.fromarray(noise), [32, 32])))
    assert preprocessing.frame(90, 140).box == (0, 0, 90, 140)


def test_squash_leaves_a_picture_of_its_own_size_alone() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    assert np.array_equal(Preprocessing(PreprocessingSpec(mode="squash", size=128)).view(pixels), pixels)


def test_native_leaves_pixels_alone_and_can_insist_on_a_size(noise: np.ndarray) -> None:
    free = Preprocessing(PreprocessingSpec(mode="native"))
    assert np.array_equal(free.view(noise), noise)
    assert free.frame(90, 140).size == (90, 140)
    with pytest.raises(XaiError, match="128 x 128"):
        Preprocessing(PreprocessingSpec(mode="native", size=128)).tensor(noise)


def test_without_antialias_it_is_torchs_interpolation(noise: np.ndarray) -> None:
    spec = PreprocessingSpec(mode="squash", size=30, antialias=False)
    planes = torch.from_numpy(noise).permute(2, 0, 1)
    expected = F.resize(planes, [30, 30], antialias=False).permute(1, 2, 0).numpy()
    view = Preprocessing(spec).view(noise)
    assert np.array_equal(view, expected)
    assert not np.array_equal(view, Preprocessing(PreprocessingSpec(mode="squash", size=30)).view(noise))


def test_minus_one_to_one_is_a_matter_of_mean_and_deviation() -> None:
    spec = PreprocessingSpec(mode="native", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
    ends = np.array([[[0, 0, 0], [255, 255, 255]]], dtype=np.uint8)
    assert Preprocessing(spec).tensor(ends).flatten(1).tolist() == [[-1, 1]] * 3


def test_a_batch_of_views_is_each_view_alone(noise: np.ndarray) -> None:
    preprocessing = Preprocessing(PreprocessingSpec(mode="squash", size=16))
    views = np.stack([preprocessing.view(noise), preprocessing.view(noise[::-1].copy())])
    batch = preprocessing.from_view(views)
    assert torch.equal(batch[0], preprocessing.tensor(noise))
    assert torch.equal(batch[1], preprocessing.from_view(views[1:])[0])


def test_pictures_that_may_not_be_written_are_left_alone() -> None:
    pixels = np.full((1, 1, 3), 7, dtype=np.uint8)
    pixels.flags.writeable = False
    Preprocessing(PreprocessingSpec(mode="native")).tensor(pixels)
    assert pixels.tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((3, 4, 4), np.uint8), torch.zeros(4, 4, 3)],
)
def test_what_is_no_picture_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="uint8"):
        Preprocessing(PreprocessingSpec(mode="squash", size=8)).view(wrong)  # type: ignore[arg-type]


def test_a_thread_of_pixels_does_not_fill_the_memory() -> None:
    with pytest.raises(XaiError, match="too long and thin"):
        Preprocessing(PreprocessingSpec(mode="resize_crop", resize=256, size=224)).view(
            np.zeros((1, 60_000, 3), dtype=np.uint8)
        )


def test_the_fingerprint_tells_settings_apart() -> None:
    specs = [
        PreprocessingSpec(mode="squash", size=8),
        PreprocessingSpec(mode="squash", size=9),
        PreprocessingSpec(mode="squash", size=8, antialias=False),
        PreprocessingSpec(mode="squash", size=8, mean=(0, 0, 0)),
    ]
    assert len({Preprocessing(spec).fingerprint() for spec in specs}) == len(specs)
    assert (
        Preprocessing(specs[0]).fingerprint()
        == Preprocessing(PreprocessingSpec(mode="squash", size=8)).fingerprint()
    )
