"""Every measure of one map: on a linear model the oracle is best and the expectation of chance is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.evaluation.linear_model import linear_case
from xai_assets.evaluation.errors import EvaluationError
from xai_assets.evaluation.faithfulness import FaithfulnessProbe, measures
from xai_assets.evaluation.metrics import METRICS
from xai_assets.evaluation.parameters import Faithfulness
from xai_assets.evaluation.perturbation_curves import baselines

TIES = np.random.default_rng(5).random((8, 6))


def probe_of(seed=0, **given_parameters):
    model, image = linear_case(seed)
    model.weights = model.weights / 100
    return (
        model,
        image,
        FaithfulnessProbe(model, image, ties=TIES, parameters=Faithfulness(**given_parameters), image_id="a"),
    )


def test_the_measures_come_from_the_curves():
    model, _, probe = probe_of(steps=6)
    shown = model.shown
    assert shown == 3  # the image and two baselines, for all maps together
    found = probe(np.random.default_rng(0).normal(size=(8, 6)))
    assert model.shown - shown == 2 * 2 * 5 + 2 * 2 + 1
    assert {metric for metric, _ in found.values} <= METRICS.keys()
    assert list(found.values) == measures(probe.parameters)
    by_curve = {(curve.baseline, curve.order): curve for curve in found.curves}
    assert len(by_curve) == 6
    for name in ("blur", "mean"):
        lerf, morf = by_curve[name, "lerf"], by_curve[name, "morf"]
        assert found.values["insertion_auc", name] == lerf.area
        assert found.values["deletion_auc", name] == morf.area
        assert found.values["srg", name] == pytest.approx(lerf.area - morf.area)
        assert lerf.scores[0] == morf.scores[0] == probe.full
        assert lerf.scores[-1] == morf.scores[-1] == probe.empty[name]
    gap = by_curve["linear", "lerf"].scores - by_curve["linear", "morf"].scores
    assert found.values["road", "linear"] == pytest.approx(gap.mean())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.integers(0, 10_000))
def test_the_oracle_is_best(case, seed):
    model, image, probe = probe_of(case)
    other = probe(np.random.default_rng(seed).normal(size=(8, 6))).values
    for name, base in baselines(image).items():
        best = probe(model.contributions(image, base)).values
        assert best["srg", name] >= other["srg", name] - 1e-9
        assert best["deletion_auc", name] <= other["deletion_auc", name] + 1e-9
        assert best["insertion_auc", name] >= other["insertion_auc", name] - 1e-9


def test_chance_is_at_its_theory():
    _, _, probe = probe_of()
    draws = [probe(np.random.default_rng(seed).random((8, 6))).values for seed in range(200)]
    for key in (("srg", "blur"), ("srg", "mean"), ("road", "linear")):
        found = [values[key] for values in draws]
        assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))
    # Of a linear model a random order loses the same in every step: the area is the mean of both ends.
    found = [values["deletion_auc", "mean"] for values in draws]
    expected = (probe.full + probe.empty["mean"]) / 2
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / np.sqrt(len(found))


@given(st.integers(0, 1000))
def test_only_the_order_counts_for_curves_and_a_constant_map_is_the_ties(seed):
    _, _, probe = probe_of(road=())
    values = np.random.default_rng(seed).integers(0, 4, (8, 6)).astype(float)
    first, second = probe(values), probe(np.exp(values) + 7)
    assert [c.scores.tolist() for c in first.curves] == [c.scores.tolist() for c in second.curves]
    constant, ties = probe(np.ones((8, 6))), probe(TIES)
    assert constant.values["srg", "blur"] == ties.values["srg", "blur"]
    assert constant.values["average_drop", "zero"] in (0, None)
    assert list(constant.values) == measures(probe.parameters)


def test_the_same_arguments_give_the_same_bytes():
    values = np.random.default_rng(0).normal(size=(8, 6))
    first, second = probe_of()[2](values), probe_of()[2](values)
    assert first.values == second.values
    assert [c.scores.tobytes() for c in first.curves] == [c.scores.tobytes() for c in second.curves]


def test_what_is_not_finite_is_refused():
    _, image, probe = probe_of()
    with pytest.raises(EvaluationError, match="not finite"):
        probe(np.full((8, 6), np.nan))
    with pytest.raises(EvaluationError, match="not finite"):
        FaithfulnessProbe(
            lambda pictures: np.full(len(pictures), np.nan), image, ties=TIES, parameters=Faithfulness()
        )


@pytest.mark.parametrize("road", [(0.5,), (0.5, 0.2), (0.0, 0.5), (0.5, 1.0)])
def test_shares_that_make_no_curve_are_refused(road):
    with pytest.raises(ValidationError):
        Faithfulness(road=road)
