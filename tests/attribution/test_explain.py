"""The one way in."""

import dataclasses

import numpy as np
import pytest

from tests.attribution.conftest import CLASSES, make_classifier
from xai_assets import attribution
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.explain import METHODS, explain
from xai_assets.attribution.maps import AttributionMap, flags_of
from xai_assets.attribution.parameters import GradCAMParameters, LimeParameters
from xai_assets.vision.class_matching import UnknownClass


def test_methods_are_these_in_this_order():
    further = ("hirescam", "gradcampp", "xgradcam", "layercam", "eigencam")
    assert list(METHODS) == ["gradcam", "ablationcam", "scorecam", *further, "lime"]


@pytest.mark.parametrize("method", METHODS)
def test_a_map_knows_what_it_is(method, classifier, pixels):
    given = {"num_samples": 30} if method == "lime" else {}
    squash = make_classifier(classifier.network, size=40)
    found = explain(
        method, squash, pixels, np.int64(3), layer="layer4", parameters=given, seed=9, image_id="a.png"
    )
    assert found.values.dtype == np.float32
    assert found.values.shape == found.frame.size == (40, 40)
    assert found.frame.original == pixels.shape[:2]
    assert (found.method, found.image_id, found.seed) == (method, "a.png", 9)
    assert (found.target, found.target_name) == (3, CLASSES[3])
    assert found.layer == (None if method == "lime" else "layer4")
    assert {**found.parameters, **given} == found.parameters
    assert 0 <= found.scaled().min() <= found.scaled().max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_the_same_arguments_give_the_same_bytes(method, classifier, pixels):
    given = {"num_samples": 30} if method == "lime" else {}
    first, again = (
        explain(method, classifier, pixels, 1, layer="layer4", parameters=given, seed=5) for _ in range(2)
    )
    assert first.values.tobytes() == again.values.tobytes()
    assert {k: v.tobytes() for k, v in first.extras.items()} == {
        k: v.tobytes() for k, v in again.extras.items()
    }
    assert first.details == again.details


def test_each_method_is_a_function_as_well(classifier, pixels):
    for function in (attribution.gradcam, attribution.ablationcam, attribution.scorecam):
        found = function(classifier, pixels, 2, layer="layer4", image_id="a.png")
        expected = explain(function.__name__, classifier, pixels, 2, layer="layer4")
        assert found.method == function.__name__ and found.image_id == "a.png"
        assert found.values.tobytes() == expected.values.tobytes()
    found = attribution.lime(classifier, pixels, 2, num_samples=30, seed=4)
    expected = explain("lime", classifier, pixels, 2, parameters={"num_samples": 30}, seed=4)
    assert found.values.tobytes() == expected.values.tobytes()
    with pytest.raises(AttributionError, match="num_sample"):
        attribution.lime(classifier, pixels, 2, num_sample=30)
    with pytest.raises(AttributeError, match="no attribute 'saliency'"):
        attribution.saliency  # noqa: B018


def test_a_class_may_be_named(classifier, pixels):
    named = explain("gradcam", classifier, pixels, "blue", layer="layer4")
    numbered = explain("gradcam", classifier, pixels, 2, layer="layer4", parameters=GradCAMParameters())
    assert named.target == 2
    assert named.values.tobytes() == numbered.values.tobytes()


@pytest.mark.parametrize(
    ("method", "options", "said"),
    [
        ("gradcm", {}, "Use one of gradcam"),
        ("gradcam", {"parameters": {"batch_size": 2}}, "batch_size"),
        ("lime", {"parameters": {"num_samples": 0}}, "num_samples"),
        ("lime", {"parameters": {"segmentation": "watershed"}}, "segmentation"),
        ("scorecam", {"parameters": LimeParameters()}, "ScoreCAMParameters"),
    ],
)
def test_what_does_not_fit_is_said(method, options, said, classifier, pixels):
    with pytest.raises(AttributionError, match=said):
        explain(method, classifier, pixels, 1, **{"layer": "layer4", **options})


def test_a_class_that_is_not_there_is_said(classifier, pixels):
    for method in METHODS:
        with pytest.raises(UnknownClass):
            explain(method, classifier, pixels, 17, layer="layer4")


def test_flags():
    assert flags_of(np.zeros((2, 2))) == ("constant",)
    assert flags_of(np.array([[0.0, 1.0]])) == ()
    assert flags_of(np.array([[0.0, 1.0, np.nan]])) == ("non_finite",)
    assert flags_of(np.array([[2.0, np.inf]])) == ("constant", "non_finite")


def test_scaling_keeps_the_order_and_spans_zero_to_one(classifier, pixels):
    found = explain("gradcam", classifier, pixels, 0, layer="conv1")
    odd = dataclasses.replace(found, values=np.array([[-3.0, np.nan], [1.0, 5.0]], dtype=np.float32))
    np.testing.assert_allclose(odd.scaled(), [[0, 0], [0.5, 1]])
    assert odd.scaled().dtype == np.float32


def test_a_map_of_another_shape_or_type_is_refused(classifier, pixels):
    found = explain("gradcam", classifier, pixels, 0, layer="layer4")
    fields = {f.name: getattr(found, f.name) for f in dataclasses.fields(found)}
    for values in (found.values.astype(np.float64), found.values[None]):
        with pytest.raises(AttributionError, match="float32"):
            AttributionMap(**{**fields, "values": values})
