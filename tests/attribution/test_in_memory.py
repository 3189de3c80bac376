"""Networks that one has in memory: any module, any kind of image; equal to the library, left as they were, drawn."""

import dataclasses

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

import xai_assets
from tests.attribution.networks import resnet
from xai_assets import ablationcam, draw_overlay, gradcam, lime, save_overlay, scorecam
from xai_assets.attribution.errors import AttributionError
from xai_assets.vision.classifiers import UnknownClass
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

HOW = {"mode": "resize_crop", "resize": 64, "size": 48}
LARGE = {"mode": "resize_crop", "resize": 256, "size": 224}


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(1)
    return resnet().eval()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    coarse = np.random.default_rng(3).integers(0, 255, (6, 8, 3)).astype(np.uint8)
    return np.array(Image.fromarray(coarse).resize((160, 120)))


def test_grad_cam_of_a_network_in_memory_is_the_librarys() -> None:
    torch.manual_seed(0)
    resnet18 = torchvision.models.resnet18()
    resnet18.fc.weight.data *= (
        100  # the library adds 1e-7 to a map's maximum, which is small with fresh weights
    )
    image = np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    found = gradcam(resnet18, image, 5, preprocessing=LARGE)
    assert found.layer == "layer4"
    assert resnet18.training
    tensor = Preprocessing(PreprocessingSpec.model_validate(LARGE)).tensor(image)[None]
    with GradCAM(resnet18.eval(), [resnet18.layer4[-1]]) as cam:
        expected = cam(tensor, [ClassifierOutputTarget(5)])[0]
    assert np.abs(found.scaled() - expected).max() <= 1e-5


@pytest.mark.parametrize("method", [gradcam, ablationcam, scorecam])
def test_an_array_a_pil_image_a_file_and_a_tensor_give_one_map(method, network, image, tmp_path) -> None:
    Image.fromarray(image).save(tmp_path / "a.png")
    tensor = Preprocessing(PreprocessingSpec.model_validate(HOW)).tensor(image)
    found = method(network, image, 2, preprocessing=HOW)
    others = [
        method(network, Image.fromarray(image), 2, preprocessing=HOW),
        method(network, tmp_path / "a.png", 2, preprocessing=PreprocessingSpec.model_validate(HOW)),
        method(network, str(tmp_path / "a.png"), 2, preprocessing=HOW),
        method(network, tensor, 2),
        method(network, tensor[None], 2, layer="layer4"),
    ]
    assert found.values.shape == (48, 48)
    assert found.layer == "layer4"
    for other in others:
        np.testing.assert_array_equal(other.values, found.values)


def test_without_a_class_the_predicted_one_is_explained(network, image) -> None:
    tensor = Preprocessing(PreprocessingSpec.model_validate(HOW)).tensor(image)[None]
    best = int(network(tensor).argmax())
    names = [f"class {index}" for index in range(5)]
    found = gradcam(network, image, preprocessing=HOW, class_names=names)
    assert (found.target, found.target_name) == (best, f"class {best}")
    named = gradcam(network, image, "class 3", preprocessing=HOW, class_names=names)
    assert named.target == 3


def test_lime_of_a_network_in_training_mode_explains_it_in_evaluation_mode(image) -> None:
    torch.manual_seed(1)
    network = resnet()
    statistics = network.bn1.running_mean.clone()
    found = lime(network.train(), image, 1, preprocessing=HOW, num_samples=20)
    assert network.training
    assert torch.equal(network.bn1.running_mean, statistics)
    again = lime(network.eval(), image, 1, preprocessing=HOW, num_samples=20)
    np.testing.assert_array_equal(found.values, again.values)


def test_a_network_on_which_autograd_is_off_outside_is_explained(network, image) -> None:
    with torch.no_grad():
        found = gradcam(network, image, 1, preprocessing=HOW)
    assert found.usable


@pytest.mark.parametrize(
    ("image", "given", "said"),
    [
        (np.zeros((9, 9, 3), np.uint8), {}, "Give `preprocessing`, such as"),
        (np.zeros((9, 9, 3), np.float32), {"preprocessing": HOW}, "ndarray of float32"),
        (np.zeros((9, 9), np.uint8), {"preprocessing": HOW}, "shape \\(9, 9\\)"),
        (torch.zeros(2, 3, 9, 9), {}, "Give one normalised image"),
        (torch.zeros(3, 9, 9, dtype=torch.uint8), {}, "tensor of uint8"),
        (torch.zeros(3, 48, 48), {"preprocessing": HOW}, "normalised already"),
        (torch.zeros(3, 48, 48), {"class_names": ["a"]}, "1 for 5 outputs"),
        (4, {"preprocessing": HOW}, "is a int"),
    ],
)
def test_an_image_that_cannot_be_used_is_said(image, given, said, network) -> None:
    with pytest.raises(AttributionError, match=said):
        gradcam(network, image, 1, **given)


def test_what_is_no_classifier_is_said(image) -> None:
    with pytest.raises(AttributionError, match="neither a classifier nor"):
        gradcam("resnet18", image, 1)
    with pytest.raises(AttributionError, match="not scores"):
        gradcam(nn.Conv2d(3, 4, 3), image, 1, preprocessing=HOW)
    with pytest.raises(AttributionError, match="lime on a normalised tensor"):
        lime(resnet(), torch.zeros(3, 48, 48), 1)
    with pytest.raises(UnknownClass):
        gradcam(resnet(), image, 9, preprocessing=HOW)


def test_an_overlay_lies_where_the_model_saw_the_image(network, image, tmp_path) -> None:
    found = gradcam(network, image, 1, preprocessing=HOW)
    view = draw_overlay(found, image)
    assert view.shape == (48, 48, 3)
    assert view.dtype == np.uint8
    whole = draw_overlay(found, image, original=True)
    assert whole.shape == image.shape
    top, left, bottom, right = found.frame.overlay_box()
    assert found.frame.seen() == pytest.approx((bottom - top) * (right - left) / (120 * 160), abs=0.01)
    outside = whole[:, : left - 3]
    np.testing.assert_array_equal(outside[..., 0], outside[..., 2])  # grey
    shifted = dataclasses.replace(found, values=np.zeros_like(found.values))
    changed = (draw_overlay(shifted, image, original=True) != whole).any(axis=2)
    assert changed[top:bottom, left:right].any()
    assert not changed[:, :left].any()
    for name in ("a.png", "a.jpg"):
        saved = save_overlay(found, tmp_path / name, image, original=True)
        assert np.array(Image.open(saved)).shape == image.shape
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "a.png")), whole)
    tensor = Preprocessing(PreprocessingSpec.model_validate(HOW)).tensor(image)
    assert draw_overlay(gradcam(network, tensor, 1), tensor).shape == (48, 48, 3)


def test_an_overlay_of_another_image_or_file_is_refused(network, image, tmp_path) -> None:
    found = gradcam(network, image, 1, preprocessing=HOW)
    with pytest.raises(AttributionError, match="the map was made of one of 160 x 120"):
        draw_overlay(found, image[:50])
    with pytest.raises(AttributionError, match="suffix"):
        save_overlay(found, tmp_path / "a.tif", image)


def test_the_package_names_what_it_offers() -> None:
    assert xai_assets.gradcam is gradcam
    with pytest.raises(AttributeError, match="nothing"):
        xai_assets.nothing  # noqa: B018
