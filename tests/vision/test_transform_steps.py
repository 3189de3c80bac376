"""Preprocessing in torchvision's steps: its own result to the bit, and each pixel where it lies in the image."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode

from xai_assets.errors import XaiError
from xai_assets.vision.geometry import Frame, whole_frame
from xai_assets.vision.images import load_images, read_folder
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NORMALIZE = {"Normalize": {"mean": list(MEAN), "std": list(STD)}}
PIPELINES = {
    "squash to a square, then crop": (
        [{"Resize": [256, 256]}, {"CenterCrop": 224}, "ToTensor", NORMALIZE],
        [T.Resize((256, 256)), T.CenterCrop(224), T.ToTensor(), T.Normalize(MEAN, STD)],
    ),
    "shorter side, then crop": (
        [{"Resize": {"size": 256, "interpolation": "bicubic"}}, {"CenterCrop": 224}, NORMALIZE][:2],
        [T.Resize(256, InterpolationMode.BICUBIC), T.CenterCrop(224), T.ToTensor()],
    ),
    "a rectangle": (
        [{"Resize": {"size": [160, 240], "interpolation": "InterpolationMode.LANCZOS"}}],
        [T.Resize((160, 240), InterpolationMode.LANCZOS), T.ToTensor()],
    ),
    "the longer side bounded, then padded and cropped": (
        [{"Resize": {"size": 200, "max_size": 260}}, {"Pad": {"padding": [8, 16, 0, 4], "fill": [9, 99, 199]}},
         {"CenterCrop": [224, 192]}],
        [T.Resize(200, max_size=260), T.Pad([8, 16, 0, 4], (9, 99, 199)), T.CenterCrop((224, 192)), T.ToTensor()],
    ),
    "a crop larger than the image": (
        [{"Resize": 100}, {"CenterCrop": 301}], [T.Resize(100), T.CenterCrop(301), T.ToTensor()],
    ),
    "mirrored borders": (
        [{"Resize": 128}, {"Pad": {"padding": [10, 30], "padding_mode": "reflect"}}],
        [T.Resize(128), T.Pad([10, 30], padding_mode="reflect"), T.ToTensor()],
    ),
    "a tensor before it is cropped": (
        ["ToTensor", {"CenterCrop": 200}, {"Pad": {"padding": 3, "fill": 0.5}}, NORMALIZE],
        [T.ToTensor(), T.CenterCrop(200), T.Pad(3, 0.5), T.Normalize(MEAN, STD)],
    ),
    "a tensor before it is resized": (
        ["ToTensor", {"Resize": {"size": 150, "interpolation": "bicubic"}}, {"CenterCrop": 128}, NORMALIZE],
        [T.ToTensor(), T.Resize(150, InterpolationMode.BICUBIC), T.CenterCrop(128), T.Normalize(MEAN, STD)],
    ),
    "normalised first": (
        ["ToTensor", NORMALIZE, {"Resize": {"size": 150, "antialias": False}}, {"Pad": 4}],
        [T.ToTensor(), T.Normalize(MEAN, STD), T.Resize(150, antialias=False), T.Pad(4)],
    ),
    "8 bits on a tensor": (
        ["PILToTensor", {"Resize": 130}, "ConvertImageDtype", NORMALIZE],
        [T.PILToTensor(), T.Resize(130), T.ConvertImageDtype(torch.float32), T.Normalize(MEAN, STD)],
    ),
}  # fmt: skip
ROUNDED = ("a tensor before it is resized", "normalised first", "a tensor before it is cropped")
"""Of these the view is the nearest 8 bits."""


def of(steps: list[object]) -> Preprocessing:
    return Preprocessing(PreprocessingSpec.model_validate({"steps": steps}))


@pytest.mark.parametrize("name", PIPELINES)
def test_photographs_become_what_torchvision_makes_of_them(name: str, reference_data: Path) -> None:
    steps, theirs = PIPELINES[name]
    preprocessing, compose = of(steps), T.Compose(theirs)
    images, _ = load_images(read_folder(reference_data / "images")[:4])
    for image in images:
        expected = compose(Image.fromarray(image.pixels))
        found = preprocessing.tensor(image.pixels)
        assert torch.equal(found, expected)
        view = preprocessing.view(image.pixels)
        assert view.shape[:2] == preprocessing.frame(*image.pixels.shape[:2]).size == found.shape[1:]
        back = preprocessing.from_view(view[None])[0]
        if name in ROUNDED:
            inside = (back - found).abs() * torch.tensor(preprocessing.spec.std).view(3, 1, 1)
            assert inside.median() <= 0.5 / 255 + 1e-6
        else:
            assert torch.allclose(back, found, atol=1e-6)


def test_the_short_modes_and_the_same_steps_are_one(noise: np.ndarray) -> None:
    for spec, steps in (
        ({"mode": "resize_crop", "resize": 64, "size": 50}, [{"Resize": 64}, {"CenterCrop": 50}, NORMALIZE]),
        ({"mode": "squash", "size": 40}, [{"Resize": [40, 40]}, "ToTensor", NORMALIZE]),
    ):
        short = Preprocessing(PreprocessingSpec.model_validate(spec))
        steps = [*(step for step in steps if step not in ("ToTensor", NORMALIZE)), "ToTensor", NORMALIZE]
        assert torch.equal(of(steps).tensor(noise), short.tensor(noise))
        found, wanted = of(steps).frame(90, 140), short.frame(90, 140)
        assert found.size == wanted.size and found.box == pytest.approx(wanted.box)


def test_pad_to_square_shows_the_whole_image_in_the_middle(noise: np.ndarray) -> None:
    padded = of([{"PadToSquare": {"fill": 7}}])
    view = padded.view(noise)  # 90 x 140
    assert view.shape == (140, 140, 3)
    assert np.array_equal(view[25:115], noise)
    assert (view[:25] == 7).all() and (view[115:] == 7).all()
    assert padded.frame(90, 140).box == (-25, 0, 115, 140)


_SIDES = st.integers(20, 90)
_STEPS = st.lists(
    st.one_of(
        st.builds(lambda side: {"Resize": side}, _SIDES),
        st.builds(lambda h, w: {"Resize": [h, w]}, _SIDES, _SIDES),
        st.builds(lambda h, w: {"CenterCrop": [h, w]}, _SIDES, _SIDES),
        st.builds(lambda *edges: {"Pad": list(edges)}, *[st.integers(0, 9)] * 4),
        st.just("PadToSquare"),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(_STEPS, st.integers(30, 99), st.integers(30, 99), st.floats(0, 1), st.floats(0, 1))
def test_a_marked_pixel_lies_where_the_frame_says_and_back(
    steps: list[object], height: int, width: int, down: float, across: float
) -> None:
    preprocessing = of(steps)
    frame = preprocessing.frame(height, width)
    top, left, bottom, right = frame.box
    first = np.zeros((height, width, 3), dtype=np.uint8)
    row, column = min(int(down * height), height - 6), min(int(across * width), width - 6)
    first[row : row + 6, column : column + 6] = 255
    seen = preprocessing.view(first)[..., 0].astype(np.float64)
    assert seen.shape == frame.size
    h, w = frame.size
    scale_down, scale_across = h / (bottom - top), w / (right - left)
    corners = np.array([row, column, row + 6, column + 6], dtype=float)
    at = (corners - [top, left, top, left]) * [scale_down, scale_across, scale_down, scale_across]
    margin = 2 + 2 * len(steps) * _coarsest(
        steps, height, width, frame
    )  # interpolation spreads it by a pixel or two
    whole = at[0] >= margin and at[1] >= margin and at[2] <= h - margin and at[3] <= w - margin
    lit = np.argwhere(seen > 0)
    if len(lit):  # nothing is lit far from where the frame puts the mark
        assert (lit.min(axis=0) >= at[:2] - margin).all() and (lit.max(axis=0) + 1 <= at[2:] + margin).all()
    mass = seen.sum()
    # A crop may cut the mark before a padding moves it inwards.
    uncut = mass > 0.9 * 255 * 36 * scale_down * scale_across
    if whole and uncut:
        centre = (
            np.array([(seen.sum(axis=1) @ (np.arange(h) + 0.5)), (seen.sum(axis=0) @ (np.arange(w) + 0.5))])
            / mass
        )
        middle = (at[:2] + at[2:]) / 2
        assert np.abs(centre - middle).max() <= 1.0
        back = centre / [scale_down, scale_across] + [top, left]
        assert np.abs(back - [row + 3, column + 3]).max() <= 1.0 / min(scale_down, scale_across)
    mask = first[..., 0] > 0
    share = frame.crop_fraction(mask)
    covered = share.sum() / (scale_down * scale_across)
    low, high = np.array(frame.shown)[[0, 1, 0, 1]], np.array(frame.shown)[[2, 3, 2, 3]]
    clipped = np.clip(corners, low, np.maximum(low, high))
    assert covered == pytest.approx((clipped[2] - clipped[0]) * (clipped[3] - clipped[1]), abs=1e-2)


def _coarsest(steps: list[object], height: int, width: int, frame: Frame) -> float:
    """The largest pixel of any size on the way, in pixels of the last."""
    sides = []
    for count in range(len(steps) + 1):
        on_the_way = (
            of(steps[:count]).frame(height, width)
            if count
            else whole_frame(height, width, (height, width), "native")
        )
        for axis in (0, 1):
            lengths = [one.box[axis + 2] - one.box[axis] for one in (on_the_way, frame)]
            sides.append(lengths[0] / on_the_way.size[axis] * frame.size[axis] / lengths[1])
    return max(sides)


@settings(max_examples=25, deadline=None)
@given(_STEPS, st.integers(30, 99), st.integers(30, 99))
def test_padding_is_outside_of_every_mask(steps: list[object], height: int, width: int) -> None:
    frame = of(steps).frame(height, width)
    whole = np.ones((height, width), dtype=bool)
    inside = of(steps).view(np.full((height, width, 3), 255, np.uint8))[..., 0] > 0
    cropped = frame.crop_mask(whole)
    # Interpolation spreads the edge by a pixel of each size on the way.
    assert (cropped != inside).mean() <= 0.35 and (cropped & inside).any()
    np.testing.assert_allclose(frame.crop_fraction(whole).mean(), cropped.mean(), atol=0.1)
    part = frame.within()
    assert min(part.box) >= -1e-9 and part.box[2] <= height + 1e-6 and part.box[3] <= width + 1e-6
    assert Frame.from_dict(json.loads(json.dumps(frame.to_dict()))) == frame


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        (["RandomHorizontalFlip"], "RandomHorizontalFlip is random"),
        ([{"RandomResizedCrop": 224}], "RandomResizedCrop is random"),
        ([{"ColorJitter": {"brightness": 0.1}}], "ColorJitter is random"),
        ([{"FiveCrop": 224}], "makes several images of one"),
        (["HorizontalFlip"], "moves pixels to where they are not"),
        ([{"Resise": 224}], "Resise is none of .* Did you mean 'Resize'"),
        ([{"Resize": 256, "CenterCrop": 224}], "one operation an entry"),
        (["ToTensor", "ToTensor"], "takes an image, and gets a tensor of floats"),
        ([NORMALIZE], "write ToTensor before it"),
        (["ToTensor", NORMALIZE, NORMALIZE], "there twice"),
        (["ToTensor", {"Resize": {"size": 9, "interpolation": "box"}}], "box is for images"),
        (["ToTensor", {"Pad": {"padding": 1, "fill": [1, 2, 3]}}], "a `fill` of three values is for images"),
        ([{"Pad": [1, 2, 3]}], "write one, two or four"),
        ([{"Resize": {"size": 64, "max_size": 64}}], "has to be above"),
        (["ConvertImageDtype"], "takes a tensor"),
        ([], "steps"),
    ],
)
def test_what_has_no_place_in_the_image_or_no_meaning_is_refused(steps: list[object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        PreprocessingSpec.model_validate({"steps": steps})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"mode": "squash", "size": 9, "steps": ["ToTensor"]}, "for the mode steps"),
        ({"mode": "steps"}, "which needs them"),
        ({"steps": ["ToTensor"], "size": 224}, "leave `size` and `resize` out"),
        ({"steps": [{"Resize": 9}], "interpolation": "bicubic"}, "leave `interpolation` and `antialias` out"),
        ({"steps": ["ToTensor", NORMALIZE], "mean": [0, 0, 0]}, "leave `mean` out"),
    ],
)
def test_steps_say_it_alone(given: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        PreprocessingSpec.model_validate(given)


def test_a_spec_survives_yaml_and_json() -> None:
    for steps, _ in PIPELINES.values():
        spec = PreprocessingSpec.model_validate({"steps": steps})
        again = PreprocessingSpec.model_validate(yaml.safe_load(yaml.safe_dump(spec.model_dump(mode="json"))))
        assert again == spec and Preprocessing(again).fingerprint() == Preprocessing(spec).fingerprint()


def test_a_picture_that_the_steps_cannot_take_says_why() -> None:
    with pytest.raises(XaiError, match="mirror more than there is"):
        of([{"Pad": {"padding": 30, "padding_mode": "reflect"}}]).frame(20, 90)
    with pytest.raises(XaiError, match="Resize would make"):
        of([{"Resize": 8000}]).frame(10, 100)
    with pytest.raises(XaiError, match="the model would see nothing of it"):
        of([{"Pad": [4000, 0, 0, 0]}, {"CenterCrop": 100}]).frame(50, 50)


def test_the_side_is_known_where_all_images_have_it() -> None:
    assert (
        PreprocessingSpec.model_validate({"steps": [{"Resize": 256}, {"CenterCrop": [200, 224]}]}).side == 224
    )
    assert PreprocessingSpec.model_validate({"steps": [{"Resize": [100, 80]}, "ToTensor"]}).side == 100
    assert PreprocessingSpec.model_validate({"steps": [{"Resize": 256}]}).side is None
    assert PreprocessingSpec(mode="squash", size=64).side == 64
