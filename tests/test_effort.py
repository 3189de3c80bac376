"""`--quick` and `--full`: the study's file stays, and what is run says how it was run."""

import pytest

from xai_assets.attribution.parameters import AutoSamples
from xai_assets.effort import EFFORTS, QUICK_BUDGET, SAID, at_effort
from xai_assets.study_file import read_study

STUDY = """
title: "Two methods"
attribution:
  model: diorama/object
  images: {folder: pictures}
  methods:
    gradcam: {}
    lime: {num_samples: 300}
  lime_per_image:
    a.png: {num_samples: 80}
    b.png: {num_samples: auto}
  faithfulness: {budget: 7}
  robustness: {budget: 900}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "two.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return read_study(path)


def test_a_quick_run_takes_fewer_samples_and_less_time(file):
    quick = at_effort(file, "quick")
    asked = quick.study.attribution
    assert asked.methods.lime.num_samples == AutoSamples(at_most=300)
    assert asked.lime_per_image["a.png"].num_samples == AutoSamples(at_most=80)
    assert asked.lime_per_image["b.png"].num_samples == AutoSamples()
    assert asked.faithfulness.budget == 7  # the study's own is shorter
    assert asked.robustness.budget == QUICK_BUDGET
    assert asked.methods.gradcam == file.study.attribution.methods.gradcam
    assert quick.effort == "quick" and quick.data == file.data


def test_a_full_run_has_no_budget_and_all_else_as_the_study_says(file):
    full = at_effort(file, "full").study.attribution
    assert full.faithfulness.budget is None and full.robustness.budget is None
    assert full.methods == file.study.attribution.methods


def test_without_either_it_is_the_study(file):
    assert at_effort(file, None) is file
    assert file.effort is None
    assert set(SAID) == set(EFFORTS)


def test_measures_that_are_left_out_stay_so(tmp_path):
    path = tmp_path / "less.yaml"
    text = STUDY.replace("faithfulness: {budget: 7}", "faithfulness: null").replace("  lime_per_image:\n", "")
    lines = [line for line in text.splitlines() if not line.startswith("    ") or "gradcam" in line]
    path.write_text("\n".join(lines), encoding="utf-8")
    quick = at_effort(read_study(path), "quick").study.attribution
    assert quick.faithfulness is None and quick.methods.lime is None
    assert quick.robustness.budget == QUICK_BUDGET
