"""The search on landscapes whose best point is known, and what it says of how it came there."""

import itertools

import numpy as np
import pytest

from xai_assets.attribution.lime_space import HIDE_COLORS, NUM_FEATURES, draw
from xai_assets.attribution.lime_tuning import TOLERANCE, Judgement, tune
from xai_assets.attribution.parameters import Grid, LimeParameters, Slic

BASE = LimeParameters(num_samples=400, kernel_width=0.4)
IMAGES = dict.fromkeys("abcd", BASE)


def wants(kind, bonus=0.0):
    """The score is 0.5 for a segmentation of that name and 0.1 for others, less what few samples cost."""

    def judge(image, parameters):
        score = 0.5 if parameters.segmentation.name == kind else 0.1
        score += bonus * (parameters.num_samples - 400) / 400
        return Judgement(score, iou=score, chance_iou=0.05)

    return judge


def by_stage(tuning, image, stage):
    return [t for t in tuning.trials if t.image_id == image and t.stage == stage]


def test_the_candidates_are_the_same_for_every_image_and_a_longer_search_begins_with_the_shorter():
    first = [draw(BASE, number, 3) for number in range(1, 9)]
    assert first == [draw(BASE, number, 3) for number in range(1, 9)]
    assert first != [draw(BASE, number, 4) for number in range(1, 9)]
    assert len(set(first)) == 8
    assert [c.segmentation.name for c in first] == ["slic", "quickshift", "felzenszwalb", "grid"] * 2
    other = [draw(LimeParameters(num_samples=9), number, 3) for number in range(1, 9)]
    assert [c.segmentation for c in other] == [c.segmentation for c in first]
    assert {c.kernel_width for c in first} == {0.4}
    many = [draw(BASE, number, 0) for number in range(1, 200)]
    assert {c.hide_color for c in many} == set(HIDE_COLORS)
    assert {c.num_features for c in many} == set(NUM_FEATURES)


@pytest.mark.parametrize("kind", ["quickshift", "felzenszwalb", "grid"])
def test_the_best_is_found_and_written_with_what_was_not_searched(kind):
    found = tune(wants(kind), IMAGES, referenced=IMAGES, candidates=9)
    for choice in found.choices:
        assert choice.changed
        assert choice.parameters.segmentation.name == kind
        assert choice.parameters.kernel_width == 0.4
        assert (choice.score, choice.base_score) == (0.5, 0.1)
        assert choice.judged_by == "reference"
        assert f"candidate {choice.candidate} is the best of 10" in choice.reason


def test_what_the_study_has_stays_unless_something_is_clearly_better():
    def judge(image, parameters):
        return Judgement(0.5 if parameters.segmentation == BASE.segmentation else 0.5 + TOLERANCE * 0.99)

    for choice in tune(judge, IMAGES, referenced=(), candidates=9).choices:
        assert (choice.changed, choice.candidate) == (True, 0)  # half the samples do as well
        assert choice.parameters == BASE.model_copy(update={"num_samples": 200})
        assert choice.judged_by == "surrogate"


def test_fewer_samples_only_where_they_do_as_well_and_more_only_where_they_pay():
    for bonus, samples in ((0.0, 200), (0.05, 800), (TOLERANCE / 2, 200), (-0.05, 200)):
        found = tune(wants("slic", bonus), IMAGES, referenced=(), candidates=4)
        assert {choice.parameters.num_samples for choice in found.choices} == {samples}


def test_a_bracket_is_a_quarter_of_the_samples_for_all_and_all_of_them_for_a_third():
    found = tune(wants("grid"), {"a": BASE}, referenced=(), candidates=20)
    quarter, full = by_stage(found, "a", "quarter"), by_stage(found, "a", "full")
    assert [t.candidate for t in quarter] == list(range(21))
    assert {t.parameters.num_samples for t in quarter} == {100}
    assert {t.parameters.num_samples for t in full} == {400}
    assert [t.candidate for t in full] == [0, 4, 8, 1, 12, 16, 10, 20]
    assert [t.parameters.num_samples for t in by_stage(found, "a", "samples")] == [200, 800]


def test_few_samples_are_not_made_fewer():
    found = tune(wants("grid"), {"a": LimeParameters(num_samples=30)}, referenced=(), candidates=3)
    assert {t.parameters.num_samples for t in found.trials} == {30, 60}


