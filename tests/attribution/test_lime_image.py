"""LIME against the library called directly, and against a model whose answer is known."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer
from sklearn import linear_model
from torch import nn

from tests.attribution.conftest import TinyNet, make_classifier
from xai_assets.attribution.explain import METHODS, explain
from xai_assets.attribution.lime_image import Lime, lime
from xai_assets.attribution.parameters import Grid, LimeParameters, Slic
from xai_assets.attribution.segmentation import segment
from xai_assets.files import sha256_bytes

SAMPLES = 120
PROCESS = """
from tests.attribution.test_lime_image import digests
print(digests())
"""


@pytest.fixture(scope="module", autouse=True)
def other_process(request):
    """Started before this module's first test and asked after the last: it spends its time importing torch."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS],
        cwd=request.config.rootpath,
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()


def predictor(classifier):
    def predict(views):
        logits = classifier.logits(classifier.preprocessing.from_view(np.asarray(views)))
        return torch.softmax(logits.double(), 1).numpy()

    return predict


@pytest.mark.parametrize(
    ("parameters", "regressor"),
    [
        (LimeParameters(num_samples=SAMPLES), None),
        (LimeParameters(num_samples=SAMPLES, num_features=4), None),
        (LimeParameters(num_samples=SAMPLES, num_features=9, hide_color=(128, 0, 255)), None),
        (LimeParameters(num_samples=SAMPLES, segmentation="quickshift", kernel_width=0.5, batch_size=7), None),
        (LimeParameters(num_samples=SAMPLES, distance_metric="euclidean", kernel_width=4), None),
        (
            LimeParameters(num_samples=SAMPLES, num_features=3, feature_selection="highest_weights",
                           model_regressor="linear"),
            linear_model.LinearRegression(),
        ),
        (LimeParameters(num_samples=SAMPLES, model_regressor="lasso"), linear_model.Lasso(alpha=0.001)),
    ],
    ids=["all features", "forward selection", "colour", "quickshift", "euclidean", "linear", "lasso"],
)  # fmt: skip
def test_the_coefficients_are_the_librarys(parameters, regressor, classifier, pixels):
    seed, target = 11, 2
    found = lime(classifier, pixels, target, parameters=parameters, seed=seed)
    segments = segment(pixels, parameters.segmentation, seed=seed)
    predict = predictor(classifier)
    colour = None if parameters.hide_color == "mean" else parameters.hide_color
    theirs = LimeImageExplainer(
        kernel_width=parameters.kernel_width,
        random_state=seed,
        feature_selection=parameters.feature_selection,
    ).explain_instance(
        pixels, predict, labels=(target,), top_labels=None, hide_color=colour, num_samples=SAMPLES,
        num_features=parameters.num_features or 100_000, segmentation_fn=lambda _: segments,
        distance_metric=parameters.distance_metric, model_regressor=regressor,
    )  # fmt: skip
    expected = np.zeros(segments.max() + 1)
    for index, weight in theirs.local_exp[target]:
        expected[index] = weight
    np.testing.assert_allclose(found.weights, expected, atol=1e-7)
    assert found.r2 == pytest.approx(theirs.score, abs=1e-5)
    assert found.intercept == pytest.approx(theirs.intercept[target], abs=1e-7)
    assert found.surrogate_probability == pytest.approx(theirs.local_pred[0], abs=1e-7)
    assert found.probability == pytest.approx(predict(pixels[None])[0, target], abs=1e-7)
    np.testing.assert_array_equal(found.segments, theirs.segments)


class RightHalf(nn.Module):
    """The logit of class 1 is the mean brightness of the right half; the others are 0."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(4.0))
        self.seen = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen += len(x)
        x = x.view(len(x), -1).view(
            x.shape
        )  # the usual layout only, so that no copy is evaluated in its place
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
    assert sorted(found.used.tolist()) == np.flatnonzero(found.weights).tolist()


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


def test_another_class_of_a_view_costs_no_forward_pass_and_is_what_it_is_alone(pixels):
    network = RightHalf()
    model = make_classifier(network)
    parameters = LimeParameters(num_samples=40, segmentation=Grid(rows=3, columns=3))
    alone = {target: lime(model, pixels, target, parameters=parameters, seed=3) for target in (0, 1)}
    shared, before = Lime(model, seed=3), network.seen
    for target in (0, 1):
        found = shared(pixels, target, parameters=parameters)
        assert found.weights.tobytes() == alone[target].weights.tobytes()
        assert found.r2 == alone[target].r2
    once = network.seen - before
    # And two pictures that show whether the network can be copied, and one that shows what memory it takes.
    assert once == alone[0].evaluated + 3
    shared(pixels, 1, parameters=parameters.model_copy(update={"num_features": 2, "kernel_width": 1.0}))
    assert network.seen - before == once
    shared(255 - pixels, 1, parameters=parameters)
    assert network.seen - before == 2 * once - 3


def test_equal_pictures_are_evaluated_once(pixels):
    network = RightHalf()
    parameters = LimeParameters(num_samples=200, segmentation=Grid(rows=2, columns=2))
    found = lime(make_classifier(network), pixels, 1, parameters=parameters)
    assert found.evaluated == 16
    assert network.seen == 16 + 3


def test_top_labels_are_kept_beside_the_explained_class(classifier, pixels):
    parameters = LimeParameters(num_samples=50, top_labels=3, num_features=4)
    found = lime(classifier, pixels, 4, parameters=parameters)
    chances = predictor(classifier)(pixels[None])[0]
    assert [label.target for label in found.top] == np.argsort(chances)[::-1][:3].tolist()
    for label in found.top:
        alone = lime(classifier, pixels, label.target, parameters=parameters)
        np.testing.assert_allclose(label.weights, alone.weights, atol=1e-12)
    kept = explain("lime", classifier, pixels, 4, parameters=parameters)
    assert kept.extras["top_labels"].tolist() == [label.target for label in found.top]
    np.testing.assert_array_equal(kept.extras["top_weights"][1], found.top[1].weights)
    assert kept.details["top_r2"] == [label.r2 for label in found.top]


def test_effective_samples_fall_with_the_kernels_width(classifier, pixels):
    def effective(width):
        parameters = LimeParameters(num_samples=50, kernel_width=width)
        return lime(classifier, pixels, 0, parameters=parameters).effective_samples

    assert effective(1e6) == pytest.approx(50)
    assert effective(0.01) == pytest.approx(1)


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
    assert found.details["evaluated"] == 1
    assert "constant" in found.flags


def test_default_segmentation_is_slic():
    assert LimeParameters().segmentation == Slic()


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


def test_another_process_gives_the_same_bytes(other_process):
    answer, _ = other_process.communicate()
    assert answer.strip() == str(digests())


@pytest.mark.parametrize(
    ("white", "parameters", "said"),
    [
        (True, {}, "the probability is the same whatever is hidden"),
        (False, {"distance_metric": "manhattan"}, "so few count"),
        (False, {"kernel_width": 1e-3}, "so few count"),
    ],
)
def test_a_fit_of_nothing_has_no_r2_and_is_flagged(white, parameters, said, classifier, pixels):
    image = np.full_like(pixels, 255) if white else pixels
    found = explain("lime", classifier, image, 0, parameters={"num_samples": 40, **parameters})
    assert found.details["r2"] is None
    assert "no_fit" in found.flags and not found.usable
    assert said in found.details["warning"]
