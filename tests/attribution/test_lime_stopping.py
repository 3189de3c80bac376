"""LIME with `num_samples: auto`: the fixed run of that length to the byte, and no longer than the mask needs."""

import json

import numpy as np
import pytest
from torch import nn

from tests.attribution.conftest import make_classifier
from xai_assets.attribution import lime_forward
from xai_assets.attribution.binarisation import BinarisationPolicy
from xai_assets.attribution.explain import Explainer
from xai_assets.attribution.lime_image import Lime
from xai_assets.attribution.lime_perturbation import draw
from xai_assets.attribution.lime_stopping import DRAWS, GRAIN, enough, looks, stable_share
from xai_assets.attribution.maps import NO_FIT
from xai_assets.attribution.parameters import AutoSamples, Grid, LimeParameters
from xai_assets.attribution.verification import compare

GRID = Grid(rows=4, columns=6)
AUTO = {"segmentation": GRID.model_dump(), "num_samples": {"at_most": 400}}


def explained(classifier, pixels, target=2, **parameters):
    return Explainer("lime", classifier, parameters=AUTO | parameters, seed=3)(pixels, target)


@pytest.mark.parametrize("superpixels", [2, 7, 60])
def test_the_draws_of_a_shorter_run_begin_those_of_a_longer_one(superpixels):
    np.testing.assert_array_equal(draw(5, 4000, superpixels)[:33], draw(5, 33, superpixels))


@pytest.mark.parametrize(
    "more",
    [{}, {"batch_size": 7}, {"precision": "bfloat16"}, {"num_features": 4}, {"top_labels": 3},
     {"segmentation": {"name": "grid", "rows": 1, "columns": 3}}],
    ids=["batches of 32", "batches of 7", "bfloat16", "four features", "top labels", "three superpixels"],
)  # fmt: skip
def test_it_is_the_fixed_run_of_that_length_to_the_byte(more, classifier, pixels):
    found = explained(classifier, pixels, **more)
    fixed = explained(classifier, pixels, **more, num_samples=found.details["samples"])
    assert found.values.tobytes() == fixed.values.tobytes()
    assert {name: array.tobytes() for name, array in found.extras.items()} == {
        name: array.tobytes() for name, array in fixed.extras.items()
    }
    own = {name: value for name, value in found.details.items() if name not in ("samples", "stable")}
    assert own == dict(fixed.details)
    assert "samples" not in fixed.details


def test_another_class_of_the_image_is_as_it_would_be_alone(classifier, pixels):
    both = Explainer("lime", classifier, parameters=AUTO, seed=3)
    together = [both(pixels, target) for target in (2, 0, 4, 2)]
    alone = [explained(classifier, pixels, target) for target in (2, 0, 4, 2)]
    for one, other in zip(together, alone, strict=True):
        assert one.values.tobytes() == other.values.tobytes()
        assert one.details == other.details
    assert len({one.details["samples"] for one in alone}) > 1  # or nothing was tried here


def test_no_picture_is_evaluated_twice_where_the_batches_fit(classifier, pixels, monkeypatch):
    asked = []
    original = lime_forward._probabilities

    def counted(network, pictures, patches, shown, batch_size):
        asked.append(len(shown))
        return original(network, pictures, patches, shown, batch_size)

    monkeypatch.setattr(lime_forward, "_probabilities", counted)
    parameters = LimeParameters(segmentation=Grid(rows=7, columns=7), num_samples=AutoSamples(at_most=512))
    found = Lime(classifier, seed=3)(pixels, 1, parameters=parameters)
    assert asked[:2] == [2, 2]  # the copy is checked on them
    assert sum(asked[2:]) == found.evaluated == found.samples
    assert len(asked) > 3  # or there was one look only


def test_the_looks_rise_and_end_at_the_most():
    assert list(looks(60, 1000))[:2] == [128, 192]
    for superpixels, most in ((60, 1000), (3, 33), (500, 100), (40, 2)):
        found = list(looks(superpixels, most))
        assert found == sorted(set(found))
        assert found[-1] == most
        assert all(count % GRAIN == 0 for count in found[:-1])