def test_progress_ends_where_it_said():
    seen = []
    tune(wants("grid"), IMAGES, referenced=(), candidates=11, progress=lambda *at: seen.append(at))
    assert [done for done, _ in seen] == list(range(1, len(seen) + 1))
    assert seen[-1] == (seen[0][1], seen[0][1])


def test_candidates_that_cannot_be_judged_never_win():
    def judge(image, parameters):
        if parameters.segmentation.name == "grid":
            return Judgement(None, problem="too coarse")
        return Judgement(0.1)

    found = tune(judge, {"a": BASE}, referenced=(), candidates=9)
    assert not {t.candidate for t in by_stage(found, "a", "full")} & {4, 8}
    nothing = tune(lambda *_: Judgement(None, problem="x"), {"a": BASE}, referenced=(), candidates=9)
    (choice,) = nothing.choices
    assert (choice.changed, choice.parameters, choice.score) == (False, BASE, None)
    assert choice.reason.startswith("kept")


def test_own_parameters_without_a_score_give_way_to_those_with_one():
    def judge(image, parameters):
        return Judgement(0.3 if parameters.segmentation.name == "grid" else None)

    (choice,) = tune(judge, {"a": BASE}, referenced=(), candidates=4).choices
    assert (choice.candidate, choice.base_score) == (4, None)


def counted(seconds):
    ticks = itertools.count(0, seconds)
    return lambda: next(ticks)


@pytest.mark.parametrize("budget", [0, 1, 10, 40, 100])
def test_out_of_time_no_judgement_is_begun_and_what_is_known_is_used(budget):
    found = tune(wants("grid"), IMAGES, referenced=IMAGES, candidates=9, budget=budget, clock=counted(1))
    assert found.out_of_time
    assert len(found.trials) <= budget / 2 + 1
    assert len(found.choices) == 4
    for choice in found.choices:
        known = by_stage(found, choice.image_id, "full")
        assert choice.changed == any(t.judgement.score == 0.5 for t in known)
    enough = tune(wants("grid"), IMAGES, referenced=IMAGES, candidates=9, budget=1e9, clock=counted(1))
    assert not enough.out_of_time
    free = tune(wants("grid"), IMAGES, referenced=IMAGES, candidates=9)
    assert enough.choices == free.choices


def test_the_images_take_turns_so_that_a_short_budget_serves_all():
    found = tune(wants("grid"), IMAGES, referenced=(), candidates=9, budget=16, clock=counted(1))
    assert {t.image_id for t in found.trials[:8]} == set(IMAGES)


def test_held_out_is_what_the_others_choose_and_shows_what_tuning_on_the_mask_hides():
    # Each image has a favourite of its own, of no use to the others: luck that only its own mask rewards.
    favourite = {"a": 1, "b": 2, "c": 3, "d": 5}
    drawn = {image: draw(BASE, number, 0).segmentation for image, number in favourite.items()}

    def judge(image, parameters):
        if parameters.segmentation == drawn[image]:
            score = 0.9
        elif parameters.segmentation.name == "grid":
            score = 0.4
        else:
            score = 0.1
        return Judgement(score, iou=score, chance_iou=0.05)

    found = tune(judge, IMAGES, referenced=IMAGES, candidates=9)
    assert [choice.iou for choice in found.choices] == [0.9] * 4
    assert [held.candidate for held in found.held_out] == [4] * 4
    assert [held.iou for held in found.held_out] == [0.4] * 4
    assert [held.base_iou for held in found.held_out] == [0.1] * 4
    assert {t.stage for t in found.trials if t.candidate == 4 and t.image_id == "a"} <= {
        "quarter",
        "full",
        "held out",
    }


def test_held_out_needs_three_images_with_masks():
    assert not tune(wants("grid"), IMAGES, referenced=("a", "b"), candidates=4).held_out
    assert [h.image_id for h in tune(wants("grid"), IMAGES, referenced="abd", candidates=4).held_out] == list(
        "abd"
    )


def test_images_may_have_parameters_of_their_own():
    base = {"a": BASE, "b": LimeParameters(segmentation=Grid(), num_samples=60), "c": LimeParameters()}
    found = tune(wants("grid"), base, referenced=(), candidates=4)
    assert [choice.candidate for choice in found.choices] == [4, 0, 4]
    assert base["c"].segmentation == Slic()
    rank = np.array([t.parameters.num_samples for t in by_stage(found, "b", "quarter")])
    assert (rank == 50).all()
