"""ScoreCAM's fast mode: known answers, repeatability, contrast, and that its claim holds on maps it has not seen."""

import numpy as np
import pytest

from xai_assets.attribution import score_fast
from xai_assets.attribution.errors import AttributionError
from xai_assets.attribution.explain import explain
from xai_assets.attribution.parameters import ScoreCAMParameters
from xai_assets.attribution.score_fast import FIRST, LEAST, fast_weights

SIZE = (32, 32)


def channels(count, seed=0, side=5):
    """Blobs anywhere: count side side."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    centres = generator.uniform(0, side - 1, size=(count, 2))
    widths = generator.uniform(0.6, 2, size=count)
    far = (y - centres[:, 0, None, None]) ** 2 + (x - centres[:, 1, None, None]) ** 2
    return np.exp(-far / (2 * widths[:, None, None] ** 2)) * generator.uniform(0.5, 2, size=(count, 1, 1))


def scaled(maps):
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    return ((maps - low) / (high - low)).reshape(len(maps), -1)


def softmax(scores):
    raised = np.exp(scores - scores.max())
    return raised / raised.sum()


def found_of(maps, scores, *, constant=None, hidden=None, iou=0.98, most=256, seed=0):
    asked = []

    def score(channels):
        asked.extend(channels.tolist())
        return scores[channels]

    constant = np.zeros(len(maps), bool) if constant is None else constant
    found = fast_weights(maps, constant, hidden, SIZE, score, iou=iou, most=most, seed=seed)
    assert asked == found.scored.tolist() and len(set(asked)) == len(asked)
    return found


def true_iou(found, maps, scores):
    own, exact = (score_fast.mask(weights, maps, SIZE) for weights in (found.weights, softmax(scores)))
    return score_fast.overlap(own, exact)


def test_a_score_that_is_linear_in_the_channels_is_found():
    maps = channels(600)
    scores = scaled(maps) @ np.random.default_rng(1).normal(size=25)
    found = found_of(maps, scores)
    assert len(found.scored) == LEAST
    assert found.claimed_iou > 0.99 and true_iou(found, maps, scores) > 0.99
    np.testing.assert_allclose(found.weights, softmax(scores), atol=0.05 * softmax(scores).max())


def test_channels_that_all_score_the_same_weigh_the_same():
    maps = channels(300)
    found = found_of(maps, np.full(300, 2.5))
    np.testing.assert_allclose(found.weights, 1 / 300, rtol=1e-3)
    assert found.claimed_iou == 1 and len(found.scored) == LEAST


def test_few_channels_are_all_scored_and_the_weights_are_exact():
    maps, scores = channels(FIRST - 4), np.random.default_rng(2).normal(size=FIRST - 4)
    found = found_of(maps, scores)
    assert found.claimed_iou == 1 and len(found.scored) == len(maps)
    np.testing.assert_allclose(found.weights, softmax(scores))


def test_the_hidden_images_channels_are_not_asked_for_and_weigh_as_it_scores():
    maps = channels(200)
    constant = np.zeros(200, bool)
    constant[[3, 50, 51]] = True
    scores = np.where(constant, 0.0, scaled(maps).mean(axis=1))
    maps[constant] = 0
    found = found_of(maps, scores, constant=constant, hidden=0.0)
    assert not set(np.flatnonzero(constant)) & set(found.scored)
    np.testing.assert_allclose(found.weights, softmax(scores), rtol=0.05)
    only = found_of(np.zeros((4, 5, 5)), np.zeros(4), constant=np.ones(4, bool), hidden=0.3)
    np.testing.assert_allclose(only.weights, 0.25)


def test_no_more_channels_are_scored_than_allowed_and_claims_of_what_cannot_be_predicted_are_low():
    maps, found, true = channels(400), [], []
    for seed in range(10):
        scores = 3 * np.random.default_rng(seed).normal(size=400)  # no mask says anything of another
        found.append(found_of(maps, scores, most=100))
        true.append(true_iou(found[-1], maps, scores))
    assert {len(one.scored) for one in found} == {100}
    assert np.mean([one.claimed_iou for one in found]) < 0.8
    assert sum(one.claimed_iou > own for one, own in zip(found, true, strict=True)) <= 3


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_channels():
    maps = channels(500)
    scores = np.sin(4 * scaled(maps)).sum(axis=1)
    one, two, other = (found_of(maps, scores, seed=seed) for seed in (0, 0, 1))
    assert one.weights.tobytes() == two.weights.tobytes() and one.claimed_iou == two.claimed_iou
    assert one.scored.tolist() != other.scored.tolist()


def test_explained_are_one_class_and_the_difference_of_two_with_few_passes(wide, pixels):
    for contrast in (None, 3):
        exact = explain("scorecam", wide, pixels, 1, contrast=contrast, layer="layer4")
        fast = explain(
            "scorecam", wide, pixels, 1, contrast=contrast, layer="layer4", parameters={"mode": "fast"}
        )
        again = explain(
            "scorecam", wide, pixels, 1, contrast=contrast, layer="layer4", parameters={"mode": "fast"}
        )
        assert fast.values.tobytes() == again.values.tobytes()
        assert fast.details["mode"] == "fast" and fast.details["channels"] == 400
        assert fast.details["scored"] <= 256 < exact.details["scored"]
        own, true = fast.scaled() >= 0.5, exact.scaled() >= 0.5
        assert (own & true).sum() / (own | true).sum() >= 0.95
        assert fast.details["claimed_iou"] >= 0.95


def test_fast_mode_takes_no_other_weighting_and_exact_parameters_are_written_as_before():
    with pytest.raises(ValueError, match="softmax"):
        ScoreCAMParameters(mode="fast", weighting="increase")
    assert set(ScoreCAMParameters().model_dump()) == {"batch_size", "weighting", "precision"}
    assert ScoreCAMParameters(mode="fast").model_dump()["iou"] == 0.98


def test_an_unknown_mode_is_refused(wide, pixels):
    with pytest.raises(AttributionError, match="mode"):
        explain("scorecam", wide, pixels, 1, layer="layer4", parameters={"mode": "quick"})
