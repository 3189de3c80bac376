"""The difference of two classes as a target: its definition, every method against the libraries, and what is refused."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lime.lime_image import LimeImageExplainer
from pytorch_grad_cam.ablation_layer import AblationLayer
from torch import nn

from tests.attribution import networks
from tests.attribution.conftest import CLASSES, make_classifier
from xai_assets import gradcam, scorecam
from xai_assets import lime as lime_of
from xai_assets.attribution import cams
from xai_assets.attribution.ablation import ablation_weights
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.explain import Explainer, explain
from xai_assets.attribution.formulas import WITHOUT_GRADIENT
from xai_assets.attribution.library_cams import LIBRARY
from xai_assets.attribution.lime_image import Lime
from xai_assets.attribution.lime_surrogate import fit
from xai_assets.attribution.parameters import AblationCAMParameters, LimeParameters, ScoreCAMParameters
from xai_assets.attribution.score import Scorer, score_weights
from xai_assets.attribution.segmentation import segment
from xai_assets.attribution.split import LayerSplit
from xai_assets.attribution.targets import Target, as_target, scores_of
from xai_assets.attribution.verification import REFERENCES, compare
from xai_assets.evaluation.cases import same_question
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.vision.class_matching import UnknownClass

DIFFERING = [method for method in LIBRARY if method not in WITHOUT_GRADIENT]
PAIR = Target(3, 0)
LOGITS = st.lists(st.lists(st.floats(-30, 30), min_size=4, max_size=4), min_size=1, max_size=6)


@given(LOGITS)
def test_the_difference_of_logits_is_the_log_odds_whatever_the_other_classes_do(rows):
    logits = torch.tensor(rows, dtype=torch.float64)
    chances = torch.softmax(logits, dim=1).numpy()
    pair = Target(2, 1)
    np.testing.assert_allclose(pair.fitted(chances), logits[:, 2] - logits[:, 1], atol=1e-12)
    np.testing.assert_array_equal(pair.score(logits), logits[:, 2] - logits[:, 1])
    of_two = chances[:, 2] / (chances[:, 1] + chances[:, 2])
    np.testing.assert_allclose(pair.probability(logits), of_two, atol=1e-12)
    other = logits.clone()
    other[:, [0, 3]] += 5
    np.testing.assert_allclose(
        pair.fitted(torch.softmax(other, dim=1).numpy()), pair.score(logits), atol=1e-12
    )


def test_a_class_alone_is_what_it_was():
    logits = torch.randn(4, 5, dtype=torch.float64)
    chances = torch.softmax(logits, dim=1)
    assert torch.equal(as_target(3).score(logits), logits[:, 3])
    assert torch.equal(as_target(3).probability(logits), chances[:, 3])
    assert np.array_equal(as_target(3).fitted(chances.numpy()), chances[:, 3])
    mixed = scores_of(logits[:2], [Target(1), PAIR])
    assert mixed.tolist() == [logits[0, 1].item(), (logits[1, 3] - logits[1, 0]).item()]


def library_map(method, network, tensor, layer):
    network.requires_grad_(True)  # as its users have it
    options = {"ablation_layer": AblationLayer()} if method == "ablationcam" else {}
    with LIBRARY[method](network, [network.get_submodule(layer)], **options) as cam:
        found = cam(input_tensor=tensor, targets=[lambda scores: scores[3] - scores[0]])[0]
    network.requires_grad_(False)
    return found


@pytest.mark.parametrize("layer", ["layer4", "conv1"])
@pytest.mark.parametrize("method", DIFFERING)
def test_the_map_of_a_difference_is_the_librarys_with_a_target_of_ones_own(method, layer, classifier, pixels):
    tensor = classifier.preprocessing.tensor(pixels)[None]
    ours = explain(method, classifier, pixels, 3, contrast=0, layer=layer)
    theirs = library_map(method, classifier.network, tensor, layer)
    np.testing.assert_allclose(ours.scaled(), theirs, atol=1e-5)
    assert theirs.any()
    alone = explain(method, classifier, pixels, 3, layer=layer)
    assert np.abs(alone.scaled() - ours.scaled()).max() > 0.01  # and it is another question
    assert (ours.target, ours.contrast, ours.named) == (3, 0, f"{CLASSES[3]} rather than {CLASSES[0]}")
    assert (alone.contrast, alone.contrast_name, alone.named) == (None, None, CLASSES[3])


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"num_features": 4},
        {"segmentation": "quickshift", "positive_only": False},
        {"model_regressor": "linear"},
    ],
)
def test_lime_of_a_difference_is_the_librarys_that_is_asked_for_the_difference(
    parameters, classifier, pixels
):
    how = LimeParameters.model_validate({"num_samples": 120, "positive_only": False} | parameters)
    found = Lime(classifier, seed=11)(pixels, PAIR, parameters=how)
    segments = segment(pixels, how.segmentation, seed=11)

    def difference(views):
        logits = classifier.logits(classifier.preprocessing.from_view(np.asarray(views))).double()
        return (logits[:, 3] - logits[:, 0])[:, None].numpy()

    from sklearn.linear_model import LinearRegression

    theirs = LimeImageExplainer(random_state=11).explain_instance(
        pixels, difference, labels=(0,), top_labels=None, hide_color=None, num_samples=120,
        num_features=how.num_features or 100_000, segmentation_fn=lambda _: segments,
        model_regressor=LinearRegression() if parameters.get("model_regressor") else None,
    )  # fmt: skip
    expected = np.zeros(segments.max() + 1)
    for index, weight in theirs.local_exp[0]:
        expected[index] = weight
    np.testing.assert_allclose(found.weights, expected, atol=1e-5)
    assert found.r2 == pytest.approx(theirs.score, abs=1e-5)
    assert (found.target, found.contrast) == (3, 0)
    assert found.probability == pytest.approx(difference(pixels[None])[0, 0], abs=1e-5)


@pytest.mark.parametrize("method", [*DIFFERING, "lime"])
def test_verification_holds_a_difference_against_the_library(method, classifier, pixels):
    parameters = {"num_samples": 60} if method == "lime" else {}
    layer = None if method == "lime" else "layer4"
    found = explain(method, classifier, pixels, 3, contrast=0, layer=layer, parameters=parameters, seed=7)
    judged = compare(found, classifier, pixels)
    assert judged.verdict == "within"
    assert judged.difference <= REFERENCES[method].tolerance
    alone = explain(method, classifier, pixels, 3, layer=layer, parameters=parameters, seed=7)
    assert compare(alone, classifier, pixels).verdict == "within"
    with pytest.raises(EvaluationError, match="grey rather than red"):
        same_question(found, alone)


def test_gradcam_of_a_difference_is_the_difference_before_the_rectifier_and_not_of_the_maps(
    classifier, pixels
):
    # Of an affine head the gradient is linear in the target; what is cut off below 0 is not.
    low = {
        key: explain("gradcam", classifier, pixels, *key, layer="layer4").extras["low_resolution"]
        for key in ((3,), (0,))
    }
    found = explain("gradcam", classifier, pixels, 3, contrast=0, layer="layer4")
    np.testing.assert_allclose(found.extras["low_resolution"], low[3,] - low[0,], rtol=1e-4, atol=1e-7)
    maps = np.maximum(low[3,], 0) - np.maximum(low[0,], 0)
    assert np.abs(np.maximum(maps, 0) - np.maximum(found.extras["low_resolution"], 0)).max() > 1e-3


def test_limes_surrogate_of_log_odds_is_not_the_difference_of_two_surrogates():
    random = np.random.default_rng(0)
    rows = random.integers(0, 2, size=(200, 8), dtype=np.uint8)
    rows[0] = 1
    logits = torch.from_numpy(rows @ random.normal(size=(8, 3)) * 2)
    chances = torch.softmax(logits, dim=1).numpy()
    parameters = LimeParameters(model_regressor="linear")
    one, other, both = fit(rows, chances, [0, 1, Target(0, 1)], parameters)
    (flat,) = fit(rows, (chances[:, :1] - chances[:, 1:2]), [0], parameters)
    np.testing.assert_allclose(flat.weights, one.weights - other.weights, atol=1e-12)
    # The logits are linear in what is shown, and so are the log-odds: all is explained, which probabilities do not allow.
    assert both.r2 == pytest.approx(1, abs=1e-9)
    assert flat.r2 < 0.9
    slope = np.linalg.lstsq(np.c_[rows, np.ones(200)], (logits[:, 0] - logits[:, 1]).numpy())[0][:8]
    np.testing.assert_allclose(both.weights, slope, atol=1e-9)


@pytest.mark.parametrize(
    ("network", "layer", "way"),
    [("resnet", "layer4", "closed form"), ("resnet", "layer2", "graph cut"), ("Branching", "stem", "replay"),
     ("Meddling", "body", "full passes")],
)  # fmt: skip
def test_ablations_of_a_difference_fall_as_full_passes_say(network, layer, way):
    torch.manual_seed(0)
    model = make_classifier(getattr(networks, network)())
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        split = LayerSplit(model.network, layer, model.device)
        behind = split.behind(image)
        assert behind.way == way
        parameters = AblationCAMParameters(value="zero")
        weights, _ = ablation_weights(behind, PAIR, parameters)
        scores = behind.evaluate(behind.output)[0]
        parts = [ablation_weights(behind, index, parameters)[0] * scores[index].item() for index in (3, 0)]
    np.testing.assert_allclose(
        weights, (parts[0] - parts[1]) / (scores[3] - scores[0]).item(), rtol=2e-3, atol=2e-4
    )


@pytest.mark.parametrize("batch_size", [1, 5, 64])
def test_increase_of_a_difference_is_how_much_more_probable_the_one_of_the_two_is(batch_size):
    image = torch.rand(1, 3, 12, 16) - 0.5
    maps = torch.rand(9, 3, 4)
    maps[4] = 0
    scorer = Scorer(lambda images: images.sum(dim=(2, 3)) * 0.1)
    parameters = ScoreCAMParameters(weighting="increase", batch_size=batch_size)
    weights, _ = score_weights(scorer, image, maps, Target(1, 2), parameters)
    up = nn.functional.interpolate(maps[:, None], (12, 16), mode="bilinear", align_corners=True)
    low, high = up.amin(dim=(1, 2, 3), keepdim=True), up.amax(dim=(1, 2, 3), keepdim=True)
    logits = scorer.network(image * (up - low) / (high - low + 1e-8))
    np.testing.assert_allclose(weights, torch.sigmoid(logits[:, 1] - logits[:, 2]) - 0.5, atol=1e-6)
    assert weights[4] == 0


class Counting(nn.Module):
    """A network that counts the images that it is given."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.seen = network, 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen += len(images)
        return self.network(images)


