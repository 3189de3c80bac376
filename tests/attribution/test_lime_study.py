"""Everything of LIME that a study may name, for all images and for one."""

import pytest

from xai_assets.attribution.parameters import (
    Felzenszwalb,
    Grid,
    Lasso,
    LimeParameters,
    Linear,
    Quickshift,
    Slic,
)
from xai_assets.study_file import StudyError, read_study

STUDY = """\
title: LIME by name
seed: 5
attribution:
  model: diorama/object
  images: {folder: pictures}
  methods:
    lime:
      segmentation: {name: quickshift, kernel_size: 3, max_dist: 50, ratio: 0.4, sigma: 1, rng: 7}
      hide_color: blur
      num_samples: 300
      num_features: 8
      feature_selection: forward_selection
      top_labels: 3
      distance_metric: l2
      kernel_width: 2.5
      model_regressor: {name: lasso, alpha: 0.01}
      precision: bfloat16
  lime_per_image:
    cat.jpg: {segmentation: grid, hide_color: [1, 2, 3], model_regressor: linear}
    dog.jpg: {segmentation: {name: felzenszwalb, scale: 50}, hide_color: mean}
    cow.jpg: {segmentation: {name: slic, n_segments: 30, slic_zero: true}}
"""


@pytest.fixture
def read(tmp_path):
    def from_text(text):
        path = tmp_path / "named.yaml"
        path.write_text(text, encoding="utf-8")
        return read_study(path).study.attribution

    return from_text


def test_a_study_names_it_all(read):
    found = read(STUDY)
    assert found.methods.lime == LimeParameters(
        segmentation=Quickshift(kernel_size=3, max_dist=50, ratio=0.4, sigma=1, rng=7),
        hide_color="blur",
        num_samples=300,
        num_features=8,
        feature_selection="forward_selection",
        top_labels=3,
        distance_metric="l2",
        kernel_width=2.5,
        model_regressor=Lasso(alpha=0.01),
        precision="bfloat16",
    )
    assert found.lime_per_image == {
        "cat.jpg": LimeParameters(segmentation=Grid(), hide_color=(1, 2, 3), model_regressor=Linear()),
        "dog.jpg": LimeParameters(segmentation=Felzenszwalb(scale=50)),
        "cow.jpg": LimeParameters(segmentation=Slic(n_segments=30, slic_zero=True)),
    }


def test_what_is_written_is_read_back():
    for parameters in (LimeParameters(), LimeParameters(segmentation="quickshift", model_regressor="lasso")):
        assert LimeParameters.model_validate(parameters.model_dump(mode="json")) == parameters


@pytest.mark.parametrize(
    ("right", "wrong", "line", "field"),
    [
        ("name: lasso, alpha: 0.01", "name: lassoo", 16, "methods.lime.model_regressor"),
        ("distance_metric: l2", "distance_metric: l3", 14, "methods.lime.distance_metric"),
        ("segmentation: grid", "segmentation: squares", 19, "lime_per_image.cat.jpg.segmentation"),
        ("hide_color: blur", "hide_color: [1, 2, 256]", 9, "methods.lime.hide_color"),
    ],
)
def test_a_name_that_nothing_bears_is_named_with_line_and_field(right, wrong, line, field, read):
    with pytest.raises(StudyError) as caught:
        read(STUDY.replace(right, wrong))
    assert all(f"named.yaml:{line}: attribution.{field}" in problem for problem in caught.value.problems)
