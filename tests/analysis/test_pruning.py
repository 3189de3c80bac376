"""What may go: only what no study needs, nobody has used for long, and that can be made again."""

import json
import os
import time

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from xai_assets.analysis.pruning import SECONDS_A_DAY, stale
from xai_assets.cli import cli
from xai_assets.resources.frames import write_table
from xai_assets.resources.store import ArtifactStore
from xai_assets.settings import Settings

STUDY = """\
title: Mine
attribution:
  model: diorama/object
  images: {diorama: {}}
  methods: {gradcam: {}, hirescam: {}}
reports: [cam]
"""
NAMED, THROUGH, LOOSE, USED = (letter * 32 for letter in "abcd")
RUN = "621e9781-3ccc-49ce-b543-a1dcc482a7dd"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder in which everything is 40 days old: one study of two is left."""
    for name in ("XAI_ARTIFACTS", "XAI_REPORTS", "XAI_WAREHOUSE", "XAI_STUDIES", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    store = ArtifactStore(tmp_path / "artifacts")
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(STUDY, encoding="utf-8")
    for key, meta in [(NAMED, {"chunks": [THROUGH]}), (THROUGH, {}), (LOOSE, {}), (USED, {})]:
        store.put("maps", key, {"values": np.zeros(2, np.float32)}, meta)
    for study, key in [("mine", NAMED), ("gone", LOOSE)]:
        write_table(store.root, "gradcam_masks", study, pd.DataFrame({"artifact": [key], "n": [1]}))
        for folder in ("reports", "dagster/storage/reports"):
            (tmp_path / folder / study).mkdir(parents=True)
            (tmp_path / folder / study / "cam.pdf").write_bytes(b"%PDF")
    served = tmp_path / "dagster" / "storage"
    for name in ("reports/mine/cam.json", "reports/mine/lime.pdf", "reports/mine/.cam.pdf.x.part"):
        (served / name).write_bytes(b"x")
    for method in ("gradcam", "further_cam", "lime"):
        (served / "pictures" / "mine").mkdir(parents=True, exist_ok=True)
        (served / "pictures" / "mine" / f"{method}_masks.png").write_bytes(b"x")
    for chart in ("mask_agreement", "faithfulness"):
        (served / "pictures" / "mine" / f"{chart}.png").write_bytes(b"x")
    output = tmp_path / "dagster" / "storage" / RUN / "compute_logs"
    output.mkdir(parents=True)
    (output / "step.err").write_text("said", encoding="utf-8")
    (tmp_path / "artifacts" / "maps" / ".x.part").write_bytes(b"half")
    then = time.time() - 40 * SECONDS_A_DAY
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.utime(path, (then, then))
    assert store.has("maps", USED)
    return tmp_path


GOES = {
    f"artifacts/maps/cc/{LOOSE}.safetensors",
    "artifacts/maps/.x.part",
    "artifacts/tables/gradcam_masks/gone.parquet",
    "reports/gone",
    "dagster/storage/reports/gone",
    "dagster/storage/reports/mine/lime.pdf",
    "dagster/storage/reports/mine/.cam.pdf.x.part",
    "dagster/storage/pictures/mine/lime_masks.png",
    f"dagster/storage/{RUN}/compute_logs",
}


def found(data, **options):
    settings = Settings.from_environment({"XAI_DATA": str(data)})
    items = stale(settings, data / "dagster" / "storage", **options)
    return {str(item.path.relative_to(data)) for item in items}


def test_what_no_study_needs_and_nobody_used_may_go(data):
    assert found(data, days=30) == GOES


def test_what_is_young_stays(data):
    assert found(data, days=50) == set()


def test_a_dry_run_keeps_everything_and_a_real_one_removes_it_once(data):
    before = {path for path in data.rglob("*") if path.is_file()}
    dry = json.loads(CliRunner().invoke(cli, ["prune", "--dry-run", "--json"]).output)
    assert (dry["removed"], len(dry["files"])) == (False, len(GOES))
    assert {path for path in data.rglob("*") if path.is_file()} == before
    assert "removed, neither made nor used in 30 days" in CliRunner().invoke(cli, ["prune"]).output
    assert not [name for name in GOES if (data / name).exists()]
    assert (data / "artifacts" / "maps" / "bb" / f"{THROUGH}.safetensors").is_file()
    assert (data / "reports" / "mine" / "cam.pdf").is_file()
    assert json.loads(CliRunner().invoke(cli, ["prune", "--json"]).output)["files"] == []