def linear(rows, weights):
    answers = 0.5 + rows.astype(float) @ weights
    return np.stack([answers, 1 - answers], axis=1)


def asked_of(weights, many=2000):
    rows = draw(1, many, len(weights))
    return lambda count: (rows[:count], linear(rows[:count], np.asarray(weights)))


SEGMENTS = np.arange(20).repeat(5).reshape(20, 5)


def test_a_clear_answer_takes_the_fewest_samples_and_a_random_one_the_most():
    auto = AutoSamples(at_most=640, mask=BinarisationPolicy())
    parameters = LimeParameters(num_samples=auto)
    clear = asked_of([0.1, 0.1, 0.1] + [0.0] * 17)
    assert enough(clear, SEGMENTS, 0, parameters, auto, seed=0) == (64, 1.0)
    rows, noise = draw(1, 640, 20), np.random.default_rng(0).random(640)

    def random(count):
        return rows[:count], np.stack([noise[:count], 1 - noise[:count]], axis=1)

    count, stable = enough(random, SEGMENTS, 0, parameters, auto, seed=0)
    assert count == 640
    assert stable < 0.95


def test_more_confidence_more_overlap_and_a_closer_race_take_more_samples():
    close = asked_of([0.1, 0.1, 0.052, 0.048] + [0.0] * 16)
    taken = {}
    for name, given in {"plain": {}, "sure": {"confidence": 0.99}, "whole": {"overlap": 1.0},
                        "loose": {"overlap": 0.5, "confidence": 0.6}}.items():  # fmt: skip
        auto = AutoSamples(mask=BinarisationPolicy(), at_most=2000, **given)
        taken[name] = enough(close, SEGMENTS, 0, LimeParameters(num_samples=auto), auto, seed=0)[0]
    assert taken["loose"] <= taken["plain"] <= taken["sure"]
    assert taken["plain"] <= taken["whole"]


def test_the_share_is_that_of_the_mask_of_the_study():
    auto = AutoSamples(at_most=200, mask=BinarisationPolicy(policy="top_area", value=0.1))
    many = [0.1, 0.09, 0.08, 0.02] + [0.0] * 16
    rows, answers = asked_of(many)(200)
    parameters = LimeParameters(num_samples=auto)
    top = stable_share(rows, answers, SEGMENTS, 0, parameters, auto, seed=0)
    everything = auto.model_copy(update={"mask": BinarisationPolicy(policy="top_area", value=1.0)})
    assert stable_share(rows, answers, SEGMENTS, 0, parameters, everything, seed=0) == 1.0
    assert 0 <= top <= 1
    assert (top * DRAWS) % 1 == pytest.approx(0) or top < auto.confidence


def test_where_nothing_is_to_be_explained_it_stops_at_once_and_says_so(pixels):
    class Constant(nn.Module):
        def forward(self, x):
            return x.flatten(1)[:, :5] * 0

    found = explained(make_classifier(Constant()), pixels)
    assert found.details["samples"] == 64
    assert NO_FIT in found.flags


def test_the_library_gives_the_same_map_at_that_length(classifier, pixels):
    judged = compare(explained(classifier, pixels), classifier, pixels)
    assert judged.verdict == "within"


def test_parameters_are_read_and_written_as_a_study_has_them():
    auto = LimeParameters(num_samples="auto")
    assert auto.num_samples == AutoSamples()
    assert auto.most_samples == 1000
    assert auto.fixed(96).num_samples == 96
    assert auto.fixed().num_samples == 1000
    assert LimeParameters.model_validate(json.loads(auto.model_dump_json())) == auto
    assert LimeParameters(num_samples={"confidence": 0.9}).num_samples.confidence == 0.9
    for wrong in (1, "automatic", {"confidence": 1.5}, {"samples": 4}):
        with pytest.raises(ValueError, match="num_samples"):
            LimeParameters(num_samples=wrong)
