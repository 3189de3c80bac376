"""LIME against `lime` 0.2.0.1 with the same random state: the same superpixels, weights within 1e-6, the same masks.

On the embedded classifier with its own scenes, and on a seeded resnet18 with photographs.
"""

import numpy as np
import pytest
import torch
from lime.lime_image import LimeImageExplainer
from lime.wrappers.scikit_image import SegmentationAlgorithm
from torchvision.models import resnet18

from xai_assets.attribution.lime_image import Lime
from xai_assets.attribution.lime_mask import superpixel_mask
from xai_assets.attribution.parameters import Grid, LimeParameters, Quickshift, Slic
from xai_assets.attribution.segmentation import segment
from xai_assets.settings import Settings
from xai_assets.vision.classifiers import Classifier, load_classifier
from xai_assets.vision.images import read_image
from xai_assets.vision.preprocessing import Preprocessing
from xai_assets.vision.spec import PreprocessingSpec
from xai_assets.world.images import study_images

SEED, SAMPLES, LABELS = 3, 60, 2
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
CASES = {
    "slic, mean": LimeParameters(segmentation=Slic(n_segments=40)),
    "slic, colour, 5 features": LimeParameters(
        segmentation=Slic(n_segments=25, compactness=8), hide_color=(0, 0, 0), num_features=5
    ),
    "quickshift, mean, 6 features": LimeParameters(segmentation=Quickshift(max_dist=20), num_features=6),
    "quickshift, colour, 12 features": LimeParameters(
        segmentation=Quickshift(kernel_size=3, max_dist=12), hide_color=(124, 116, 104), num_features=12
    ),
    "grid, mean, 9 features": LimeParameters(segmentation=Grid(rows=5, columns=6), num_features=9),
    "grid, colour": LimeParameters(segmentation=Grid(rows=4, columns=4), hide_color=(255, 0, 255)),
}
MASKS = [
    {},
    {"num_features": 3, "negative_only": True, "positive_only": False},
    {"num_features": 10, "positive_only": False},
    {"num_features": 10, "positive_only": False, "min_weight": 0.01},
]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def diorama() -> tuple[Classifier, list[np.ndarray]]:
    classifier = load_classifier("diorama/object", Settings.from_environment({}), device="cpu")
    scenes = study_images("test", 4, 2)
    return classifier, [classifier.preprocessing.view(scene.image) for scene in scenes]


@pytest.fixture(scope="module")
def photographs(reference_data) -> tuple[Classifier, list[np.ndarray]]:
    preprocessing = Preprocessing(PreprocessingSpec(mode="squash", size=64, **IMAGENET))
    views = [
        preprocessing.view(read_image(path).pixels)
        for path in sorted((reference_data / "images").iterdir())[: len(CASES)]
    ]
    torch.manual_seed(0)
    network = resnet18().train()
    with torch.no_grad():
        network.fc.weight *= 8  # probabilities that tell classes apart, so that weights are not all near 0
        for _ in range(10):  # batch norm that fits the photographs
            network(preprocessing.from_view(np.stack(views)))
    classifier = Classifier(
        "seeded", "torchvision/resnet18", network.eval().requires_grad_(False), preprocessing,
        tuple(map(str, range(1000))), "0" * 64, torch.device("cpu"),
    )  # fmt: skip
    return classifier, views


def library_segmentation(how):
    """What a user of the library would pass; it has no grid, and its slic must be told to count from 0."""
    match how:
        case Grid():
            return lambda view: segment(view, how)
        case Slic():
            given = {"n_segments": how.n_segments, "compactness": how.compactness, "sigma": how.sigma}
            return SegmentationAlgorithm("slic", **given, start_label=0)
        case Quickshift():
            given = {"kernel_size": how.kernel_size, "max_dist": how.max_dist, "ratio": how.ratio}
            return SegmentationAlgorithm("quickshift", **given)


def explained_by_the_library(classifier, view, parameters):
    def predict(views):
        logits = classifier.logits(classifier.preprocessing.from_view(views))
        return torch.softmax(logits.double(), dim=1).numpy()

    return LimeImageExplainer(random_state=SEED).explain_instance(
        view,
        predict,
        top_labels=LABELS,
        hide_color=None if parameters.hide_color == "mean" else parameters.hide_color,
        num_features=parameters.num_features or 100_000,
        num_samples=SAMPLES,
        segmentation_fn=library_segmentation(parameters.segmentation),
    )


@pytest.mark.parametrize("source", ["diorama", "photographs"])
@pytest.mark.parametrize("case", CASES)
def test_it_is_what_the_library_says(case, source, request):
    classifier, views = request.getfixturevalue(source)
    view = views[list(CASES).index(case)]
    parameters = CASES[case].model_copy(update={"num_samples": SAMPLES, "top_labels": LABELS})
    theirs = explained_by_the_library(classifier, view, parameters)
    explain = Lime(classifier, seed=SEED)
    largest = 0.0
    for place, label in enumerate(theirs.top_labels):
        ours = explain(view, int(label), parameters=parameters)
        assert [surrogate.target for surrogate in ours.top] == theirs.top_labels
        np.testing.assert_array_equal(ours.segments, theirs.segments)
        expected = np.zeros(len(ours.weights))
        expected[[index for index, _ in theirs.local_exp[label]]] = [w for _, w in theirs.local_exp[label]]
        np.testing.assert_allclose(ours.weights, expected, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(ours.top[place].weights, ours.weights)
        assert ours.intercept == pytest.approx(theirs.intercept[label], abs=1e-6)
        assert len(ours.used) == len(theirs.local_exp[label])
        for mask in MASKS:
            _, drawn = theirs.get_image_and_mask(label, **mask)
            np.testing.assert_array_equal(superpixel_mask(ours.segments, ours, **mask), drawn)
        largest = max(largest, np.abs(expected).max())
    assert ours.top[0].r2 == pytest.approx(theirs.score, abs=1e-5)  # the library keeps the last it came to
    assert largest > 1e-3  # so that 1e-6 means something
