"""`xai check` finds before a run what its last steps would refuse, and changes nothing."""

import os

import duckdb
import pandas as pd
import pytest

from tests.resources.test_warehouse_file import KINDS, Holder, _damaged, in_other_user, let_all_enter
from xai_assets.resources.warehouse import Warehouse
from xai_assets.resources.warehouse_look import look_at_warehouse

HEALTH = pd.DataFrame({"key": [f"image {n}" for n in range(5000)], "value": "10", "level": "ok"})


@pytest.fixture
def path(tmp_path):
    made = Warehouse(tmp_path / "data" / "warehouse.duckdb")
    made.replace("demo", {"probe_health": HEALTH})
    return made.path


def test_a_sound_one_and_an_absent_one_are_fit(path):
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert look_at_warehouse(path)[0]
    assert look_at_warehouse(path.parent / "not" / "yet" / "there.duckdb")[0]
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_none_is_not_fit(path, kind):
    _damaged(path, kind)
    fit, said = look_at_warehouse(path)
    assert not fit and str(path) in said and "\n" not in said


def test_a_changed_block_of_data_is_found(path):
    whole, verdicts = path.read_bytes(), []
    for at in range(12_288 + 100, len(whole), 60_000):  # behind the headers
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        verdicts.append(look_at_warehouse(path))
    assert any("damaged" in said for fit, said in verdicts if not fit)
    assert all(fit or "damaged" in said for fit, said in verdicts)


@pytest.mark.parametrize("read_only", [True, False])
def test_who_holds_it_is_named(path, read_only):
    with Holder(path, read_only=read_only) as pid:
        fit, said = look_at_warehouse(path)
    assert not fit and f"process {pid}" in said


def test_a_newer_file_and_one_that_may_not_be_written_are_not_fit(path, tmp_path):
    let_all_enter(tmp_path)
    path.chmod(0o444)
    assert "may not be written" in in_other_user(lambda: look_at_warehouse(path))
    path.parent.chmod(0o555)
    assert "may not be written" in in_other_user(lambda: look_at_warehouse(path.parent / "other.duckdb"))
    path.parent.chmod(0o755)
    os.chmod(path, 0o644)
    with duckdb.connect(str(path)) as connection:
        connection.execute("INSERT INTO xai_schema (version, code) VALUES (1000, '9.9')")
    fit, said = look_at_warehouse(path)
    assert not fit and "version 1000" in said and "Upgrade" in said