@pytest.mark.parametrize("method", ["scorecam", "lime"])
def test_further_targets_of_an_image_cost_no_masked_passes_and_give_the_same_bytes(
    method, classifier, pixels
):
    parameters = {"num_samples": 60} if method == "lime" else {}
    layer = None if method == "lime" else "network.layer4"
    counting = Counting(copy.deepcopy(classifier.network))
    model = make_classifier(counting)
    model.network.register_buffer("one", torch.ones(1))

    def no_copy(*_):  # copies of it would count for themselves
        raise RuntimeError("not to be copied")

    counting.__deepcopy__ = no_copy
    asked = [(3, None), (0, None), (3, 0)]
    explainer = Explainer(method, model, layer=layer, parameters=parameters)
    explainer(pixels, 1)
    before, found = counting.seen, []
    for target, contrast in asked:
        found.append(explainer(pixels, target, contrast=contrast))
    passes = counting.seen - before
    assert passes <= len(asked) + 3  # ScoreCAM looks at its layer once a map
    for (target, contrast), one in zip(asked, found, strict=True):
        alone = Explainer(method, model, layer=layer, parameters=parameters)(
            pixels, target, contrast=contrast
        )
        assert alone.values.tobytes() == one.values.tobytes()
    other = explainer(pixels[::-1].copy(), 3)  # another image is asked anew
    again = Explainer(method, model, layer=layer, parameters=parameters)(pixels[::-1].copy(), 3)
    assert other.values.tobytes() == again.values.tobytes()


