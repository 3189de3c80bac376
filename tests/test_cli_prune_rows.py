"""`xai prune --rows`: rows of a study that is gone go when it is named, and no other."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from tests.conftest import TINY_STUDY
from tests.resources.test_warehouse import HEALTH, agreement
from xai_assets.cli import cli
from xai_assets.resources.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    monkeypatch.delenv("XAI_WAREHOUSE", raising=False)
    monkeypatch.setenv("XAI_DATA", str(tmp_path))
    monkeypatch.setenv("XAI_STUDIES", str(tmp_path / "studies"))
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "mine.yaml").write_text(TINY_STUDY)
    made = Warehouse(tmp_path / "warehouse.duckdb")
    for study in ("mine", "gone"):
        made.replace(study, {"probe_health": HEALTH, "mask_agreement": agreement()})
    return made


def prune(*arguments, answer=""):
    return CliRunner().invoke(cli, ["prune", "--rows", *arguments], input=answer)


def test_rows_of_a_study_that_is_gone_go_after_a_yes(warehouse):
    found = prune("gone", answer="y\n")
    assert found.exit_code == 0, found.output
    assert "2 rows  probe_health" in found.output and "3 rows  removed, of gone" in found.output
    assert "gone" not in warehouse.rows() and sum(warehouse.rows()["mine"].values()) == 3
    pd.testing.assert_frame_equal(warehouse.read("mine")["probe_health"], HEALTH, check_dtype=False)


def test_without_a_yes_nothing_goes(warehouse):
    for answer in ("n\n", ""):
        assert prune("gone", answer=answer).exit_code != 0
    found = prune("gone", "--dry-run")
    assert found.exit_code == 0 and "3 rows  would go" in found.output
    assert sum(warehouse.rows()["gone"].values()) == 3


def test_json_counts_what_went(warehouse):
    found = prune("gone", "--yes", "--json")
    assert json.loads(found.stdout) == {
        "removed": True, "study": "gone", "rows": {"mask_agreement": 1, "probe_health": 2},
    }  # fmt: skip


def test_a_study_that_is_there_or_has_no_rows_is_refused(warehouse, tmp_path):
    for name, why in (("mine", "its file is there"), ("gonne", "Did you mean 'gone'?")):
        found = prune(name, "--yes")
        assert found.exit_code == 2 and why in found.output
    (tmp_path / "studies" / "mine.yaml").unlink()
    (tmp_path / "studies").rmdir()
    assert prune("gone", "--yes").exit_code == 2
    assert sum(warehouse.rows()["gone"].values()) == 3
