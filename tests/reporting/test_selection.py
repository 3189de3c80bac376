from dataclasses import replace

import pandas as pd

from tests.reporting.plausible import plausible
from xai_assets.reporting.results import StudyResults
from xai_assets.reporting.selection import CARDS_DEEPEST, CARDS_OTHER, images_to_show, units_to_show

EMPTY = StudyResults(study={"name": "s", "title": "S"})


def units(rows: list[tuple[str, int, str | None, float | None, bool]]) -> StudyResults:
    table = pd.DataFrame(rows, columns=["layer", "unit", "concept", "iou", "dead"]).assign(model="m")
    return replace(EMPTY, netdissect=table)


def test_the_strongest_unit_of_each_concept_is_shown_once() -> None:
    chosen = units_to_show(
        units(
            [
                ("l", 0, "dog", 0.3, False),
                ("l", 1, "dog", 0.5, False),
                ("l", 2, "cat", 0.4, False),
                ("l", 3, "sky", 0.5, False),
                ("l", 4, None, None, True),
            ]
        )
    )
    assert chosen["unit"].tolist() == [1, 3, 2]


def test_the_deepest_layer_gets_more_cards() -> None:
    rows = [(layer, unit, f"c{unit}", 0.5, False) for layer in ("a", "b") for unit in range(20)]
    counts = units_to_show(units(rows))["layer"].value_counts()  # type: ignore[arg-type]
    assert counts["a"] == CARDS_OTHER
    assert counts["b"] == CARDS_DEEPEST


def test_without_pixel_labels_the_gap_between_words_decides() -> None:
    table = pd.DataFrame(
        {"model": "m", "layer": "l", "unit": [0, 1], "concept": ["a", "b"], "gap": [0.1, 0.9], "dead": False}
    )
    assert units_to_show(replace(EMPTY, clip_dissect=table))["unit"].tolist() == [1, 0]
    assert len(units_to_show(EMPTY)) == 0


def many(seed: int, images: int = 40) -> StudyResults:
    names = [f"i{n:02d}" for n in range(images)]
    scores = pd.DataFrame(
        {
            "image_id": names,
            "target_index": 0,
            "method": "gradcam",
            "is_control": False,
            "average_precision": [n / images for n in range(images)],
        }
    )
    return replace(
        EMPTY,
        study={**EMPTY.study, "seed": seed},
        predictions=pd.DataFrame({"image_id": names}),
        localization=scores,
    )


def test_a_few_images_are_all_shown() -> None:
    shown, rule = images_to_show(many(0, 5), 6)
    assert shown == [f"i{n:02d}" for n in range(5)]
    assert rule.startswith("All")


def test_of_many_the_worst_the_best_and_drawn_ones_are_shown() -> None:
    shown, rule = images_to_show(many(0), 6)
    assert len(shown) == 6
    assert {"i00", "i01", "i38", "i39"} <= set(shown)
    assert shown == sorted(shown)
    assert "2 with the lowest" in rule
    assert images_to_show(many(0), 6) == (shown, rule)
    assert any(images_to_show(many(seed), 6)[0] != shown for seed in (1, 2, 3))


def test_wrong_answers_come_first_and_the_surest_of_many() -> None:
    results = many(0)
    right = [n not in (7, 9, 20, 30) for n in range(40)]
    predictions = results.predictions.assign(
        correct=pd.array(right, "boolean"), predicted_probability=[n / 40 for n in range(40)]
    )
    shown, rule = images_to_show(replace(results, predictions=predictions), 6)
    assert {"i30", "i20", "i09"} <= set(shown) and "i07" not in shown and {"i00", "i39"} <= set(shown)
    assert "3 of 4 with a wrong answer, the surest first" in rule and "the one with the lowest" in rule
    few = predictions.assign(correct=pd.array([n != 7 for n in range(40)], "boolean"))
    shown, rule = images_to_show(replace(results, predictions=few), 6)
    assert "i07" in shown and ": 1 with a wrong answer, " in rule


def test_without_truth_all_are_drawn() -> None:
    shown, rule = images_to_show(replace(many(0), localization=pd.DataFrame()), 6)
    assert len(shown) == 6
    assert "drawn by the study's seed" in rule
    assert images_to_show(EMPTY, 6)[0] == []


def test_units_of_a_whole_study_have_pictures() -> None:
    results = plausible(1, 0, layers={"layer4": 12})
    for row in units_to_show(results).to_dict("records"):
        assert (row["model"], row["layer"], row["unit"]) in results.unit_pictures
