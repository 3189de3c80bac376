"""Average drop and increase in confidence: the formulas, and grad-cam's."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pytorch_grad_cam.metrics.cam_mult_image import DropInConfidence, IncreaseInConfidence
from torch import nn

from xai_assets.evaluation.confidence import ROUNDING, average_drop, increase_in_confidence, seen_through
from xai_assets.evaluation.errors import EvaluationError


def test_they_are_grad_cams_but_for_the_papers_division():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3), nn.Softmax(1))
    generator = np.random.default_rng(0)
    for _ in range(8):
        image = generator.normal(size=(8, 8, 3)).astype(np.float32)
        values = generator.random((8, 8)).astype(np.float32)
        values = (values - values.min()) / (values.max() - values.min())
        batch = torch.from_numpy(image).permute(2, 0, 1)[None]
        targets = [lambda output: output[1]]
        their_drop = DropInConfidence()(batch, values[None], targets, network)[0]
        their_increase = IncreaseInConfidence()(batch, values[None], targets, network)[0]
        with torch.no_grad():
            full = network(batch)[0, 1].item()
            seen = torch.from_numpy(seen_through(image, values * 5 - 2)).permute(2, 0, 1)[None]
            score = network(seen)[0, 1].item()
        assert average_drop(full, score) * full == pytest.approx(their_drop, abs=1e-6)
        assert increase_in_confidence(full, score) == their_increase


@given(st.floats(1e-6, 1), st.floats(0, 1))
def test_drop_is_a_share_and_never_comes_with_an_increase(full, seen):
    drop = average_drop(full, seen)
    assert 0 <= drop <= 1
    assert (drop > 0) == (seen < full)
    assert not (drop and increase_in_confidence(full, seen))
    assert increase_in_confidence(full, seen) == (seen > full + ROUNDING)


def test_of_nothing_there_is_no_share():
    assert average_drop(0.0, 0.3) is None


def test_a_constant_map_hides_nothing_and_what_is_not_finite_is_refused():
    image = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    np.testing.assert_array_equal(seen_through(image, np.full((4, 5), 7.0)), image)
    with pytest.raises(EvaluationError, match="not finite"):
        seen_through(image, np.full((4, 5), np.nan))
    with pytest.raises(EvaluationError, match="shapes"):
        seen_through(image, np.ones((5, 4)))
