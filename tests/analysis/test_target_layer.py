"""A study that names no layer: one is taken, the same in every step, and said wherever the maps are."""

import numpy as np
import pytest
from PIL import Image

from xai_assets.analysis.explanations import maps
from xai_assets.analysis.images import images
from xai_assets.analysis.precheck import precheck
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.workbench import Workbench
from xai_assets.settings import Settings

STUDY = """\
title: A small study
attribution:
  model: diorama/object
{layer}  images: {{folder: pictures}}
  methods: {{gradcam: {{}}, lime: {{num_samples: 20}}}}
"""


@pytest.fixture
def bench(tmp_path, monkeypatch, request):
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XAI_DEVICE", "cpu")
    (tmp_path / "pictures").mkdir()
    coarse = np.random.default_rng(1).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((128, 128)).save(tmp_path / "pictures" / "a.png")
    path = tmp_path / "small.yaml"
    path.write_text(STUDY.format(layer=request.param), encoding="utf-8")
    return Workbench.open(str(path), Settings.from_environment())


def made(bench, method):
    pictures = images(bench)
    cases = predictions(bench, pictures)
    return maps(bench, cases, pictures, method)


@pytest.mark.parametrize("bench", ["", "  layer: null\n"], indirect=True)
def test_a_study_without_a_layer_is_explained_at_the_last_with_positions(bench):
    (row,) = made(bench, "gradcam").to_dict("records")
    assert row["layer"] == "layer4"
    assert "target layer layer4 (the last layer with positions; the study names none)" in bench.tally.facts
    (row,) = made(bench, "lime").to_dict("records")
    assert row["layer"] is None or row["layer"] != row["layer"]
    said = {one.what: one for one in precheck(bench.file, bench.settings)}
    assert said["target layer"].state == "ok"
    assert said["target layer"].said == "layer4 (the last layer with positions; the study names none)"


@pytest.mark.parametrize("bench", ["  layer: layer3\n"], indirect=True)
def test_a_layer_that_is_named_is_taken(bench):
    (row,) = made(bench, "gradcam").to_dict("records")
    assert row["layer"] == "layer3"
    assert "target layer layer3" in bench.tally.facts
    assert "target layer" not in {one.what for one in precheck(bench.file, bench.settings)}
