"""Sentences about comparisons: an answer is said with its images, its corrected p and its family, and no other is."""

import pytest

from xai_assets.reporting import comparisons

FEW = {"answer": "cannot_tell", "p_holm": 1.0, "family_size": 6, "fewest": 6, "n": 3}
YES = {"answer": "yes", "p_holm": 0.0006, "family_size": 6, "fewest": 6, "n": 12}
NO = {**YES, "answer": "no"}
OPEN = {**YES, "answer": "cannot_tell", "p_holm": 0.3}


def difference(mean, low=None, high=None, n=12):
    return {"mean": mean, "low": low, "high": high, "n": n}


def row(method, control, found, value):
    return {"method": method, "control": control, "difference": value, **found}


WIN, LOSS, SMALL = difference(0.3, 0.2, 0.4), difference(-0.2, -0.3, -0.1), difference(0.05, -0.02, 0.12)
RESTS = "12 images, p = 0.0006 after Holm's correction for 6 comparisons"


def test_winners_are_named_together_and_others_each_with_their_difference():
    assert comparisons.against_controls(
        [
            row("gradcam", "centre", YES, WIN),
            row("gradcam", "edges", YES, WIN),
            row("scorecam", "centre", YES, WIN),
            row("scorecam", "edges", YES, WIN),
            row("ablationcam", "centre", YES, WIN),
            row("ablationcam", "edges", OPEN, SMALL),
            row("lime", "centre", NO, LOSS),
            row("lime", "edges", {**OPEN, "p_holm": None, "n": 0}, None),
        ]
    ) == [
        f"By pixel average precision, Grad-CAM and ScoreCAM beat both the centre prior and the edge map ({RESTS}).",
        f"AblationCAM beats the centre prior (difference +0.30 [+0.20, +0.40]; {RESTS}).",
        "Whether AblationCAM beats the edge map cannot be told with 12 images (difference +0.05 [−0.02, +0.12]).",
        f"LIME does worse than the centre prior (difference −0.20 [−0.30, −0.10]; {RESTS}) and could not be compared "
        "with the edge map.",
    ]


def test_too_few_images_are_said_once_with_what_is_needed():
    rows = [row("gradcam", control, FEW, difference(0.4, n=3)) for control in ("centre", "edges")]
    assert comparisons.against_controls(rows) == [
        "Whether Grad-CAM beats the centre prior or the edge map cannot be told with 3 images; at least 6 are needed."
    ]
    assert "no difference has an interval" in comparisons.resolution(rows)


def test_without_controls_nothing_is_claimed():
    [sentence] = comparisons.against_controls([])
    assert "nothing can be said" in sentence
    assert "no difference has an interval" in comparisons.resolution([])


def test_the_resolution_is_the_range_of_the_intervals():
    rows = [row("gradcam", "centre", YES, WIN), row("lime", "centre", OPEN, difference(0, -0.2, 0.3, 9))]
    sentence = comparisons.resolution(rows)
    assert "With 9 images" in sentence and "±0.10 to ±0.25" in sentence


def pair(a, b, iou, found):
    value = difference(iou, iou - 0.1, iou + 0.1)
    return {"method_a": a, "method_b": b, "iou": value, "chance": 0.1, **found}


def test_agreement_names_the_extremes_and_what_is_not_beyond_chance():
    rows = [pair("gradcam", "scorecam", 0.6, YES), pair("gradcam", "lime", 0.12, OPEN)]
    sentence = comparisons.agreement(rows)
    assert sentence.startswith(
        "Grad-CAM and ScoreCAM agree most: IoU 0.60 [0.50, 0.70], where masks of different images have 0.10. "
        "Grad-CAM and LIME agree least: IoU 0.12"
    )
    assert "1 of 2 pairs agrees further than by chance" in sentence
    assert "(12 images, p = 0.0006 after Holm's correction for 6 pairs)" in sentence
    told = "Whether {} agrees further than by chance cannot be told with 12 images."
    assert sentence.endswith(told.format("Grad-CAM and LIME"))
    assert comparisons.span(rows).endswith(told.format("1 pair"))
    assert "not known" in comparisons.agreement([])
    both = [pair("gradcam", "scorecam", 0.6, YES), pair("gradcam", "lime", 0.12, NO)]
    assert "Below chance: Grad-CAM and LIME (12 images" in comparisons.agreement(both)


@pytest.mark.parametrize("say", [comparisons.agreement, comparisons.span])
def test_what_cannot_be_told_with_so_few_images_is_no_failure_and_no_success(say):
    rows = [pair("gradcam", "scorecam", 0.9, FEW), pair("gradcam", "lime", 0.8, FEW)]
    assert say(rows).endswith(
        "Whether any two methods agree further than by chance cannot be told with 3 images; at least 6 are needed."
    )
    every = [pair("gradcam", "scorecam", 0.9, YES), pair("gradcam", "lime", 0.8, YES)]
    assert "Every pair agrees further than by chance" in say(every) and "cannot" not in say(every)


def method(key, found, chance=0.14):
    return {
        "key": key,
        "is_control": False,
        "values": {"average_precision": {"chance": chance, "beyond": found}},
    }


def test_methods_are_put_against_their_own_maps_of_other_images():
    control = {"key": "edges", "is_control": True, "values": {"average_precision": {"beyond": None}}}
    said = comparisons.on_the_object(
        [method("gradcam", YES), method("lime", YES, 0.2), method("scorecam", OPEN), control]
    )
    assert said == [
        "Grad-CAM and LIME find the object of the image: by pixel average precision more than by chance, 0.14 to 0.20, "
        "which is what maps of the other images give (12 images, p = 0.0006 after Holm's correction for 6 methods).",
        "Whether ScoreCAM finds the object more than by chance cannot be told with 12 images.",
    ]
    assert "less than maps of other images do" in comparisons.on_the_object([method("gradcam", NO)])[0]
    assert comparisons.on_the_object([control]) == []
