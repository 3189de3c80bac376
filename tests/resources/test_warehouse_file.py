"""The warehouse's file: held by others, readable only, damaged, or something else altogether."""

import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xai_assets.resources.warehouse import Warehouse, WarehouseError
from xai_assets.resources.warehouse_file import opened

HEALTH = pd.DataFrame({"key": ["images"], "value": ["10"], "level": ["ok"]})
NOBODY = 65534

HOLD = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "1")
print(1, flush=True)
time.sleep(float(sys.argv[3]))
"""
HANG = """
import pathlib, sys, time
from xai_assets.resources.warehouse_file import opened
with opened(pathlib.Path(sys.argv[1]), write=False):
    print(1, flush=True)
    time.sleep(60)
"""
DIE = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("INSERT INTO probe_health VALUES ('demo', 'late', '1', 'ok')")
os._exit(1)
"""


@pytest.fixture
def said():
    return []


@pytest.fixture
def warehouse(tmp_path, said):
    """With a row of one study; waits half a second."""
    made = Warehouse(tmp_path / "data" / "warehouse.duckdb", wait=0.5, notice=said.append)
    made.replace("demo", {"probe_health": HEALTH})
    return made


class Holder:
    """A program that does not know our lock file and has the file open, until the block ends."""

    def __init__(self, path, *, read_only, seconds=60.0):
        words = [sys.executable, "-c", HOLD, str(path), str(int(read_only)), str(seconds)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE)
        assert self.process.stdout.readline()

    def __enter__(self):
        return self.process.pid

    def __exit__(self, *error):
        self.process.kill()
        self.process.communicate()


def let_all_enter(folder):
    """Every user may enter pytest's folders down to this one; there is one more where several processes test."""
    for entered in (folder, *folder.parents):
        if Path(tempfile.gettempdir()) in entered.parents:
            entered.chmod(0o755)


