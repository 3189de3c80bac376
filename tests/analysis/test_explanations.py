"""Maps of a study: the same bytes whatever else is computed, and only what is new is computed."""

import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.conftest import CHECKOUT
from xai_assets.analysis import explanations
from xai_assets.analysis.explanations import further_cam_maps, maps, read_map
from xai_assets.analysis.images import images
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.score_batches import ScoreBatches
from xai_assets.analysis.workbench import Workbench
from xai_assets.settings import Settings

STUDY = """
title: "Class activation maps"
attribution:
  model: diorama/object
  layer: LAYER
  images: {folder: ../photographs}
  methods:
    gradcam: {}
    ablationcam: {}
    scorecam: {batch_size: 8}
    hirescam: {}
    eigencam: {}
"""
METHODS = ("gradcam", "ablationcam", "scorecam")


def draw(folder, number, seed):
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3)).astype(np.uint8)
    Image.fromarray(coarse).resize((128, 128)).save(folder / f"{number}.png")


@pytest.fixture
def place(tmp_path):
    (tmp_path / "photographs").mkdir()
    (tmp_path / "studies").mkdir()
    for number in range(3):
        draw(tmp_path / "photographs", number, number)
    return tmp_path


def step(place, *methods, results="data", layer="layer1"):
    """Each method's table, and what the step did: in a bench of its own, as in a process of its own."""
    (place / "studies" / "cams.yaml").write_text(STUDY.replace("LAYER", layer), encoding="utf-8")
    settings = Settings.from_environment({"XAI_DATA": str(place / results), "XAI_DEVICE": "cpu"})
    bench = Workbench.open(str(place / "studies" / "cams.yaml"), settings)
    pictures = images(bench)
    cases = predictions(bench, pictures)
    bench.tally.computed = bench.tally.reused = 0
    tables = [maps(bench, cases, pictures, method) for method in methods]
    return bench, tables, (cases, pictures)


def stored(bench, table):
    return {
        (row["image_id"], row["method"]): read_map(bench, row)[0].values.tobytes()
        for row in table.to_dict("records")
    }


def test_two_runs_give_the_same_bytes_and_an_edited_image_is_computed_alone(place):
    first, tables, _ = step(place, *METHODS)
    assert (first.tally.computed, first.tally.reused) == (9, 0)
    again, _, _ = step(place, *METHODS)
    assert (again.tally.computed, again.tally.reused) == (0, 9)
    elsewhere, tables_elsewhere, _ = step(place, *METHODS, results="elsewhere")
    assert elsewhere.tally.computed == 9
    for table, other in zip(tables, tables_elsewhere, strict=True):
        assert stored(first, table) == stored(elsewhere, other)
    draw(place / "photographs", 1, 77)
    edited, tables_edited, _ = step(place, *METHODS)
    assert (edited.tally.computed, edited.tally.reused) == (3, 6)
    before, after = stored(first, tables[0]), stored(edited, tables_edited[0])
    assert [key for key in before if before[key] != after[key]] == [("1.png", "gradcam")]


def test_a_map_does_not_depend_on_which_others_are_made_with_it(place):
    together, tables, _ = step(place, *METHODS)
    for number in (0, 2):
        (place / "photographs" / f"{number}.png").unlink()
    alone, tables_alone, _ = step(place, *METHODS, results="alone")
    for table, other in zip(tables, tables_alone, strict=True):
        (only,) = stored(alone, other).items()
        assert stored(together, table)[only[0]] == only[1]


def test_what_was_made_before_an_interruption_is_kept(place, monkeypatch):
    class Interrupted(explanations.Explainer):
        calls = 0

        def __call__(self, *arguments, **options):
            type(self).calls += 1
            if self.calls == 3:
                raise KeyboardInterrupt
            return super().__call__(*arguments, **options)

    monkeypatch.setattr(explanations, "Explainer", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        step(place, "scorecam")
    monkeypatch.undo()
    bench, _, _ = step(place, "scorecam")
    assert (bench.tally.computed, bench.tally.reused) == (1, 2)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.analysis import test_explanations as tests
from xai_assets.analysis.score_batches import ScoreBatches

keep = ScoreBatches.put
def put(self, batch, scores):
    if batch == 1:
        os.kill(os.getpid(), signal.SIGKILL)  # computed, and not yet kept
    keep(self, batch, scores)
ScoreBatches.put = put
tests.step(Path(sys.argv[1]), "scorecam")
"""


def test_a_killed_scorecam_goes_on_within_the_image(place, monkeypatch):
    whole, (table,), _ = step(place, "scorecam", results="whole")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(place)], cwd=CHECKOUT, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert len(list((place / "data" / "artifacts" / "scores").rglob("*.safetensors"))) == 1
    scored = []

    def put(self, batch, scores):
        scored.append(batch)

    monkeypatch.setattr(ScoreBatches, "put", put)
    bench, (again,), _ = step(place, "scorecam")
    assert bench.tally.computed == 3
    batches = max(scored) + 1
    assert batches >= 2
    # The first batch of the first image is known; the second was computed when the process was killed.
    assert scored == [*range(1, batches), *range(batches), *range(batches)]
    assert stored(bench, again) == stored(whole, table)
    assert not list((place / "data" / "artifacts" / "scores").rglob("*.safetensors"))


def test_the_rarer_maps_are_made_together_and_only_those_that_are_asked_for(place):
    bench, _, given = step(place)
    table = further_cam_maps(bench, *given)
    assert table["method"].tolist() == ["hirescam"] * 3 + ["eigencam"] * 3
    assert maps(bench, *given, "layercam").empty
    assert table.columns.tolist() == maps(bench, *given, "gradcam").columns.tolist()


def test_scorecam_before_an_activation_function_is_said_once(place):
    bench, (table,), _ = step(place, "scorecam", layer="layer1.0.bn2")
    assert len(table) == 3
    (problem,) = [why for why in bench.tally.problems if "signed values" in why]
    assert problem.startswith("scorecam: layer1.0.bn2")
