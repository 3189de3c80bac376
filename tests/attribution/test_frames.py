"""The three ways into a model's frame, end to end: what is found lies where it lies in the original picture."""

import numpy as np
import pytest
import torch
from torch import nn

from tests.attribution.conftest import make_classifier
from xai_assets.attribution.explain import explain
from xai_assets.attribution.parameters import Grid, LimeParameters
from xai_assets.evaluation.ranking import energy_in_mask, pointing_game
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec

SPECS = {
    "resize_crop": PreprocessingSpec(mode="resize_crop", resize=40, size=32),
    "squash": PreprocessingSpec(mode="squash", size=32),
    "native": PreprocessingSpec(mode="native"),
}


class Redness(nn.Module):
    """The logit of class 1 is how much red there is; `layer4` shows where."""

    def __init__(self) -> None:
        super().__init__()
        self.layer4 = nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.ReLU())
        with torch.no_grad():
            weight = torch.zeros(2, 3, 1, 1)
            weight[0, 0], weight[0, 1:] = 1.0, -0.5
            self.layer4[0].weight.copy_(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.layer4(x).mean(dim=(2, 3))[:, 0]  # n 3 h w -> n 2 h w -> n
        return torch.stack([found * 0, found * 60, *[found * 0] * 3], dim=1)


@pytest.fixture
def picture():
    """48 x 80, grey, with a red patch in what every mode sees, and where it is."""
    pixels = np.full((48, 80, 3), 60, dtype=np.uint8)
    truth = np.zeros((48, 80), dtype=bool)
    truth[12:24, 42:60] = True
    pixels[truth] = (230, 20, 20)
    return pixels, truth


@pytest.mark.parametrize("mode", SPECS)
@pytest.mark.parametrize("method", ["gradcam", "scorecam", "lime"])
def test_what_is_found_lies_where_it_is_in_the_original(mode, method, picture):
    pixels, truth = picture
    model = make_classifier(Redness())
    object.__setattr__(model, "preprocessing", Preprocessing(SPECS[mode]))
    given = LimeParameters(num_samples=800, segmentation=Grid(rows=8, columns=8), hide_color=(60, 60, 60))
    found = explain(
        method, model, pixels, 1, layer="layer4", parameters=given if method == "lime" else None, image_id="a"
    )
    assert found.frame.mode == mode
    assert found.frame.original == (48, 80)
    assert found.values.shape == found.frame.size == ((48, 80) if mode == "native" else (32, 32))
    assert model.preprocessing.view(pixels).shape[:2] == found.frame.size
    inside = found.frame.crop_mask(truth)
    # LIME's rectangles stick out of the patch; a wrong place would give the patch's share of the frame.
    assert pointing_game(found.values, inside) >= 0.5
    assert energy_in_mask(found.values, inside) > 2 * inside.mean()
    if mode == "squash":
        crop = Preprocessing(SPECS["resize_crop"]).frame(48, 80)
        brought = found.in_frame(crop)
        inside = crop.crop_mask(truth)
        assert energy_in_mask(brought.values, inside) > 2 * inside.mean()