def in_other_user(work):
    """Do it in a child process that is not root; returns what it says, or its error."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            found = str(work())
        except BaseException as error:
            found = f"{type(error).__name__}: {error}"
        os.write(write, found.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        found = pipe.read().decode()
    os.waitpid(child, 0)
    return found


@pytest.mark.parametrize("read_only", [True, False])
def test_a_writer_waits_for_a_notebook_and_then_writes(warehouse, read_only):
    patient = Warehouse(warehouse.path, wait=60)
    with Holder(warehouse.path, read_only=read_only, seconds=1.0):
        patient.replace("other", {"probe_health": HEALTH})
    assert len(patient.read("other")["probe_health"]) == 1


def test_a_notice_names_who_is_waited_for(warehouse, said):
    patient = Warehouse(warehouse.path, wait=60, notice=said.append)
    with Holder(warehouse.path, read_only=True, seconds=2.0) as pid:
        patient.replace("other", {"probe_health": HEALTH})
    assert len(said) == 1 and f"process {pid}" in said[0]


@pytest.mark.parametrize("read_only", [True, False])
def test_who_holds_it_is_named_when_the_wait_is_over(warehouse, read_only):
    with Holder(warehouse.path, read_only=read_only) as pid:
        with pytest.raises(WarehouseError) as caught:
            warehouse.replace("other", {"probe_health": HEALTH})
        if read_only:
            assert len(warehouse.read("demo")["probe_health"]) == 1
        else:
            with pytest.raises(WarehouseError, match=f"process {pid}"):
                warehouse.read("demo")
    text = str(caught.value)
    assert f"process {pid} (python" in text and "within" in text
    assert "Close it there" in text and "re-execute" in text and "\n" not in text
    assert "-readonly" not in text and "duckdb.org" not in text
    assert not len(warehouse.read("other")["probe_health"])


def test_our_own_process_that_hangs_is_named_too(warehouse):
    child = subprocess.Popen([sys.executable, "-c", HANG, str(warehouse.path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline()
        with pytest.raises(WarehouseError, match=f"process {child.pid} "):
            warehouse.replace("other", {"probe_health": HEALTH})
    finally:
        child.kill()
        child.communicate()


def test_a_connection_of_this_very_program_is_said(warehouse):
    with (
        duckdb.connect(str(warehouse.path)),
        pytest.raises(WarehouseError, match=r"this program .* has it open itself"),
    ):
        warehouse.read("demo")
    with opened(warehouse.path, write=False), pytest.raises(WarehouseError, match="open itself"):
        warehouse.replace("other", {"probe_health": HEALTH})


def test_a_killed_writers_rows_are_read(warehouse):
    subprocess.run([sys.executable, "-c", DIE, str(warehouse.path)], check=False)
    assert Path(f"{warehouse.path}.wal").exists()
    assert list(warehouse.read("demo")["probe_health"]["key"]) == ["images", "late"]


@pytest.mark.parametrize("with_lock", [True, False])
def test_who_may_only_read_reads(warehouse, with_lock, tmp_path):
    folder = warehouse.path.parent
    lock = folder / "warehouse.duckdb.lock"
    if not with_lock:
        lock.unlink()
    for file in folder.iterdir():
        file.chmod(0o444)
    let_all_enter(tmp_path)
    folder.chmod(0o555)
    try:
        assert in_other_user(lambda: len(warehouse.read("demo")["probe_health"])) == "1"
        assert in_other_user(lambda: warehouse.query("SELECT count(*) FROM probe_health")[1]) == "[(1,)]"
        refused = in_other_user(lambda: warehouse.replace("x", {"probe_health": HEALTH}))
    finally:
        folder.chmod(0o755)
    assert refused.startswith("WarehouseError: ") and "may not be written by this user" in refused
    assert lock.exists() == with_lock


def test_who_may_not_even_read_is_told(warehouse, tmp_path):
    let_all_enter(tmp_path)
    warehouse.path.chmod(0o600)
    warehouse.path.with_name("warehouse.duckdb.lock").chmod(0o600)
    found = in_other_user(lambda: warehouse.read("demo"))
    assert "WarehouseError" in found and "may not be read" in found and "Ask its owner" in found
    warehouse.path.parent.chmod(0o700)
    assert "may not be read" in in_other_user(lambda: warehouse.read("demo"))


def _rows_or_line(warehouse):
    try:
        return warehouse.read("demo")["probe_health"].to_dict("records"), None
    except WarehouseError as error:
        return [], str(error)


def _damaged(path, kind):
    whole = path.read_bytes()
    path.unlink()
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("garbage")
    elif kind == "sqlite":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE probe_health (study)")
    elif kind == "parquet":
        path.write_bytes(b"PAR1" + bytes(200))
    elif kind == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif kind == "header":
        path.write_bytes(whole[:4096] + bytes(8192) + whole[12288:])
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        here = os.getcwd()
        os.chdir(path.parent)  # a socket's address has at most 108 bytes
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
        os.chdir(here)
    elif kind == "link":
        path.symlink_to(path.parent / "gone.duckdb")


KINDS = {
    "empty": "it is empty",
    "text": "begins with b'garbage'",
    "sqlite": "an SQLite database",
    "parquet": "a Parquet file",
    "cut": "damaged or cut off",
    "header": "damaged or cut off",
    "folder": "it is a folder",
    "pipe": "no regular file",
    "socket": "no regular file",
    "link": "a link to .*gone.duckdb, which does not exist",
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_sound_warehouse_is_one_line_with_a_remedy(warehouse, kind):
    _damaged(warehouse.path, kind)
    for work in (
        lambda: warehouse.read("demo"),
        lambda: warehouse.replace("demo", {"probe_health": HEALTH}),
        lambda: warehouse.query("SELECT 1"),
        warehouse.studies,
    ):
        with pytest.raises(WarehouseError, match=KINDS[kind]) as caught:
            work()
        text = str(caught.value)
        assert str(warehouse.path) in text and "\n" not in text and len(text) < 700
    if kind in ("empty", "text", "sqlite", "parquet", "cut", "header"):
        assert "Move warehouse.duckdb aside" in text and "import them anew" in text


def test_a_folder_in_the_place_of_the_data_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WarehouseError, match="cannot be opened"):
        Warehouse(tmp_path / "file" / "w.duckdb").replace("demo", {"probe_health": HEALTH})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_byte_never_gives_other_rows(warehouse, data):
    """Any byte: the rows come as they were, or the file is said to be damaged."""
    whole = warehouse.path.read_bytes()
    used = [at for at, byte in enumerate(whole) if byte]
    at = (
        data.draw(st.sampled_from(used))
        if data.draw(st.booleans())
        else data.draw(st.integers(0, len(whole) - 1))
    )
    other = warehouse.path.with_name("changed.duckdb")
    other.write_bytes(whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :])
    found, said = _rows_or_line(Warehouse(other))
    if said is None:
        assert found == HEALTH.to_dict("records")
    else:
        assert str(other) in said and "\n" not in said


@pytest.mark.parametrize("content", [b"", b"junk" * 500])
def test_a_log_beside_it_that_is_none_costs_no_row(warehouse, content):
    Path(f"{warehouse.path}.wal").write_bytes(content)
    found, said = _rows_or_line(warehouse)
    assert len(found) == 1 if said is None else ".wal" in said
