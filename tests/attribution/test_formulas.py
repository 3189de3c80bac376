"""The rarer class activation maps: the library's numbers, and their formulas."""

import numpy as np
import pytest
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from xai_assets.attribution import cams
from xai_assets.attribution.capture import gradients
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.explain import explain
from xai_assets.attribution.formulas import FORMULAS, WITHOUT_GRADIENT, weighted_sum
from xai_assets.attribution.guard import untouched
from xai_assets.attribution.library_cams import LIBRARY
from xai_assets.attribution.scaling import scale


@pytest.mark.parametrize("layer", ["layer4", "conv1"])
@pytest.mark.parametrize("method", FORMULAS)
def test_the_scaled_map_is_the_librarys(method, layer, classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    ours = explain(method, classifier, pixels, 3, layer=layer).scaled()
    network = classifier.network.requires_grad_(True)
    with LIBRARY[method](network, [network.get_submodule(layer)]) as cam:
        theirs = cam(tensor, [ClassifierOutputTarget(3)])[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("method", FORMULAS)
def test_the_formula_is_the_librarys_to_the_bit(method):
    generator = torch.Generator().manual_seed(3)
    maps, slopes = (torch.randn(3, 20, 7, 5, generator=generator) for _ in range(2))
    slopes[0, :4] = 0
    if method == "eigencam":
        maps[1, 2, 3, 4] = torch.nan
    ours = weighted_sum(method, maps, None if method in WITHOUT_GRADIENT else slopes)
    cam = LIBRARY[method](torch.nn.Linear(1, 1), [])
    theirs = cam.get_cam_image(None, None, None, maps.numpy(), slopes.numpy(), False)
    assert ours.low.tobytes() == theirs.astype(np.float32).tobytes() and np.isfinite(ours.low).all()
    if ours.weights is not None:
        weights = cam.get_cam_weights(None, None, None, maps.numpy(), slopes.numpy())
        assert ours.weights.tobytes() == weights.tobytes()


@pytest.fixture
def seen(classifier, pixels):
    """Activations and gradients of class 3 at conv1, float64."""
    tensor = classifier.preprocessing.tensor(pixels)[None]
    with untouched(classifier.network) as network:
        found = gradients(network, network.conv1, tensor, [3])
    return [value[0].double().numpy() for value in found]


def low(method, classifier, pixels):
    return explain(method, classifier, pixels, 3, layer="conv1").extras["low_resolution"]


def test_hirescam_is_gradient_times_activation(seen, classifier, pixels):
    activations, gradient = seen
    np.testing.assert_allclose(
        low("hirescam", classifier, pixels), (gradient * activations).sum(0), rtol=1e-3, atol=1e-7
    )


def test_layercam_is_that_of_positive_gradients(seen, classifier, pixels):
    activations, gradient = seen
    expected = (np.maximum(gradient, 0) * activations).sum(0)
    np.testing.assert_allclose(low("layercam", classifier, pixels), expected, rtol=1e-3, atol=1e-7)


def test_xgradcam_averages_the_gradient_by_activation(seen, classifier, pixels):
    activations, gradient = seen
    weights = (gradient * activations).sum((1, 2)) / activations.sum((1, 2))
    found = explain("xgradcam", classifier, pixels, 3, layer="conv1").extras["channel_weights"]
    np.testing.assert_allclose(found, weights, rtol=1e-2, atol=1e-7)


def test_eigencam_is_the_first_principal_component_and_knows_no_class(seen, classifier, pixels):
    activations = seen[0].reshape(6, -1).T
    centred = activations - activations.mean(0)
    component = np.linalg.eigh(centred.T @ centred)[1][:, -1]
    found = low("eigencam", classifier, pixels).ravel()
    expected = centred @ component
    np.testing.assert_allclose(found * np.sign(found @ expected), expected, atol=1e-4)
    other = explain("eigencam", classifier, pixels, 0, layer="conv1")
    assert (
        other.values.tobytes() == explain("eigencam", classifier, pixels, 3, layer="conv1").values.tobytes()
    )


def test_a_method_that_is_no_formula_is_named(classifier):
    with pytest.raises(AttributionError, match="Use one of gradcam, hirescam"):
        cams.gradcam(classifier, torch.zeros(1, 3, 8, 8), [0], "layer4", method="scorecam")


def test_scaling_is_the_only_difference(classifier, pixels):
    found = explain("layercam", classifier, pixels, 3, layer="layer4")
    np.testing.assert_array_equal(found.scaled(), scale(found.values))