def test_a_network_in_memory_is_asked_why_it_did_not_say_another_class(classifier, pixels):
    names = {"class_names": CLASSES, "preprocessing": classifier.preprocessing.spec}
    best = int(classifier.logits(classifier.preprocessing.tensor(pixels)[None]).argmax())
    rather = CLASSES[(best + 1) % 5]
    for method, how in ((gradcam, {}), (scorecam, {}), (lime_of, {"num_samples": 40})):
        found = method(classifier.network, pixels, contrast=rather, **names, **how)
        assert found.named == f"{CLASSES[best]} rather than {rather}"
        same = method(classifier.network, pixels, best, contrast=(best + 1) % 5, **names, **how)
        assert found.values.tobytes() == same.values.tobytes()
    assert found.details["log_odds"] > 0
    assert "probability" not in found.details


def test_what_has_no_difference_is_refused(classifier, pixels):
    with pytest.raises(AttributionError, match="rather than itself"):
        explain("gradcam", classifier, pixels, "grey", contrast=3, layer="layer4")
    with pytest.raises(AttributionError, match="looks at no class"):
        explain("eigencam", classifier, pixels, 3, contrast=0, layer="layer4")
    with pytest.raises(UnknownClass, match="7"):
        explain("lime", classifier, pixels, 3, contrast=7)
    tensor = classifier.preprocessing.tensor(pixels)[None]
    with pytest.raises(UnknownClass, match="5"):
        cams.gradcam(classifier, tensor, [Target(1, 5)], "layer4")
    with pytest.raises(AttributionError, match="no log-odds: 1 of 2"):
        PAIR.fitted(np.array([[0.5, 0, 0, 0.5], [0.0, 0.5, 0, 0.5]]))
