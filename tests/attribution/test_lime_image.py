"""LIME against the library called directly, and against a model whose answer is known."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer
from torch import nn

from tests.attribution.conftest import TinyNet, make_classifier
from xai_assets.attribution.explain import METHODS, explain
from xai_assets.attribution.lime_image import lime
from xai_assets.attribution.parameters import Grid, LimeParameters, Slic
from xai_assets.attribution.segmentation import segment
from xai_assets.files import sha256_bytes

SAMPLES = 120


@pytest.mark.parametrize(
    "parameters",
    [
        LimeParameters(num_samples=SAMPLES),
        LimeParameters(num_samples=SAMPLES, num_features=4),
        LimeParameters(num_samples=SAMPLES, num_features=9, hide_color=(128, 0, 255)),
        LimeParameters(num_samples=SAMPLES, segmentation="quickshift", kernel_width=0.5, batch_size=7),
    ],
    ids=["all features", "forward selection", "colour", "quickshift"],
)
def test_the_coefficients_are_the_librarys(parameters, classifier, pixels):
    seed, target = 11, 2
    found = lime(classifier, pixels, target, parameters=parameters, seed=seed)
    segments = segment(pixels, parameters.segmentation, seed=seed)

    def predict(views):
        logits = classifier.logits(classifier.preprocessing.from_view(np.asarray(views)))
        return torch.softmax(logits.double(), 1).numpy()

    colour = None if parameters.hide_color == "mean" else parameters.hide_color
    theirs = LimeImageExplainer(
        kernel_width=parameters.kernel_width, random_state=seed
    ).explain_instance(
        pixels, predict, labels=(target,), top_labels=None, hide_color=colour, num_samples=SAMPLES,
        num_features=parameters.num_features or 100_000, segmentation_fn=lambda _: segments,
    )  # fmt: skip
    expected = np.zeros(segments.max() + 1)
    for index, weight in theirs.local_exp[target]:
        expected[index] = weight
    np.testing.assert_allclose(found.weights, expected, atol=1e-9)
    assert found.r2 == pytest.approx(theirs.score, abs=1e-7)
    assert found.intercept == pytest.approx(theirs.intercept[target], abs=1e-9)
    assert found.probability == pytest.approx(predict(pixels[None])[0, target], abs=1e-7)
    np.testing.assert_array_equal(found.segments, theirs.segments)


class RightHalf(nn.Module):
    """The logit of class 1 is the mean brightness of the right half; the others are 0."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(4.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        right = x[..., x.shape[-1] // 2 :].mean(dim=(1, 2, 3))  # n 3 h w -> n
        scores = torch.zeros(len(x), 5)
        scores[:, 1] = self.scale * right
        return scores


@pytest.mark.parametrize("hide_color", [(0, 0, 0), "blur", "mean"])
def test_the_half_that_decides_is_found(hide_color):
    model = make_classifier(RightHalf())
    generator = np.random.default_rng(0)
    pixels = generator.integers(120, 255, size=(32, 32, 3), dtype=np.uint8)
    parameters = LimeParameters(
        num_samples=300, segmentation=Grid(rows=4, columns=4), hide_color=hide_color, positive_only=False
    )
    found = lime(model, pixels, 1, parameters=parameters, seed=0)
    grid = np.abs(found.weights.reshape(4, 4))
    if hide_color == (0, 0, 0):
        assert grid[:, 2:].min() > 4 * grid[:, :2].max()
        assert found.r2 > 0.6
        assert (found.values[:, 16:] > 0).all()
    else:
        # Hiding a patch by its own mean or its blur hardly changes a mean: LIME sees what the hiding lets it see.
        assert grid.max() < 0.01


def test_positive_only_paints_what_speaks_for_the_class(classifier, pixels):
    both = lime(classifier, pixels, 2, parameters=LimeParameters(num_samples=60, positive_only=False))
    positive = lime(classifier, pixels, 2, parameters=LimeParameters(num_samples=60))
    assert both.values.min() < 0 <= positive.values.min()
    np.testing.assert_array_equal(positive.values, np.maximum(both.values, 0))
    np.testing.assert_array_equal(both.values, both.weights[both.segments].astype(np.float32))


def test_num_features_limits_the_superpixels_with_a_weight(classifier, pixels):
    found = lime(classifier, pixels, 0, parameters=LimeParameters(num_samples=60, num_features=5))
    assert np.count_nonzero(found.weights) == 5


def test_the_batch_size_does_not_change_the_weights(classifier, pixels):
    weights = [
        lime(classifier, pixels, 0, parameters=LimeParameters(num_samples=50, batch_size=n)).weights
        for n in (1, 50, 64)
    ]
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-6)
    np.testing.assert_allclose(weights[0], weights[2], atol=1e-6)


def test_another_seed_is_another_answer_and_the_same_seed_the_same_bytes(classifier, pixels):
    parameters = LimeParameters(num_samples=40)
    first = lime(classifier, pixels, 0, parameters=parameters, seed=1)
    np.random.seed(5)  # the global state has no part in it
    again = lime(classifier, pixels, 0, parameters=parameters, seed=1)
    other = lime(classifier, pixels, 0, parameters=parameters, seed=2)
    assert first.weights.tobytes() == again.weights.tobytes()
    assert first.values.tobytes() == again.values.tobytes()
    assert first.weights.tobytes() != other.weights.tobytes()


def test_the_view_is_not_written_to(classifier, pixels):
    before = pixels.copy()
    lime(classifier, pixels, 0, parameters=LimeParameters(num_samples=20, hide_color="blur"))
    np.testing.assert_array_equal(pixels, before)


def test_a_picture_of_one_superpixel_gives_a_constant_map(classifier):
    flat = np.full((16, 16, 3), 90, dtype=np.uint8)
    found = explain(
        "lime", classifier, flat, 0, parameters={"segmentation": "felzenszwalb", "num_samples": 20}
    )
    assert found.details["superpixels"] == 1
    assert "constant" in found.flags


PROCESS = """
from tests.attribution.test_lime_image import digests
print(digests())
"""


def digests() -> list[str]:
    torch.manual_seed(3)
    torch.set_num_threads(1)
    model = make_classifier(TinyNet())
    pixels = np.random.default_rng(0).integers(0, 255, size=(24, 24, 3), dtype=np.uint8)
    found = []
    for method in METHODS:
        given = {"num_samples": 40} if method == "lime" else None
        answer = explain(method, model, pixels, 1, layer="layer4", parameters=given, seed=4)
        found += [sha256_bytes(array.tobytes()) for array in (answer.values, *answer.extras.values())]
    return found


def test_another_process_gives_the_same_bytes(request):
    other = subprocess.run(
        [sys.executable, "-c", PROCESS],
        cwd=request.config.rootpath,
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == str(digests())


def test_default_segmentation_is_slic():
    assert LimeParameters().segmentation == Slic()
