"""`xai verify`: what it compares, how it ends, and what it leaves in DuckDB."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from xai_assets.analysis.explanations import further_cam_maps, maps
from xai_assets.analysis.images import images
from xai_assets.analysis.predictions import predictions
from xai_assets.analysis.workbench import Workbench
from xai_assets.cli import cli
from xai_assets.resources.frames import write_table
from xai_assets.resources.warehouse import Warehouse
from xai_assets.settings import Settings

STUDY = """\
title: A small study
attribution:
  model: diorama/object
  layer: layer1
  images: {folder: pictures}
  methods:
    gradcam: {}
    scorecam: {weighting: increase}
    eigencam: {}
    lime: {segmentation: {name: grid, rows: 4, columns: 4}, num_samples: 20}
reports: [lime]
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with the study, and another with the tables that its steps leave as well."""
    before, after = tmp_path_factory.mktemp("before") / "small", tmp_path_factory.mktemp("after") / "small"
    (before / "pictures").mkdir(parents=True)
    for number in range(3):
        coarse = np.random.default_rng(number).integers(0, 255, (8, 8, 3)).astype(np.uint8)
        Image.fromarray(coarse).resize((128, 128)).save(before / "pictures" / f"{number}.png")
    (before / "small.yaml").write_text(STUDY, encoding="utf-8")
    shutil.copytree(before, after)
    settings = Settings.from_environment({"XAI_DATA": str(after / "data"), "XAI_DEVICE": "cpu"})
    bench = Workbench.open(str(after / "small.yaml"), settings)
    pictures = images(bench)
    cases = predictions(bench, pictures)
    tables = {"images": pictures, "predictions": cases}
    tables |= {
        f"{method}_masks": maps(bench, cases, pictures, method) for method in ("gradcam", "scorecam", "lime")
    }
    tables["further_cam_masks"] = further_cam_maps(bench, cases, pictures)
    for asset, table in tables.items():
        write_table(settings.artifacts, asset, bench.study.name, table)
    return before, after


@pytest.fixture
def study(prepared, tmp_path, monkeypatch):
    """The study's file, in a folder of the test's own, which the environment names."""
    for name in ("XAI_ARTIFACTS", "XAI_WAREHOUSE", "XAI_REPORTS", "XAI_MODELS", "XAI_STUDIES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path / "small" / "data"))
    monkeypatch.setenv("XAI_DEVICE", "cpu")
    shutil.copytree(prepared[0], tmp_path / "small")
    return tmp_path / "small" / "small.yaml"


@pytest.fixture
def made(prepared, study):
    """The study with the tables that its steps leave."""
    shutil.copytree(prepared[1] / "data", study.parent / "data")
    return Workbench.open(str(study), Settings.from_environment())


def invoke(*arguments):
    return CliRunner().invoke(cli, ["verify", *map(str, arguments)])


def test_maps_are_within_and_are_rows_of_duckdb(made, study):
    found = invoke(study, "--maps", 2, "--seed", 3, "--json")
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    assert {entry["method"]: entry["verdict"] for entry in said["methods"]} == {
        "gradcam": "within",
        "scorecam": "not_compared",
        "eigencam": "within",
        "lime": "within",
    }
    assert "forward passes" in found.stderr
    rows = Warehouse(made.settings.warehouse).read("small")["verification"]
    assert len(rows) == 8
    assert set(rows["sample_seed"]) == {3}
    for entry in said["methods"]:
        own = rows[rows["method"] == entry["method"]]
        assert own["image_id"].nunique() == 2
        assert entry["maps"] + entry["not_compared"] == 2
        if entry["verdict"] == "within":
            assert entry["largest_difference"] == own["difference"].max() <= entry["tolerance"]
        else:
            assert own["difference"].isna().all()
            assert "increase" in own["note"].iloc[0]


def test_the_sample_follows_the_seed_and_what_was_compared_stays_until_it_is_compared_anew(made, study):
    assert invoke(study, "--maps", 1).exit_code == 0
    before = Warehouse(made.settings.warehouse).read("small")["verification"]
    assert before["image_id"].nunique() == 1
    again = [invoke(study, "--maps", 1, "--seed", seed, "--methods", "gradcam") for seed in (1, 2, 5)]
    assert [one.exit_code for one in again] == [0] * 3
    after = Warehouse(made.settings.warehouse).read("small")["verification"]
    others = after["method"] != "gradcam"
    assert sorted(after.loc[others, "method"]) == sorted(set(before["method"]) - {"gradcam"})
    assert set(after.loc[others, "sample_seed"]) == {0}
    assert after.loc[~others, "image_id"].nunique() == (~others).sum() > 1
    assert 5 in set(after.loc[~others, "sample_seed"])


def test_a_map_that_is_another_ends_with_1(made, study):
    row = made.table("gradcam_masks").to_dict("records")[0]
    arrays, meta = made.store.get("maps", row["artifact"])
    made.store.put("maps", row["artifact"], arrays | {"values": arrays["values"][::-1].copy()}, meta)
    found = invoke(study, "--maps", 3, "--methods", "gradcam")
    assert found.exit_code == 1, found.output
    assert "beyond" in found.stdout


def test_maps_of_a_study_that_changed_are_not_compared(made, study):
    study.write_text(STUDY.replace("num_samples: 20", "num_samples: 21"), encoding="utf-8")
    found = invoke(study, "--methods", "lime")
    assert found.exit_code == 2
    assert "xai run small" in found.stdout
    assert Warehouse(made.settings.warehouse).read("small")["verification"].empty


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "xai run small"), (("--methods", "layercam"), "gradcam, scorecam, eigencam, lime")],
)
def test_what_is_missing_is_said_with_its_remedy(study, arguments, said):
    found = invoke(study, *arguments)
    assert found.exit_code == 2
    assert said in found.stderr
