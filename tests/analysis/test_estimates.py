"""What `xai check` and the start of a run say that steps take: the passes are those that the steps make."""

import re

import pytest

from tests.analysis.test_robustness_reuse import made, passes, place  # noqa: F401 - fixtures
from xai_assets.analysis.estimates import Pace, Work, in_words, lines, of_predictions, works
from xai_assets.analysis.images import images
from xai_assets.analysis.precheck import precheck
from xai_assets.analysis.robustness import robustness


def test_passes_are_those_that_the_steps_make(place, passes):  # noqa: F811
    bench, maps, cases = made(place, anew=True)
    of = {work.step: work for work in works(bench, images=3, cases=3, channels={"scorecam": 256, "lime": 0})}
    assert of["lime_masks"].passes == 3 * 70
    assert passes["lime"] - 4 * 3 == of["lime_masks"].passes  # less what the copy is checked on
    assert passes["scorecam"] <= of["scorecam_masks"].passes == 3 * 257
    assert of["gradcam_masks"].passes == 9 if "gradcam_masks" in of else True
    passes.update(scorecam=0, lime=0)
    robustness(bench, maps, cases)
    assert passes["scorecam"] + passes["lime"] <= of["robustness"].passes + 60
    assert (
        passes["scorecam"] + passes["lime"] >= 0.6 * of["robustness"].passes
    )  # channels of one value are not asked
    assert of["faithfulness"].passes == 3 * ((3 + 4) * (2 * 2 * 5 + 2 * 2 + 1) + 3)


def test_a_line_says_passes_time_and_memory_and_the_longest_is_last():
    found = lines(
        [
            Work("predictions", 10),
            Work("lime_masks", 5000, 32, at_most=True),
            Work("robustness", 90_000, 64, budget=20),
        ],
        Pace(seconds=0.05, mib=10, base_mib=600),
    )
    assert found[0] == "predictions: 10 forward passes, about 1 s, 610 MiB"
    assert found[1] == "lime_masks: at most 5,000 forward passes, about 4 min, 920 MiB"
    assert found[2] == "robustness: 90,000 forward passes, about 75 min, stopped after 20 s, 1,240 MiB"
    assert found[3].startswith("together about 5 min")
    assert [in_words(seconds) for seconds in (0.2, 3, 119, 600)] == ["1 s", "3 s", "119 s", "10 min"]


def test_a_run_says_it_once_and_a_check_says_it_as_well(place):  # noqa: F811
    bench, _, cases = made(place)
    assert of_predictions(bench, cases, images(bench)) == []  # every map is there
    other = made(place, results="never")[0]
    for path in other.settings.artifacts.glob("attributions/*/*"):
        path.unlink()
    fresh = type(other)(other.settings, other.file)
    said = of_predictions(fresh, cases, images(fresh))
    assert [line.partition(":")[0] for line in said[:-1]] != []
    assert "scorecam_masks" in " ".join(said) and "predictions" not in " ".join(said)
    found = [one.said for one in precheck(bench.file, bench.settings) if one.what == "cost"]
    assert any(re.search(r"lime_masks: 210 forward passes, about \d+ s, [\d,]+ MiB", line) for line in found)
    assert found[-1].startswith("together about ")


@pytest.mark.parametrize("samples", ["{at_most: 90}"])
def test_of_lime_that_stops_by_itself_the_most_is_said(place, samples):  # noqa: F811
    bench, _, _ = made(place, samples)
    (lime,) = [
        work for work in works(bench, images=3, cases=3, channels={"lime": 0}) if work.step == "lime_masks"
    ]
    assert lime.passes == 270 and lime.at_most
