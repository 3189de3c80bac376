"""The rule of decision: its three answers, the family's correction, the images that it needs, its rate of error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xai_assets.evaluation.decision import LEVEL, Answer, decide, fewest_images, holm, most_tests
from xai_assets.evaluation.paired_tests import sign_flip_p

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_three_answers():
    above, below, open_, untested, nothing = decide(
        [0.3, -0.2, 0.1, 0.4, 0.0], [0.001, 0.002, 0.04, None, 0.03]
    )
    assert [one.answer for one in (above, below, open_)] == [Answer.YES, Answer.NO, Answer.CANNOT_TELL]
    assert open_.p_holm == pytest.approx(0.06)
    assert (untested.answer, untested.p_holm, untested.family_size) == (Answer.CANNOT_TELL, None, 4)
    assert nothing.answer is Answer.CANNOT_TELL


@pytest.mark.parametrize(("tests", "fewest"), [(1, 6), (2, 7), (8, 9), (16, 10), (36, 11)])
def test_the_fewest_images_are_those_that_all_have_to_agree(tests, fewest):
    assert fewest_images(tests) == fewest
    agreeing = sign_flip_p(np.ones(fewest))
    assert tests * agreeing < LEVEL <= tests * sign_flip_p(np.ones(fewest - 1))


@pytest.mark.parametrize("n", [2, 5, 6, 8, 12])
def test_the_largest_family_is_the_one_that_needs_so_many_images(n):
    most = most_tests(n)
    assert fewest_images(most + 1) > n
    assert most == 0 or fewest_images(most) <= n


def test_pairing_anew_needs_fewer():
    assert fewest_images(1, repaired=True) == 4  # 1 / 4! is 0.042
    assert fewest_images(6, repaired=True) == 6


@pytest.mark.parametrize("n", [2, 3, 5, 6, 8, 10, 12, 30])
def test_a_family_without_any_effect_is_decided_wrongly_at_most_as_often_as_stated(n):
    generator = np.random.default_rng(n)
    wrong = 0
    for trial in range(300):
        differences = generator.normal(size=(4, n))
        p = [sign_flip_p(row, seed=trial) for row in differences]
        wrong += any(one.answer is not Answer.CANNOT_TELL for one in decide(differences.mean(axis=1), p))
    assert wrong / 300 <= LEVEL + 3 * np.sqrt(LEVEL / 300)


def rejected_step_by_step(p, alpha):
    """Holm as he tells it: reject the smallest while it is at most alpha over the number that is left."""
    order = sorted(range(len(p)), key=lambda index: p[index])
    out = set()
    for place, index in enumerate(order):
        if p[index] > alpha / (len(p) - place):
            break
        out.add(index)
    return out


@given(P_VALUES, st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_holm_rejects_what_its_steps_reject(p, alpha):
    adjusted = holm(p)
    by_steps = rejected_step_by_step(p, alpha)
    for index, value in enumerate(adjusted):
        if abs(value - alpha) > 1e-9:  # at the border the two divide and multiply
            assert (value < alpha) == (index in by_steps)


@given(P_VALUES)
def test_holm_keeps_the_order_and_lies_between_none_and_bonferroni(p):
    adjusted = holm(p)
    for value, raised in zip(p, adjusted, strict=True):
        assert value <= raised <= min(1, len(p) * value) + 1e-12
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_holm_by_hand_and_without_what_was_not_tested():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.01, None, 0.03]) == [0.02, None, 0.03]
    assert holm([]) == []
