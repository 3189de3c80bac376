"""Our measures against torchmetrics and captum, and Grad-CAM against torchcam: other people's code, the same numbers."""

import numpy as np
import pytest
import torch
from captum.metrics import sensitivity_max
from torchcam.methods import GradCAM, LayerCAM
from torchmetrics.classification import BinaryAveragePrecision, BinaryF1Score, BinaryJaccardIndex
from torchmetrics.functional.regression import spearman_corrcoef

from tests.attribution.conftest import make_classifier
from tests.attribution.networks import resnet
from xai_assets.attribution.explain import explain
from xai_assets.evaluation.overlap import dice, iou
from xai_assets.evaluation.ranking import average_precision, rank_correlation
from xai_assets.evaluation.sensitivity import max_sensitivity, noisy_views

SEEDS = range(12)


def masks(seed):
    rng = np.random.default_rng(seed)
    return rng.random((20, 30)) < rng.uniform(0.05, 0.8), rng.random((20, 30)) < rng.uniform(0.05, 0.8)


def ranked(seed):
    """A map with ties in it, and a truth."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 1 + seed * 20, (20, 30)).astype(np.float32) / 10
    return values, rng.random((20, 30)) < 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_overlaps_are_torchmetrics(seed):
    a, b = masks(seed)
    first, second = torch.from_numpy(a).int().ravel(), torch.from_numpy(b).int().ravel()
    assert iou(a, b) == pytest.approx(float(BinaryJaccardIndex()(first, second)), abs=1e-6)
    assert dice(a, b) == pytest.approx(float(BinaryF1Score()(first, second)), abs=1e-6)


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if seed])
def test_rankings_are_torchmetrics(seed):
    values, truth = ranked(seed)
    # torchmetrics takes scores outside 0..1 for logits, whose sigmoid would tie what is not.
    scores = torch.from_numpy(values / (values.max() + 1)).ravel()
    theirs = BinaryAveragePrecision()(scores, torch.from_numpy(truth).int().ravel())
    assert average_precision(values, truth) == pytest.approx(float(theirs), abs=1e-5)
    other = ranked(seed + 100)[0]
    spearman = spearman_corrcoef(torch.from_numpy(values).ravel(), torch.from_numpy(other).ravel())
    assert rank_correlation(values, other) == pytest.approx(float(spearman), abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_max_sensitivity_is_captums(seed):
    view = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), np.uint8)
    filters = torch.from_numpy(np.random.default_rng(seed + 9).standard_normal((1, 3, 3, 3)))

    def maps(pictures):  # n 3 h w -> n 1 h w
        return torch.nn.functional.conv2d(pictures, filters, padding=1).abs()

    def as_tensor(pictures):
        return torch.from_numpy(np.stack(pictures)).double().permute(0, 3, 1, 2)

    def explained(picture):
        return maps(as_tensor([picture]))[0, 0].numpy()

    given = {"radius": 4, "samples": 7, "seed": seed}
    noisy = as_tensor(noisy_views(view, **given))
    # As a tuple: captum takes a bare tensor's rows for several explanations, and its norm comes out sqrt(7) too large.
    theirs = sensitivity_max(
        lambda inputs: (maps(inputs[0] if isinstance(inputs, tuple) else inputs),),
        as_tensor([view]),
        perturb_func=lambda *_: noisy,
        n_perturb_samples=len(noisy),
    )
    assert max_sensitivity(explained, view, explained(view), **given) == pytest.approx(
        float(theirs), rel=1e-6
    )


@pytest.mark.parametrize(("method", "theirs"), [("gradcam", GradCAM), ("layercam", LayerCAM)])
@pytest.mark.parametrize("layer", ["layer3", "layer4"])
def test_class_activation_maps_are_torchcams(method, theirs, layer):
    torch.manual_seed(0)
    classifier = make_classifier(resnet(), size=64)
    pixels = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    blank = 0
    for target in range(5):
        ours = np.maximum(
            explain(method, classifier, pixels, target, layer=layer).extras["low_resolution"], 0
        )
        tensor = classifier.preprocessing.tensor(pixels)[None].requires_grad_()
        with theirs(classifier.network, layer) as cam:
            (found,) = cam(target, classifier.network(tensor), normalized=False)
        reference = np.maximum(found[0].detach().numpy(), 0)
        blank += not reference.any()  # all of the evidence speaks against the class: in ours as well
        np.testing.assert_allclose(ours / (ours.max() or 1), reference / (reference.max() or 1), atol=1e-5)
    assert blank < 5
